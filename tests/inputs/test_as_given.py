"""A checked table gets back the form in which it came."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skauto.inputs._as_given import as_given
from skauto.inputs._read import as_table

NUMBERS = np.arange(12.0).reshape(6, 2)
FORMS = {
    "float32": NUMBERS.astype(np.float32),
    "integers": NUMBERS.astype(np.int64),
    "booleans": NUMBERS > 5,
    "objects": np.array([["a", 1.5], ["b", 2.0], [np.nan, 1.0]], dtype=object),
    "texts": np.array([["a", "b"], ["c", "d"]]),
    "numbered columns": pd.DataFrame(NUMBERS),
    "columns of numbers": pd.DataFrame(NUMBERS, columns=[7, 9]),
    "csc": sp.csc_matrix(NUMBERS),
    "csr of float32": sp.csr_matrix(NUMBERS.astype(np.float32)),
}
SAME = {
    "float64": NUMBERS,
    "a frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
    "csr": sp.csr_matrix(NUMBERS),
    "lists": NUMBERS.tolist(),
}


def assert_same(X, given):
    assert type(X) is type(given) or sp.issparse(given)
    if isinstance(given, pd.DataFrame):
        pd.testing.assert_frame_equal(X, given)
    elif sp.issparse(given):
        assert (X.format, X.dtype) == (given.format, given.dtype)
        np.testing.assert_array_equal(X.toarray(), given.toarray())
    else:
        assert X.dtype == given.dtype
        pd.testing.assert_frame_equal(pd.DataFrame(X), pd.DataFrame(given))


@pytest.mark.parametrize("form", FORMS)
def test_it_comes_back(form):
    given = FORMS[form]
    table, _ = as_table(given)
    step = clone(as_given(given, table))
    assert_same(step.fit_transform(table), given)
    assert_same(step.transform(given), given)  # a pipeline that is asked by itself gets X as it is


@pytest.mark.parametrize("form", SAME)
def test_what_has_its_form_already_needs_no_step(form):
    table, _ = as_table(SAME[form])
    assert as_given(SAME[form], table) is None


def test_later_rows_that_integers_cannot_hold_stay_as_they_are():
    given = NUMBERS.astype(np.int64)
    step = as_given(given, as_table(given)[0])
    later = np.array([[0.5, np.nan]])
    np.testing.assert_array_equal(step.transform(later), later)
