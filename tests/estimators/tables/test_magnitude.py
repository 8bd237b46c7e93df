"""Numbers beyond a bound become it; all others, and NaN, stay as they are to the bit, and so does the object."""

import numpy as np
import pytest
import scipy.sparse as sp

from skauto.estimators.tables._magnitude import LARGEST, bounded

HUGE = np.array([[1e39, 0.0, -1e308], [np.nan, -0.0, LARGEST]])


def test_what_is_beyond_becomes_the_bound():
    expected = [[LARGEST, 0, -LARGEST], [np.nan, 0, LARGEST]]
    np.testing.assert_array_equal(bounded(HUGE), expected)
    np.testing.assert_array_equal(bounded(sp.csr_matrix(HUGE)).toarray(), expected)
    assert HUGE[0, 0] == 1e39
    assert np.isfinite(bounded(np.array([np.inf, -np.inf]))).all()


@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix], ids=["array", "sparse"])
def test_ordinary_numbers_are_not_even_copied(make):
    for values in (HUGE[:, 1:2], np.full((2, 1), np.nan), np.empty((0, 3))):
        X = make(values)
        assert bounded(X) is X


def test_another_bound():
    assert bounded(np.array([-3.0, 2.0]), bound=2.5).tolist() == [-2.5, 2.0]
