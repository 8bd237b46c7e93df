"""Beside the trials of a timed search: what may have to predict in the end, should no refit be ready in time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._time_left import endless
from skauto.automl.selection._quick import quick_fit, seconds_within
from skauto.inputs._types import Left
from skauto.search._executor_pool import ExecutorPool
from skauto.search._pool import Outcome, Pool
from skauto.search._workers import WorkerPool

# The key of the quick model among the tasks of the pool; trials have numbers.
QUICK = "quick_model"

# The part of the time limit after which the quick model is given up; it should take a small part of it.
QUICK_PART = 0.3


class RescuePool(Pool):
    """A pool for the trials of a search which keeps a quick model and the fold models of the best trial.

    Tasks go to the pool inside as they are. Once the first trial is out a worker fits the quick model. A trial may
    bring its fold models as "bag"; those of the best one are kept, as bytes, and the history sees none.

    Parameters
    ----------
    pool : WorkerPool or ExecutorPool
    labels : ndarray of shape (n_classes,)
        The classes as the user gave them.
    time_limit : float or None
        Of the whole fit; without one there is no quick model, as all trials end.

    Attributes
    ----------
    quick : Pipeline or None
    bag : bytes or None
    bag_of : int or None
        Number of the trial that the bag is of.
    """

    def __init__(
        self,
        pool: WorkerPool | ExecutorPool,
        labels: np.ndarray,
        time_limit: float | None,
    ) -> None:
        self.pool = pool
        self.quick: Pipeline | None = None
        self.bag: bytes | None = None
        self.bag_of: int | None = None
        self._remaining: Left = endless
        self._task: tuple[Any, ...] | None = (
            None
            if time_limit is None
            else (quick_fit, labels, seconds_within(time_limit))
        )
        self._limit = None if time_limit is None else QUICK_PART * time_limit
        self._mark: tuple[float, ...] = ()

    @property
    def n_workers(self) -> int:
        """How many tasks run at once."""
        return self.pool.n_workers

    @property
    def start_seconds(self) -> float:
        """The longest that a worker took until it was ready."""
        return self.pool.start_seconds

    @property
    def slowness(self) -> float:
        """Seconds that pass in a CPU second of a worker."""
        return self.pool.slowness

    @property
    def running(self) -> list[Any]:
        """Keys of the tasks whose outcomes were not given out."""
        return self.pool.running

    @property
    def free(self) -> int:
        """How many more trials can run at once; only one until the quick model is out, which goes behind the first."""
        if self._task is None:
            return self.pool.free
        return 0 if self.pool.running else min(self.pool.free, 1)

    @property
    def remaining(self) -> Left:
        """Gives the seconds until all tasks must have ended, infinity where nothing limits them."""
        return self._remaining

    @remaining.setter
    def remaining(self, left: Left) -> None:
        self._remaining = left
        # On other machines clocks are others.
        if isinstance(self.pool, WorkerPool):
            self.pool.remaining = left

    @property
    def submit(self) -> Callable[..., None]:
        """That of the pool inside."""
        return self.pool.submit

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes of trials that have ended; see `WorkerPool.wait`."""
        if self._task is not None and self.pool.running:
            task, self._task = self._task, None
            self.pool.submit(QUICK, *task, time_limit=self._limit)
            return []  # at once: other workers are free for further trials
        return [
            self._without_bag(outcome)
            for outcome in self.pool.wait(timeout)
            if not self._is_quick(outcome)
        ]

    def cancel(self, key: Any) -> None:
        """End a trial."""
        self.pool.cancel(key)

    def close(self) -> None:
        """Close the pool."""
        self.pool.close()

    def _is_quick(self, outcome: Outcome) -> bool:
        """Whether an outcome is the quick model, which is kept here."""
        if outcome.key != QUICK:
            return False
        self.quick = outcome.value
        return True

    def _without_bag(self, outcome: Outcome) -> Outcome:
        """The outcome of a trial without its fold models: those of the best trial are kept here."""
        value: Any = outcome.value
        bag = getattr(value, "bag", None)
        if bag is None:
            return outcome
        if bag.mark > self._mark:
            self._mark, self.bag = bag.mark, bag.content
            self.bag_of = cast(int, outcome.key)
        return replace(outcome, value=replace(value, bag=None))
