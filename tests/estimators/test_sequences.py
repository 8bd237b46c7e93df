import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skauto._array_inputs import series_lengths
from skauto.estimators._sequences import check_sequences


def seen(X, estimator=None, reset=True):
    return check_sequences(estimator or BaseEstimator(), X, reset=reset)


def test_lists_are_padded():
    X = seen([np.ones((3, 2)), np.zeros((1, 2))])
    assert X.shape == (2, 3, 2) and X.dtype == np.float32
    assert np.isnan(X[1, 1:]).all()
    assert series_lengths(X).tolist() == [3, 1]
    assert seen([[1.0, 2.0, 3.0], np.array([4.0])]).shape == (2, 3, 1)
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.ones(4), np.ones((2, 1))]
    assert seen(ragged).shape == (2, 4, 1)


def test_gaps_are_not_padding():
    X = np.array([[1.0, np.nan, 2.0, np.nan]])
    assert series_lengths(seen(X)).tolist() == [3]


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros((2, 3, 4, 5)), "4 axes"),
        (np.zeros((2, 0, 3)), "0 steps"),
        (np.zeros((0, 4, 3)), "0 rows"),
        (np.full((2, 4, 3), np.inf), "infinity, in series 0"),
        (np.stack([np.zeros((4, 3)), np.full((4, 3), np.nan)]), "series 1 .* only NaN"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], "same features"),
        ([np.zeros((0, 2)), np.zeros((0, 2))], "length 0"),
        ([np.zeros((3, 2)), np.zeros((0, 2))], "series 1"),
        ([np.zeros((3, 2, 2)), np.zeros((3, 2, 2, 2))], "series 0 of X has 3 axes"),
    ],
)
def test_bad_input_is_named(X, said):
    with pytest.raises(ValueError, match=said):
        seen(X)


def test_other_features_at_predict():
    estimator = BaseEstimator()
    seen(np.zeros((2, 5, 3)), estimator)
    assert seen(np.zeros((2, 9, 3)), estimator, reset=False).shape == (2, 9, 3)
    with pytest.raises(ValueError, match="X has 2 features, but BaseEstimator was fitted on 3"):
        seen(np.zeros((2, 5, 2)), estimator, reset=False)
    with pytest.raises(ValueError, match="was fitted on 3 features"):
        seen(np.zeros((2, 5)), estimator, reset=False)


def test_two_axes_then_three():
    estimator = BaseEstimator()
    seen(np.zeros((2, 5)), estimator)
    assert estimator.n_features_in_ == 5
    assert seen(np.zeros((2, 7, 1)), estimator, reset=False).shape == (2, 7, 1)
    with pytest.raises(ValueError, match="expecting 5 features"):
        seen(np.zeros((2, 6)), estimator, reset=False)
