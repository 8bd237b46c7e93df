"""How many cores there are, and what n_jobs means."""

import os


def count_workers(n_jobs):
    """Worker processes that n_jobs means: None is one, negative numbers count back from the cores.

    Raises
    ------
    ValueError
        If it is 0.
    """
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise ValueError("n_jobs=0 has no meaning; it must be None, a positive number, or negative to count back")
    return n_jobs if n_jobs > 0 else max(cores() + 1 + n_jobs, 1)


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
