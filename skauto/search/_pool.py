"""Pool: what all pools of workers have in common, and the Outcome of a task."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from skauto.search._sandbox import Report, Warned, number_of, shown
from skauto.search._trial import Result, Status


class WorkersLostError(RuntimeError):
    """The workers of a pool are lost for good."""


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes
    ----------
    key : object
        As given to `submit`.
    status : Status
    value : object
        What the function returned, None unless complete.
    reason : str
        One line on what went wrong.
    seconds : float
        Wall time of the task.
    peak_memory : int
        Highest resident bytes seen, of the worker with its children, above those it began with.
    warnings : tuple of Warned
    output : str
        The traceback, or the last that a dead worker printed.
    """

    key: Any
    status: Status
    value: Any = None
    reason: str = ""
    seconds: float = 0.0
    peak_memory: int = 0
    warnings: tuple[Warned, ...] = ()
    output: str = ""

    def as_result(self) -> Result:
        """The Result of the trial with this key.

        Its function has returned a dict with ``"score"``, or an object with a `score`, and `details()`, a dict.
        """
        told = tuple(map(str, self.warnings))
        about = {"peak_memory": self.peak_memory, "warnings": told, "output": self.output}
        if self.status != Status.COMPLETE:
            return Result(self.key, self.status, math.nan, self.seconds, self.reason, about)
        score, details = _parts(self.value)
        number = number_of(score)
        if not math.isfinite(number):
            reason = f"the score is not a finite number: {shown(score)}"
            return Result(self.key, Status.FAILED, math.nan, self.seconds, reason, about)
        return Result(self.key, Status.COMPLETE, number, self.seconds, details=about | details)


def _parts(value: Any) -> tuple[Any, dict[str, Any]]:
    """The score of what a trial returned, and its details; None and nothing where it has none."""
    if hasattr(value, "details"):
        return value.score, value.details()
    if isinstance(value, dict):
        return value.get("score"), {name: part for name, part in value.items() if name != "score"}
    return None, {}


@dataclass
class Task:
    """A task of a WorkerPool."""

    key: Any
    payload: bytes
    time_limit: float | None
    end: float = math.inf  # on the monotonic clock; it must have ended by then, however late it begins
    deep: bool = False  # whether it trains a network
    started: float = 0.0
    peak: int = 0
    crashes: int = 0

    def message(self) -> tuple[bytes, float | None, float]:
        """What its worker is sent."""
        return self.payload, self.time_limit, self.end

    def seconds(self) -> float:
        """Wall time since its start."""
        return time.monotonic() - self.started

    def outcome(self, report: Report, seconds: float | None = None) -> Outcome:
        """Its Outcome, from a Report."""
        seconds = self.seconds() if seconds is None else seconds
        fields = (report.status, report.value, report.reason, seconds, self.peak, report.warnings, report.output)
        return Outcome(self.key, *fields)


class Pool:
    """Runs tasks; searches, and what refits after them, rely on nothing else.

    A subclass has `submit(key, function, *args, time_limit=None)`, `wait(timeout=None)`, which gives Outcomes, and
    `cancel(key)`.

    Attributes
    ----------
    n_workers : int
        How many tasks run at once.
    running : list
        Keys of the tasks submitted whose outcomes were not given out.
    free : int
        How many more tasks can run at once.
    start_seconds : float
        The longest that a worker took until it was ready, as far as is known.
    slowness : float
        Seconds that pass for a worker in one of its CPU seconds, as far as is known: above one on a busy machine.
    """

    if TYPE_CHECKING:  # a subclass has each of these as an attribute or as a property

        @property
        def n_workers(self) -> int: ...

        @property
        def running(self) -> list[Any]: ...

        @property
        def start_seconds(self) -> float: ...

        @property
        def slowness(self) -> float: ...

        def submit(
            self, key: Any, function: Callable[..., Any], *args: Any, time_limit: float | None = None
        ) -> None: ...

        def wait(self, timeout: float | None = None) -> list[Outcome]: ...

        def cancel(self, key: Any) -> None: ...

    else:
        start_seconds, slowness = 0.0, 1.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def free(self) -> int:
        """How many more tasks can run at once."""
        return max(0, self.n_workers - len(self.running))

    def close(self) -> None:
        """End what runs, and remove what was made for it."""
