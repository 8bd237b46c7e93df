"""Budget: what stops a search, seconds or trials, whichever comes first."""

import math
import time
from collections.abc import Callable
from typing import Any

from skauto.search._history import View
from skauto.search._trial import Result


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

    def __init__(
        self,
        time_limit: float | None = None,
        n_iter: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.time_limit = time_limit
        self.n_iter = n_iter
        self.clock = clock
        self._started: float | None = None

    def start(self) -> None:
        """Begin to count seconds; a second call changes nothing."""
        if self._started is None:
            self._started = self.clock()

    def elapsed(self) -> float:
        """Seconds since `start`, 0 before it."""
        return 0.0 if self._started is None else self.clock() - self._started

    def remaining(self) -> float:
        """Seconds left, not below 0; infinity without a time limit."""
        return math.inf if self.time_limit is None else max(0.0, self.time_limit - self.elapsed())

    def room(self, history: View) -> int | Any:  # "Any" for infinity, which is no int
        """How many more trials may be started; infinity without `n_iter`."""
        return math.inf if self.n_iter is None else max(0, self.n_iter - len(history))

    def stop(self, history: View) -> str | None:
        """Why the search must end now, or None. Trials that still run are waited for under `n_iter` alone."""
        if self.remaining() <= 0:
            return "time limit"
        if self.room(history) == 0 and not history.pending:
            return "n_iter"
        return None


# Kept free for the refit: the longest fold of a good trial times this, and at most this fraction of the limit.
REFIT_SAFETY, REFIT_FRACTION = 1.5, 0.5


class RefitBudget(Budget):
    """A budget that keeps time for one refit on all rows, as long as the trials so far suggest.

    Parameters
    ----------
    time_limit : float or None
        Seconds from `began`.
    n_iter : int or None
    began : float
        On the clock.
    refits : bool
        Whether there will be a refit.
    clock : callable, default=time.monotonic
    """

    def __init__(
        self,
        time_limit: float | None,
        n_iter: int | None,
        began: float,
        refits: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(time_limit, n_iter, clock)
        self._started = began
        self._refits = refits
        self._best = (0.0, -math.inf)
        self.reserve = 0.0

    def remaining(self) -> float:
        """Seconds that the search may still use."""
        return max(0.0, super().remaining() - self.reserve)

    def learn(self, result: Result, fidelity: float = 1.0, below: float = 0.0) -> None:
        """Reserve what the refit of the best trial so far would take, at the full effort.

        Parameters
        ----------
        result : Result
        fidelity : float, default=1.0
            Of the trial.
        below : float, default=0.0
            Fidelity of the trial that it went on from: that much of the effort was not spent again.
        """
        if not self._refits or self.time_limit is None or math.isnan(result.score):
            return
        if fidelity <= below or (fidelity, result.score) <= self._best:  # no fold was fitted at the same fidelity again
            return
        self._best = (fidelity, result.score)
        longest = max(record["fit_time"] for record in result.details["folds"] if record)
        self.reserve = min(REFIT_SAFETY * longest / (fidelity - below), REFIT_FRACTION * self.time_limit)
