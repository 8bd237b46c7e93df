"""SequentialPool: runs tasks one after another in this process, for what needs no killing."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from skauto.search._pool import Outcome, Pool
from skauto.search._sandbox import attempt


class SequentialPool(Pool):
    """What `WorkerPool` is, without workers: each task runs inside `wait`, in the caller's process.

    No limit can be held here and a crash ends the process, as in scikit-learn's own searches with ``n_jobs=None``.

    Parameters
    ----------
    context : object, default=None
        Handed to every task first.

    Examples
    --------
    >>> from skauto.search._sequential import SequentialPool
    >>> with SequentialPool(context=10) as pool:
    ...     pool.submit("a", lambda context, x: context + x, 5)
    ...     [outcome.value for outcome in pool.wait()]
    [15]
    """

    n_workers = 1

    def __init__(self, context: Any = None) -> None:
        self.context = context
        self._queue: deque[tuple[Any, Callable[..., Any], tuple[Any, ...]]] = deque()

    @property
    def running(self) -> list[Any]:
        """Keys of the tasks submitted whose outcomes were not given out, a list."""
        return [key for key, _, _ in self._queue]

    def submit(self, key: Any, function: Callable[..., Any], *args: Any, time_limit: float | None = None) -> None:
        """Run ``function(context, *args)`` at the next `wait`.

        Raises
        ------
        ValueError
            With a time limit, since nothing could end the task.
        """
        if time_limit is not None:
            raise ValueError(f"time_limit={time_limit!r} needs worker processes; this pool must have None")
        self._queue.append((key, function, args))

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """The outcome of one task, run now; empty without a task. It ends when it ends, whatever `timeout` says."""
        if not self._queue:
            return []
        key, function, args = self._queue.popleft()
        start = time.perf_counter()
        report = attempt(function, self.context, *args)
        seconds = time.perf_counter() - start
        return [Outcome(key, report.status, report.value, report.reason, seconds, output=report.output)]

    def cancel(self, key: Any) -> None:
        """Forget a task that has not run."""
        self._queue = deque(task for task in self._queue if task[0] != key)

    def close(self) -> None:
        """Forget all tasks."""
        self._queue.clear()
