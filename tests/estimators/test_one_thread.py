"""One thread for few rows, as many as before for many and afterwards."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skauto.estimators._one_thread import MANY_ROWS, one_thread_for


def threads():
    return {pool["num_threads"] for pool in threadpool_info()}


@pytest.mark.parametrize(("X", "expected"), [(np.zeros((3, 1)), {1}), ([[0]] * 3, {1}), (np.zeros(MANY_ROWS), {2})])
def test_threads_go_by_rows(X, expected):
    with threadpool_limits(2):
        with one_thread_for(X):
            assert threads() == expected
        assert threads() == {2}
