"""Sequences and images at the door: which of them X is, and what is wrong with it."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skauto.inputs._arrays import (
    channel_axis,
    check_images,
    describe,
    is_ragged,
    kind_of,
    read_images,
    read_sequences,
    same_form,
    series_lengths,
)


def ragged_objects():
    X = np.empty(2, dtype=object)
    X[:] = [np.ones((4, 2)), np.ones((2, 2))]
    return X


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (np.zeros((4, 3)), "table"),
        (pd.DataFrame({"a": [1, 2]}), "table"),
        (sp.eye(3, format="csr"), "table"),
        ([[1, 2], [3, 4]], "table"),
        ([["a", 1.0], ["b", 2.0]], "table"),
        ([np.ones(3), np.zeros(3)], "table"),
        (np.array([["a", 1], ["b", 2]], dtype=object), "table"),
        ([[1, 2], [3]], "table"),
        ([], "table"),
        (np.zeros(4), "table"),
        (np.zeros((4, 9, 2)), "sequence"),
        (np.zeros((4, 28, 28), dtype=np.int64), "sequence"),
        (np.zeros((4, 9, 2)).tolist(), "sequence"),
        ([np.ones(3), np.zeros(5)], "sequence"),
        ([np.ones((3, 2)), np.zeros((5, 2))], "sequence"),
        ([np.ones((3, 2)), np.zeros((3, 2))], "sequence"),
        (ragged_objects(), "sequence"),
        (np.zeros((4, 8, 8), dtype=np.uint8), "image"),
        ([np.zeros((8, 8), dtype=np.uint8)] * 3, "image"),
        (np.zeros((4, 8, 8, 3)), "image"),
        (np.zeros((4, 3, 8, 8), dtype=np.uint8), "image"),
    ],
)
def test_what_x_is(X, kind):
    assert kind_of(X) == kind


def test_what_x_is_can_be_said():
    assert kind_of(np.zeros((4, 8, 8)), "image") == "image"
    assert kind_of(np.zeros((4, 8)), "sequence") == "sequence"
    with pytest.raises(ValueError, match="kind='images' must be .* Did you mean 'image'"):
        kind_of(np.zeros((4, 8)), "images")


def test_what_was_taken_is_told():
    assert describe(np.zeros((5, 20, 1)), "sequence") == "X is 5 sequences of up to 20 steps with 1 feature each"
    assert "3 features each; say kind='image'" in describe(np.zeros((5, 20, 3)), "sequence")
    for shape in ((5, 20, 16), (5, 3, 20, 16), (5, 20, 16, 3)):
        assert describe(np.zeros(shape), "image") == "X is 5 images of 20 x 16 pixels"


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


def test_images_are_not_copied():
    X = np.zeros((4, 3, 8, 8), dtype=np.uint8)
    assert read_images(X)[0] is X
    assert read_images(np.zeros((4, 8, 8)))[0].dtype == np.float32


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros((4, 64)), "shape \\(4, 64\\).*reshape rows of pixels"),
        (np.zeros((4, 3, 8, 3)), "both axis 1 and axis 3"),
        (np.zeros((4, 9, 8, 7)), "neither axis 1 nor axis 3"),
        (np.full((4, 8, 8), np.nan), "NaN"),
        (np.zeros((0, 8, 8)), "0 sample"),
    ],
)
def test_faults_of_images(X, said):
    with pytest.raises(ValueError, match=said):
        read_images(X)


def test_rows_of_pixels_are_images_of_an_estimator():
    assert check_images(np.zeros((4, 64))).shape == (4, 64)
    with pytest.raises(ValueError, match="1D array"):
        check_images(np.zeros(4))


def test_where_the_channels_are():
    assert (channel_axis((5, 3, 20, 16)), channel_axis((5, 20, 16, 4))) == ("first", "last")
    with pytest.raises(ValueError, match='say channels="first"'):
        channel_axis((5, 3, 20, 3))


def test_predict_wants_the_form_of_fit():
    same_form(np.zeros((2, 30, 3)), (9, 20, 3), "sequence")
    same_form(np.zeros((2, 8, 8)), (9, 8, 8), "image")
    with pytest.raises(ValueError, match="2 features a step, but AutoClassifier was fitted on 3"):
        same_form(np.zeros((2, 20, 2)), (9, 20, 3), "sequence")
    with pytest.raises(ValueError, match=r"shape \(8, 9\), but AutoClassifier was fitted on \(n, 8, 8\)"):
        same_form(np.zeros((2, 8, 9)), (9, 8, 8), "image")
