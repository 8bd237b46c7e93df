"""RUSBoostClassifier: learns where imbalanced-learn's gives up, for any number of classes."""

import numpy as np
import pytest
from imblearn.ensemble import RUSBoostClassifier as Upstream
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from skauto.resample import RUSBoostClassifier


@pytest.mark.parametrize("n_classes", [2, 3])
def test_better_than_one_tree(n_classes):
    fractions = [0.9] if n_classes == 2 else [0.7, 0.2]
    X, y = make_classification(
        n_samples=3000, n_classes=n_classes, n_informative=5, weights=fractions, class_sep=0.8, random_state=0
    )
    labels = np.array(["a", "b", "c"])[y]
    tree = DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=0)
    model = RUSBoostClassifier(
        DecisionTreeClassifier(max_depth=3), n_estimators=40, prior_correction=False, random_state=0
    ).fit(X[::2], labels[::2])
    ours = balanced_accuracy_score(labels[1::2], model.predict(X[1::2]))
    assert ours > balanced_accuracy_score(labels[1::2], tree.fit(X[::2], labels[::2]).predict(X[1::2])) + 0.01
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_learns_where_a_balanced_round_is_wrong_on_most_of_the_natural_mass():
    # the one threshold that finds the rare class takes 70 % of the others with it
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [2000, 40])
    X = rng.normal(size=(2040, 1))
    X[y == 0] = np.abs(X[y == 0]) * rng.choice([1, -0.3], (2000, 1), p=[0.45, 0.55])
    X[y == 1] *= 0.3
    with pytest.raises(ValueError, match="worse than random"):
        Upstream(random_state=0).fit(X, y)
    model = RUSBoostClassifier(random_state=0).fit(X, y)
    assert roc_auc_score(y, model.predict_proba(X)[:, 1]) > 0.6


def test_a_class_of_one_row_and_same_seed_same_model():
    X, y = make_classification(n_samples=60, random_state=0)
    y[:] = 0
    y[7] = 1
    first, second = (RUSBoostClassifier(n_estimators=5, random_state=1).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first[7, 1] == first[:, 1].max()


def test_corrected_probabilities_are_rarer():
    X, y = make_classification(n_samples=2000, weights=[0.95], class_sep=0.6, random_state=0)
    corrected = RUSBoostClassifier(n_estimators=10, random_state=0).fit(X, y).predict_proba(X)[:, 1]
    naive = RUSBoostClassifier(n_estimators=10, prior_correction=False, random_state=0).fit(X, y).predict_proba(X)[:, 1]
    assert corrected.mean() < 0.5 * naive.mean()
    assert roc_auc_score(y, corrected) == pytest.approx(roc_auc_score(y, naive))
