"""Columns that number the rows of a file sorted by class are told of, others are not."""

import warnings

import numpy as np
import pandas as pd
import pytest

from skauto.inputs._row_numbers import warn_of_row_numbers

N = 300
RNG = np.random.default_rng(0)
Y = (np.arange(N) >= 250).astype(int)
X = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.integers(0, 9, N), "c": RNG.choice(["u", "v"], N)})


@pytest.mark.parametrize(
    "numbers",
    [np.arange(N), np.arange(N)[::-1] * 10, np.arange(N).astype(str), np.arange(N) + 0.0],
    ids=["rising", "falling", "text", "float"],
)
@pytest.mark.parametrize("y", [Y, np.arange(N) // 100], ids=["two classes", "three classes"])
def test_told(numbers, y):
    if numbers.dtype.kind == "U":
        numbers = pd.Series(numbers, dtype=object)
    with pytest.warns(UserWarning, match="column 'id' of X holds running numbers"):
        warn_of_row_numbers(X.assign(id=numbers), y)


def test_rows_may_have_been_shuffled():
    order = RNG.permutation(N)
    with pytest.warns(UserWarning, match="column 3 of X"):
        warn_of_row_numbers(np.column_stack([X[["a", "b", "b"]], np.arange(N)])[order], Y[order])


@pytest.mark.parametrize(
    ("column", "y"),
    [
        (np.arange(N), RNG.integers(0, 2, N)),
        (Y * 100 + RNG.integers(0, 50, N), Y),
        (Y + RNG.normal(0, 0.01, N), Y),
        (np.where(np.arange(N) == 7, np.nan, np.arange(N)), Y),
    ],
    ids=["no order of classes", "a count that tells", "a number that tells", "gaps"],
)
def test_not_told(column, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_row_numbers(X.assign(id=column), y)
