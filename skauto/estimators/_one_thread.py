"""One thread for few rows: beside other processes threads that wait for each other cost more than all of the work."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

# Rows from which more threads pay: trees of boosting take some 50 ms for fewer, and beside a busy process on two cores
# seconds, as each of some hundred rounds waits for a thread that is not running.
MANY_ROWS = 50_000


@contextmanager
def one_thread_for(X: Any) -> Iterator[None]:
    """A context in which OpenMP and BLAS use one thread, unless X has many rows.

    Examples
    --------
    >>> import numpy as np
    >>> from threadpoolctl import threadpool_info
    >>> from skauto.estimators._one_thread import one_thread_for
    >>> with one_thread_for(np.zeros((5, 2))):
    ...     {pool["num_threads"] for pool in threadpool_info()}
    {1}
    """
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows >= MANY_ROWS:
        yield
        return
    with _controller().limit(limits=1):
        yield


@functools.cache
def _controller() -> ThreadpoolController:
    """The pools of threads that are loaded now: to look for them takes as long as some models."""
    return ThreadpoolController()
