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


def check(done, total):
    """Raise where the task, going on as before, cannot keep its limit.

    Parameters
    ----------
    done, total : int
        Parts of the work done, and all of them.

    Raises
    ------
    TimeoutError
    """
    expected = (time.monotonic() - CURRENT.began) * total / done
    if expected > CURRENT.limit:
        raise TimeoutError(f"would take about {expected:.3g} s, its limit is {CURRENT.limit:.3g} s")
