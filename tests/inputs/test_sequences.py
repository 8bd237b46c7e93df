"""Sequences at the door: read as one array, and what is wrong with them."""

import numpy as np
import pandas as pd
import pytest

from skauto.inputs._sequences import describe_sequences, is_ragged, read_sequences, same_steps, series_lengths


def test_sequences_are_padded():
    X, names = read_sequences([np.ones((3, 2)), np.zeros((1, 2))])
    assert X.shape == (2, 3, 2) and names is None
    assert series_lengths(X).tolist() == [3, 1]
    assert read_sequences(np.zeros((4, 7), dtype=int))[0].shape == (4, 7, 1)


@pytest.mark.parametrize(
    ("given", "read"),
    [("f4", "f4"), ("f2", "f4"), ("u1", "f4"), ("?", "f4"), ("f8", "f8"), ("i8", "f8"), ("O", "f8")],
)
def test_numbers_are_read_as_they_are(given, read):
    X = np.zeros((4, 7, 2), dtype=given)
    assert read_sequences(X)[0].dtype == read
    assert read_sequences([X[0], X[1, :3]])[0].dtype == read


def test_what_is_masked_is_missing():
    X = np.ma.masked_equal(np.arange(1, 25).reshape(2, 6, 2), 9)
    for given in (X, [X[0], X[1]]):
        read = read_sequences(given)[0]
        assert np.isnan(read[0, 4, 0]) and np.isnan(read).sum() == 1


def test_a_list_of_arrays_is_a_list_of_series():
    assert is_ragged([np.zeros(5), np.zeros(5)]) and is_ragged((pd.Series(np.zeros(5), index=range(1, 6)),))
    assert not is_ragged([[0.0] * 5, [0.0] * 5])


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros((2, 3, 4, 5)), "4 axes; AutoClassifier takes"),
        (np.zeros((2, 0, 3)), "0 steps"),
        (np.zeros((2, 4, 3)) + np.inf, "infinity, in series 0"),
        (np.full((2, 4, 3), np.nan), "series 0 .* only NaN"),
        (np.full((2, 4, 3), "x"), "must be numbers for AutoClassifier"),
        (np.zeros((2, 4, 3), dtype=complex), "Complex data"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], "same features"),
        ([np.zeros(3), np.array(["x", "y"])], "series 1 of X must be numbers for AutoClassifier: .*'x'"),
        ([], "empty list: AutoClassifier needs at least one series"),
        (np.full((2, 4, 3), 1e39), "in series 0, or a number too large for float32"),
    ],
)
def test_faults_of_sequences(X, said):
    with pytest.raises(ValueError, match=said):
        read_sequences(X)


def test_what_was_taken_is_told():
    assert describe_sequences(np.zeros((5, 20, 1))) == "X is 5 sequences of up to 20 steps with 1 feature each"
    assert "3 features each; say kind='image'" in describe_sequences(np.zeros((5, 20, 3)))


def test_predict_wants_the_features_of_fit():
    same_steps(np.zeros((2, 30, 3)), (9, 20, 3))
    with pytest.raises(ValueError, match="2 features a step, but AutoClassifier was fitted on 3"):
        same_steps(np.zeros((2, 20, 2)), (9, 20, 3))
