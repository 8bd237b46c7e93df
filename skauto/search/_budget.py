"""Budget: what stops a search, seconds or trials, whichever comes first."""

import math
import time


class Budget:
    """Seconds and trials that a search may use.

    Parameters
    ----------
    time_limit : float, default=None
        Seconds from `start`; None for no limit.
    n_iter : int, default=None
        Number of trials; None for no limit.
    clock : callable, default=time.monotonic
        Gives the time in seconds.

    Examples
    --------
    >>> from skauto.search._budget import Budget
    >>> budget = Budget(time_limit=10, clock=lambda: 100.0)
    >>> budget.start()
    >>> budget.remaining()
    10.0
    """

    def __init__(self, time_limit=None, n_iter=None, clock=time.monotonic):
        self.time_limit = time_limit
        self.n_iter = n_iter
        self.clock = clock
        self._started = None

    def start(self):
        """Begin to count seconds; a second call changes nothing."""
        if self._started is None:
            self._started = self.clock()

    def elapsed(self):
        """Seconds since `start`, 0 before it."""
        return 0.0 if self._started is None else self.clock() - self._started

    def remaining(self):
        """Seconds left, not below 0; infinity without a time limit."""
        return math.inf if self.time_limit is None else max(0.0, self.time_limit - self.elapsed())

    def room(self, history):
        """How many more trials may be asked; infinity without `n_iter`."""
        return math.inf if self.n_iter is None else max(0, self.n_iter - len(history))

    def stop(self, history):
        """Why the search must end now, or None. Trials that still run are waited for under `n_iter` alone."""
        if self.remaining() <= 0:
            return "time limit"
        if self.room(history) == 0 and not history.pending:
            return "n_iter"
        return None
