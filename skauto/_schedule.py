"""How refits share the workers, and how much longer networks may train in the time that is left."""

import heapq

# The part of the time that is left which refits may plan with: the machine may be busy, and predictions take time.
CARE = 0.8

# Times as many epochs as in a trial that are considered, most first.
FACTORS = [10 * 0.95**k for k in range(60)]


def makespan(seconds, n_workers):
    """Seconds until all tasks are done, each taken in turn by the next worker that is free.

    Examples
    --------
    >>> from skauto._schedule import makespan
    >>> makespan([3, 3, 1], n_workers=2)
    4.0
    """
    free = [0.0] * n_workers
    for task in seconds:
        heapq.heapreplace(free, free[0] + task)
    return max(free)


def stretch(seconds, long, n_workers, left):
    """The largest factor on the seconds of those tasks that may be long with which all end in time; the least in need.

    Parameters
    ----------
    seconds : list of float
        What each task takes, in the order of submission.
    long : list of bool
        Whether it may take longer.
    n_workers : int
    left : float
        Seconds until all must be done; infinity leaves them as they are.

    Examples
    --------
    >>> from skauto._schedule import stretch
    >>> round(stretch([10, 10, 5], [True, True, False], n_workers=2, left=100), 1)
    7.4
    """
    if left == float("inf"):
        return 1.0
    for factor in FACTORS:
        tasks = [task * factor if may else task for task, may in zip(seconds, long, strict=True)]
        if makespan(tasks, n_workers) <= CARE * left:
            return factor
    return FACTORS[-1]
