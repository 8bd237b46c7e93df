"""plain_names: no character that LightGBM refuses, no name twice, the values untouched."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from skauto.estimators.tables._plain_names import plain_names


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text('ab_1[]{}":, ', max_size=4), unique=True, min_size=1, max_size=8))
def test_names_are_plain_and_apart(names):
    X = pd.DataFrame([range(len(names))], columns=names)
    given = plain_names(X)
    assert len(set(given.columns)) == len(names)
    assert all(name and set(name) <= set("ab_0123456789") for name in given.columns)
    np.testing.assert_array_equal(given.to_numpy(), X.to_numpy())
    assert X.columns.tolist() == names


def test_good_names_stay():
    assert plain_names(pd.DataFrame(columns=["age", "größe", "x1"])).columns.tolist() == ["age", "größe", "x1"]


def test_a_column_without_a_name_gets_one():
    assert plain_names(pd.DataFrame(columns=["_", ""])).columns.tolist() == ["_", "__1"]


def test_arrays_have_no_names():
    X = np.eye(3)
    assert plain_names(X) is X
