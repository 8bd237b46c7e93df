"""Codes and texts of a column: the same cell has the same text whatever the dtype of its column."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from skauto.estimators.tables._table_labels import take, to_labels, to_numbers


def cells(series):
    """The text of each row, None where missing."""
    codes, texts = to_labels(series)
    assert len(set(texts)) == len(texts)
    return [None if code < 0 else texts[code] for code in codes]


@pytest.mark.parametrize(
    "series",
    [
        pd.Series(["b", "a", None, "b"]),
        pd.Series(["b", "a", None, "b"], dtype=object),
        pd.Series(["b", "a", np.nan, "b"], dtype="category"),
        pd.Series(["b", "a", "?", "b"]),
        pd.Series(["b", "a", "", "b"], dtype="category"),
        pd.Series([b"b", b"a", None, b"b"], dtype=object),
    ],
)
def test_one_text_for_one_cell(series):
    assert cells(series) == ["b", "a", None, "b"]


@pytest.mark.parametrize("text", ["", "?", "NA", "#N/A", "#NA", "nan", "-nan", "NULL", "1.#QNAN"])
def test_texts_that_stand_for_a_missing_cell(text):
    assert cells(pd.Series(["a", text])) == ["a", None]


def test_none_is_a_word():
    assert cells(pd.Series(["a", "None"])) == ["a", "None"]


def test_whole_numbers_have_one_text_in_every_dtype():
    expected = ["1", "0", None]
    for series in (
        pd.Series([1, 0, None], dtype="Int64"),
        pd.Series([1.0, 0.0, None]),
        pd.Series(["1", "0", None]),
        pd.Series([True, False, None], dtype=object),
        pd.Series([1.0, 0.0, None], dtype="category"),
    ):
        assert cells(series) == expected


def test_different_values_with_one_text_are_merged():
    assert cells(pd.Series([1, "1", 2.0, "2", None], dtype=object)) == ["1", "1", "2", "2", None]


def test_cells_that_cannot_be_hashed():
    assert cells(pd.Series([[1], {"a": 2}, None, [1]])) == ["[1]", "{'a': 2}", None, "[1]"]


def test_lists_of_arrow():
    pa = pytest.importorskip("pyarrow")
    codes, texts = to_labels(pd.Series([[1], None, [1]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))))
    assert codes.tolist() == [0, -1, 0]
    assert len(texts) == 1


def test_no_cells_at_all():
    codes, texts = to_labels(pd.Series([None, None], dtype=object))
    assert codes.tolist() == [-1, -1]
    assert len(texts) == 0


def test_texts_as_numbers():
    texts = np.array(["1", " 2.5 ", "1e3", "True", "false", "inf", "x", "12 km"], dtype=object)
    np.testing.assert_array_equal(to_numbers(texts), [1, 2.5, 1000, 1, 0, np.nan, np.nan, np.nan])
    assert len(to_numbers(np.array([], dtype=object))) == 0


def test_other_objects_show_as_python_prints_them():
    series = pd.Series([datetime.date(2024, 1, 5), decimal.Decimal("1.50")], dtype=object)
    assert cells(series) == ["2024-01-05", "1.50"]


def test_taking_by_code_leaves_holes():
    np.testing.assert_array_equal(take(np.array([5.0, 7.0]), np.array([1, -1, 0])), [7, np.nan, 5])
    assert take(np.ones((2, 3)), np.array([-1, 0])).shape == (2, 3)
