"""Forests in small files: the same numbers as scikit-learn's, before and after they are stored."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from skauto.estimators._forests import CompactExtraTreesClassifier, CompactRandomForestClassifier

X, Y = make_classification(600, 12, n_informative=6, n_classes=3, flip_y=0.1, random_state=0)
X[::5, 2] = np.nan
PAIRS = [(RandomForestClassifier, CompactRandomForestClassifier), (ExtraTreesClassifier, CompactExtraTreesClassifier)]
CASES = [
    {"criterion": "gini"},
    {"criterion": "entropy", "min_samples_leaf": 3},
    {"max_depth": 3, "bootstrap": True, "max_samples": 0.4},
    {"class_weight": "balanced", "max_features": 1.0},
    {"n_estimators": 1},
]


def fitted(kinds, labels=Y, **settings):
    settings = {"n_estimators": 15, "random_state": 0, **settings}
    return [kind(**settings).fit(X, labels) for kind in kinds]


def stored(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("settings", CASES)
def test_probabilities_are_those_of_scikit_learn(kinds, settings):
    theirs, ours = fitted(kinds, **settings)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    np.testing.assert_allclose(stored(ours).predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(stored(ours).predict(X), theirs.predict(X))


@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("settings", CASES)
def test_a_stored_tree_has_all_that_it_had(kinds, settings):
    theirs, ours = fitted(kinds, **settings)
    for before, after in zip(theirs.estimators_, stored(ours).estimators_, strict=True):
        for name in ("children_left", "children_right", "feature", "n_node_samples", "missing_go_to_left"):
            np.testing.assert_array_equal(getattr(after.tree_, name), getattr(before.tree_, name))
        for name in ("threshold", "value", "impurity", "weighted_n_node_samples"):
            np.testing.assert_allclose(getattr(after.tree_, name), getattr(before.tree_, name), rtol=1e-5, atol=1e-6)
        assert after.tree_.max_depth == before.tree_.max_depth
        assert after.random_state == before.random_state
        np.testing.assert_array_equal(after.apply(X), before.apply(X))
    np.testing.assert_allclose(stored(ours).feature_importances_, theirs.feature_importances_, atol=1e-5)


def test_rows_on_a_threshold_stay_on_their_side():
    rows = np.array([[0.1], [0.3], [0.7], [0.9]], dtype=np.float32)
    forest = CompactExtraTreesClassifier(50, random_state=0).fit(rows, [0, 1, 0, 1])
    cells = np.concatenate([tree.tree_.threshold[tree.tree_.feature >= 0] for tree in forest.estimators_])
    edges = np.concatenate([np.nextafter(cells.astype(np.float32), np.float32(side)) for side in (-9, 9)])
    edges = np.concatenate([edges, cells.astype(np.float32)])[:, np.newaxis]
    np.testing.assert_allclose(stored(forest).predict_proba(edges), forest.predict_proba(edges), atol=1e-7)


def test_a_file_is_a_tenth_as_large():
    theirs, ours = fitted(PAIRS[1])
    assert len(pickle.dumps(ours)) * 10 < len(pickle.dumps(theirs))


@pytest.mark.parametrize("labels", [np.array(["a", "b", "c"])[Y], np.column_stack([Y, Y > 0])])
def test_other_labels(labels):
    theirs, ours = fitted(PAIRS[0], labels)
    np.testing.assert_array_equal(stored(ours).predict(X), theirs.predict(X))


@pytest.mark.parametrize("settings", [{"max_leaf_nodes": 8}, {"n_jobs": 2}, {"monotonic_cst": [1] + [0] * 11}])
def test_what_has_no_small_form_is_stored_as_it_is(settings):
    theirs, ours = fitted(PAIRS[0], Y > 0, **settings)
    np.testing.assert_allclose(stored(ours).predict_proba(X), theirs.predict_proba(X), atol=1e-6)


def test_an_unfitted_forest_and_a_clone():
    forest = CompactRandomForestClassifier(7, min_samples_leaf=2)
    assert clone(stored(forest)).get_params() == RandomForestClassifier(7, min_samples_leaf=2).get_params()


def test_trees_may_be_added_to_a_stored_forest():
    ours = stored(fitted(PAIRS[0])[1])
    assert len(ours.set_params(warm_start=True, n_estimators=20).fit(X, Y).estimators_) == 20


def test_joblib_finds_the_same_forest_twice(tmp_path):
    ours = fitted(PAIRS[0])[1]
    joblib.dump([ours, ours], tmp_path / "forests")
    first, second = joblib.load(tmp_path / "forests")
    assert first is second


@pytest.mark.parametrize("kinds", PAIRS)
def test_a_forest_that_is_held_packed_answers_once_it_is_read_again(kinds):
    theirs, ours = fitted(kinds)
    size = len(pickle.dumps(ours))
    ours.hold_packed()
    assert not isinstance(ours.estimators_, list)
    assert len(pickle.dumps(ours)) == size
    np.testing.assert_allclose(stored(ours).predict_proba(X), theirs.predict_proba(X), atol=1e-6)


def test_what_has_no_small_form_is_held_as_it_is():
    forest = CompactRandomForestClassifier(3, random_state=0).fit(X, np.column_stack([Y, Y % 2]))
    forest.hold_packed()
    assert len(forest.estimators_) == 3
