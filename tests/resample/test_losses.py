"""Focal loss against numeric derivatives, its classifier, and class-balanced weights."""

import pickle

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from scipy.optimize import approx_fprime
from scipy.special import expit
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score

from skauto.resample import FocalLoss, FocalLossClassifier, class_balanced_weights


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("raw", [-1.5, 0.3, 2.0])
def test_gradient_and_hessian_are_derivatives_of_the_loss(gamma, label, raw):
    def loss(z):
        right = expit(z[0] if label else -z[0])
        return -((1 - right) ** gamma) * np.log(right)

    def slope(z):
        return FocalLoss(gamma)(np.array([label]), z)[0][0]

    gradient, hessian = FocalLoss(gamma)(np.array([label]), np.array([raw]))
    assert gradient[0] == pytest.approx(approx_fprime([raw], loss)[0], abs=1e-5)
    assert hessian[0] == pytest.approx(max(approx_fprime([raw], slope)[0], 1e-6), abs=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_classifier_learns_and_gives_probabilities(n_classes):
    fractions = [0.8, 0.2] if n_classes == 2 else [0.6, 0.2, 0.2]
    X, y = make_classification(n_samples=2000, n_classes=n_classes, n_informative=6, weights=fractions, random_state=0)
    labels = np.array(["a", "b", "c"])[y]
    booster = LGBMClassifier(n_estimators=40, num_leaves=7, verbose=-1, n_jobs=1, random_state=0)
    model = FocalLossClassifier(booster, gamma=1.0).fit(X[::2], labels[::2])
    proba = model.predict_proba(X[1::2])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert average_precision_score(y[1::2] == 1, proba[:, 1]) > 0.7
    assert model.score(X[1::2], labels[1::2]) > 0.8
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X[:9]), model.predict_proba(X[:9]))


def test_weights_are_repeated_rows():
    X, y = make_classification(n_samples=400, weights=[0.8], random_state=0)
    booster = LGBMClassifier(n_estimators=20, min_child_samples=1, verbose=-1, n_jobs=1, min_child_weight=0)
    booster.set_params(min_data_in_bin=1, min_child_weight=1e-3)
    twice = np.r_[np.arange(400), np.flatnonzero(y)]
    weighted = FocalLossClassifier(booster).fit(X, y, sample_weight=1.0 + y).predict_proba(X)[:, 1]
    repeated = FocalLossClassifier(booster).fit(X[twice], y[twice]).predict_proba(X)[:, 1]
    assert np.corrcoef(weighted, repeated)[0, 1] > 0.99


def test_class_weights_are_weights_of_rows():
    X, y = make_classification(n_samples=400, weights=[0.8], random_state=0)
    labels = np.array(["often", "rare"])[y]
    booster = LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1)
    by_class = FocalLossClassifier(booster, class_weight="effective").fit(X, labels).predict_proba(X)
    weight = np.array([class_balanced_weights(labels)[label] for label in labels])
    by_row = FocalLossClassifier(booster).fit(X, labels, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(by_class, by_row)
    given = FocalLossClassifier(booster, class_weight={"rare": 9.0}).fit(X, labels).predict_proba(X)
    assert given[:, 1].mean() > FocalLossClassifier(booster).fit(X, labels).predict_proba(X)[:, 1].mean()
    with pytest.raises(ValueError, match="class_weight='magic' must be"):
        FocalLossClassifier(booster, class_weight="magic").fit(X, labels)


def test_class_balanced_weights_lie_between_none_and_balanced():
    y = ["often"] * 900 + ["rare"] * 100
    assert class_balanced_weights(y, 0.0) == {"often": 1.0, "rare": 1.0}
    near = class_balanced_weights(y, 1 - 1e-9)
    assert near["rare"] / near["often"] == pytest.approx(9, rel=1e-3)
    between = class_balanced_weights(y)
    assert 1 < between["rare"] / between["often"] < 9
    with pytest.raises(ValueError, match=r"beta=1 must be at least 0 and below 1"):
        class_balanced_weights(y, 1)
