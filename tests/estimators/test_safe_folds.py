"""Folds for calibration that take rare classes."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import SVC

from skauto.estimators._safe_folds import SafeFolds

Y = np.repeat(["a", "b", "solo"], [10, 7, 1])


def test_rare_rows_always_learn():
    folds = list(SafeFolds(3, seed=0).split(np.zeros((18, 1)), Y))
    assert len(folds) == SafeFolds(3, seed=0).get_n_splits() == 3
    for train, valid in folds:
        assert 17 in train and 17 not in valid
        assert not set(train) & set(valid)
    assert sorted(np.concatenate([valid for _, valid in folds])) == list(range(17))


@pytest.mark.parametrize(("counts", "n_folds"), [([2, 2], 2), ([2, 1], 2), ([1, 1], 1), ([3, 2], 3)])
def test_fewer_folds_where_no_class_has_as_many_rows(counts, n_folds):
    y = np.repeat(["a", "b"], counts)
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    assert len(list(SafeFolds(3, seed=0).split(X, y))) == SafeFolds(3, seed=0).get_n_splits(X, y) == n_folds
    model = CalibratedClassifierCV(SVC(), cv=SafeFolds(3, seed=0), ensemble=True).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


def test_a_machine_calibrates_with_a_class_of_one_row():
    X = np.random.default_rng(0).normal(size=(18, 2)) + np.repeat([0, 3, 9], [10, 7, 1])[:, None]
    model = CalibratedClassifierCV(SVC(), cv=SafeFolds(3, seed=0), ensemble=True).fit(X, Y)
    proba = model.predict_proba(X)
    assert proba.shape == (18, 3)
    assert np.allclose(proba.sum(axis=1), 1)
