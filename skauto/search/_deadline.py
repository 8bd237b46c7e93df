"""The time limit of the task at hand, so that one which cannot keep it can stop by itself and spare its worker."""

import math
import time


class _Deadline:
    """When the task of this process must have ended."""

    def __init__(self):
        self.began = self.limit = math.inf


CURRENT = _Deadline()


def start(limit):
    """A task begins now; `limit` is in seconds, None for no limit."""
    CURRENT.began = time.monotonic()
    CURRENT.limit = math.inf if limit is None else limit


def left():
    """Seconds until the task must have ended, infinity where nothing limits it."""
    return CURRENT.limit - (time.monotonic() - CURRENT.began)


def check(seconds, total):
    """Raise where the task, going on as before, cannot keep its limit.

    The first part says nothing alone, since it may have imported a package; after that the quickest one counts.

    Parameters
    ----------
    seconds : list of float
        What each part done so far took.
    total : int
        Number of all parts.

    Raises
    ------
    TimeoutError
    """
    if len(seconds) < 2:
        return
    expected = time.monotonic() - CURRENT.began + (total - len(seconds)) * min(seconds)
    if expected > CURRENT.limit:
        raise TimeoutError(f"would take about {expected:.3g} s, its limit is {CURRENT.limit:.3g} s")
