import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skauto.estimators.sequences._sequences import Scaling, center_and_spread, check_sequences, differences
from skauto.inputs._sequences import series_lengths


def seen(X, estimator=None, reset=True):
    return check_sequences(estimator or BaseEstimator(), X, reset=reset)


def test_lists_are_padded():
    X = seen([np.ones((3, 2)), np.zeros((1, 2))])
    assert X.shape == (2, 3, 2)
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
        ([], "empty list: BaseEstimator needs at least one series"),
        ([np.array(["a", "b"]), np.zeros(2)], "series 0 of X must be numbers for BaseEstimator"),
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


def test_a_list_of_arrays_of_equal_lengths_is_one_feature():
    estimator = BaseEstimator()
    assert seen([np.zeros(5), np.ones(5)], estimator).shape == (2, 5, 1)
    assert estimator.n_features_in_ == 1
    assert seen([np.zeros(7), np.ones(7)], estimator, reset=False).shape == (2, 7, 1)
    with pytest.raises(ValueError, match="empty list"):
        seen([], estimator, reset=False)


@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 2)])
def test_what_is_masked_is_missing(shape):
    X = np.ma.masked_greater(np.arange(12.0).reshape(shape), 10)
    assert np.isnan(seen(X)).sum() == 1


def test_digits_survive_a_large_offset():
    X = np.random.default_rng(0).normal(size=(30, 20, 2))
    moved = seen(X + 1e9)
    assert moved.dtype == np.float64
    lengths = series_lengths(X)
    plain, far = (Scaling.learn(x, lengths, "float32")(x) for x in (X, moved))
    np.testing.assert_allclose(far, plain, atol=1e-5)
    np.testing.assert_allclose(differences(X + 1e9), differences(X), atol=1e-5)


def test_constant_features_are_not_blown_up():
    X = np.stack([np.full((50, 40), 0.1), np.full((50, 40), 1e9 + 0.1), np.zeros((50, 40))], axis=2)
    X[0, 0] += np.spacing(X[0, 0])
    center, spread = center_and_spread(X)
    assert spread.tolist() == [0, 0, 0]
    np.testing.assert_allclose(center, X[1, 1])
    scaled = Scaling.learn(X, series_lengths(X), "float64")(X + 1e-3)
    np.testing.assert_allclose(scaled, 1e-3, rtol=1e-3)


def test_a_feature_that_fit_never_saw_is_left_out():
    X = np.random.default_rng(0).normal(size=(5, 8, 3))
    X[:, :, 1] = np.nan
    X[0, 2, 2] = np.nan
    scaling = Scaling.learn(X, series_lengths(X), "float32")
    assert len(scaling) == 4
    later = X.copy()
    later[:, :, 1] = 7
    np.testing.assert_array_equal(scaling(later), scaling(X))
    assert np.isfinite(scaling(X)).all()


def test_numbers_far_beyond_those_of_fit_are_bounded():
    X = np.random.default_rng(0).normal(size=(5, 8, 1))
    scaling = Scaling.learn(X, series_lengths(X), "float32")
    huge = scaling(np.array([[[9.97e36], [-9.97e36]]]))
    assert np.isfinite(np.square(huge)).all()
    assert huge[0, 0, 0] > 0 > huge[0, 1, 0]


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (None, "must be an array .* got None"),
        ({"a": 1}, "got a dict"),
        ("abc", "got 'abc'"),
        ([np.ones((3, 1)), None], "series 1 of X is None"),
        ([np.ones((3, 1)), 2.0], "series 1 of X is 2.0"),
        (np.zeros((3, 4, 1), dtype="datetime64[s]"), "of type datetime64"),
    ],
)
def test_what_is_no_series_is_named(X, said):
    with pytest.raises(ValueError, match=said):
        seen(X)


def test_other_columns_than_in_fit_say_how_series_of_other_lengths_are_given():
    estimator = BaseEstimator()
    seen(np.ones((4, 20)), estimator)
    with pytest.raises(ValueError, match=r"X has 9 features, but .*20 features as input; .*X\[:, :, None\]"):
        seen(np.ones((4, 9)), estimator, reset=False)


def test_names_of_an_earlier_table_are_forgotten():
    estimator = BaseEstimator()
    seen(pd.DataFrame(np.ones((4, 2)), columns=["a", "b"]), estimator)
    assert hasattr(estimator, "feature_names_in_")
    seen(np.ones((4, 5, 2)), estimator)
    assert not hasattr(estimator, "feature_names_in_")
