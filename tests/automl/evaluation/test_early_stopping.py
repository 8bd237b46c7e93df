"""LightGBM in the folds stops by its validation rows; what comes out of a search is a plain LGBMClassifier."""

import numpy as np
import pytest
from imblearn.under_sampling import RandomUnderSampler
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skauto.automl.evaluation._early_stopping import (
    MIN_CLASS_ROWS,
    fit_and_adapt,
    fit_last_step,
    median_iteration,
    predict_at,
    with_rounds,
)
from skauto.resample._priors import PriorCorrectedClassifier
from skauto.resample._resampling_classifier import ResamplingClassifier

pytestmark = pytest.mark.lightgbm


def boosting(**settings):
    from lightgbm import LGBMClassifier

    return LGBMClassifier(**{"n_estimators": 300, "num_leaves": 4, "n_jobs": 1, "verbose": -1, **settings})


def data(n_classes=2, n=300):
    X, y = make_classification(n, 6, n_informative=4, n_redundant=0, n_classes=n_classes, flip_y=0.2, random_state=0)
    return (X[: n // 2], y[: n // 2]), (X[n // 2 :], y[n // 2 :])


def stopped(model, train, valid, weight=None):
    half = None if weight is None else weight
    return fit_last_step(model, *train, half, *valid, half)


WRAPPED = {
    "plain": boosting,
    "weights": lambda: PriorCorrectedClassifier(boosting(class_weight="balanced")),
    # as in the trials of AutoClassifier: a calibrated one holds several models, which stop each for itself
    "sampler": lambda: ResamplingClassifier(boosting(), RandomUnderSampler(random_state=0), prior_correction="bayes"),
}


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "row weights"])
def test_it_stops_through_any_wrapper(wrapped, weighted):
    train, valid = data()
    weight = np.random.default_rng(0).uniform(0.5, 1.5, 150) if weighted else None
    fitted, best_iteration = stopped(WRAPPED[wrapped](), train, valid, weight)
    assert 1 <= best_iteration < 300
    assert predict_at(fitted, valid[0], best_iteration).shape == (150, 2)


def test_many_classes():
    train, valid = data(n_classes=3)
    assert 1 <= stopped(boosting(), train, valid)[1] < 300


def test_a_rare_class_that_is_never_validated():
    """Two classes among the validation rows, three to learn: the loss is still that of three."""
    (X, y), valid = data()
    y = np.where(np.arange(len(y)) < 2, 2, y)
    fitted, best_iteration = stopped(boosting(), (X, y), valid)
    assert 1 <= best_iteration < 300
    assert predict_at(fitted, X, best_iteration).shape == (150, 3)


def test_few_positives_cannot_judge():
    train, (X, y) = data()
    few = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[: MIN_CLASS_ROWS - 1]])
    fitted, best_iteration = stopped(boosting(n_estimators=20), train, (X[few], y[few]))
    assert best_iteration is None
    assert type(fitted).__name__ == "LGBMClassifier"
    np.testing.assert_array_equal(predict_at(fitted, X, None), fitted.predict_proba(X))


def test_a_label_that_was_not_learned_cannot_be_judged():
    train, (X, y) = data()
    y = np.where(np.arange(len(y)) < 20, 2, y)
    assert stopped(boosting(n_estimators=20), train, (X, y))[1] is None


def test_predictions_are_those_of_a_model_with_so_many_rounds():
    train, valid = data()
    fitted, _ = stopped(boosting(), train, valid)
    plain = boosting(n_estimators=7).fit(*train)
    np.testing.assert_allclose(predict_at(fitted, valid[0], 7), plain.predict_proba(valid[0]))


def test_other_classifiers_are_just_fitted():
    train, valid = data()
    fitted, best_iteration = stopped(LogisticRegression(), train, valid)
    assert best_iteration is None
    assert hasattr(fitted, "coef_")


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_rounds_are_set_inside(wrapped):
    plain = with_rounds(WRAPPED[wrapped](), 12)
    assert (plain.estimator if wrapped != "plain" else plain).n_estimators == 12
    assert with_rounds(LogisticRegression(), 12).get_params() == LogisticRegression().get_params()
    assert with_rounds(boosting(), None).n_estimators == 300


def test_what_was_fitted_may_take_more_from_the_rows_held_back():
    seen = []

    def adapt(fitted, *rows):
        seen.append(rows)
        fitted.classes_ = fitted.classes_ + 1

    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    rows = X[:16], y[:16], None, X[16:], y[16:], np.ones(4)
    fitted, best_iteration = fit_and_adapt(adapt, GaussianNB(), *rows)
    assert best_iteration is None and fitted.classes_.tolist() == [1, 2]
    for given, expected in zip(seen[0], rows[3:], strict=True):
        np.testing.assert_array_equal(given, expected)


def test_median_stop():
    assert median_iteration([None, 3, 9, 5]) == 5
    assert median_iteration([None]) is None
