"""Time limits of training: how much of a schedule fits before the end, judged anew after each batch."""

import contextlib
import math
import statistics
import time
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar

# Batches that say how long one takes, and what one that is only watched costs of one that is trained on.
RECENT, WATCHING_COST = 16, 1 / 3

# The first batch may take this many times as long as the others, since PyTorch makes its buffers and threads for it:
# measured on small networks. Planned by the first batch alone, training would end with it where little time is left.
# One that takes longer than these seconds is slow by itself.
WARM_UP, LONG_BATCH = 10, 0.5


class Limit:
    """When training must end, by time.monotonic, and whether training is then aborted rather than shortened.

    Attributes
    ----------
    shortened : bool
        Whether any training was.
    """

    def __init__(self, end: float = math.inf, *, gives_up: bool = False) -> None:
        self.end, self.gives_up, self.shortened = end, gives_up, False

    def check(self) -> None:
        """Raise a TimeoutError where training must be aborted by now."""
        if self.gives_up and time.monotonic() > self.end:
            raise TimeoutError("its time is over")

    def tell_shortened(self) -> None:
        """Training was shortened, by this limit or one of its own."""
        self.shortened = True


UNLIMITED = Limit()
_LIMIT = ContextVar("limit", default=UNLIMITED)


@contextlib.contextmanager
def limited(end: float, *, gives_up: bool = False) -> "Iterator[Limit]":
    """A context in which all training ends by `end`: shortened, or aborted with a TimeoutError."""
    limit = Limit(end, gives_up=gives_up)
    token = _LIMIT.set(limit)
    try:
        yield limit
    finally:
        _LIMIT.reset(token)


@contextlib.contextmanager
def shortened_to(seconds: float | None) -> Iterator[None]:
    """A context in which all training is shortened to end within these seconds; None changes nothing.

    An outer limit that ends earlier, or that aborts late training, stays in force.
    """
    around, end = current_limit(), math.inf if seconds is None else time.monotonic() + seconds
    if around.gives_up or end >= around.end:
        yield
        return
    with limited(end) as limit:
        yield
    if limit.shortened:
        around.tell_shortened()


def current_limit() -> "Limit":
    """The limit of the context at hand."""
    return _LIMIT.get()


class Pace:
    """The progress of training on its schedule, which is shortened where there is no time for all epochs.

    Parameters
    ----------
    epochs : int
        Length of the schedule.
    end : float
        When training, and the validation after it, must have ended, by time.monotonic.
    steps, watched : int
        Batches of an epoch: those that are trained on, those that are only watched.
    done : int
        Epochs done before.
    """

    def __init__(self, epochs: int, end: float, *, steps: int, watched: int, done: int) -> None:
        self.most, self.end, self.steps, self.watched = epochs, end, steps, watched
        self.done, self.goal = done, epochs
        self._plan_began, self._fraction = 0.0, 0.0  # epochs done then, and the fraction of the schedule
        self._seconds: deque[float] = deque(maxlen=RECENT)
        self._warm_up: float | None = None
        self._watching: float | None = None
        self.go_on()

    def go_on(self) -> None:
        """A batch begins now."""
        self._now = time.monotonic() if self.end < math.inf else 0.0

    def progress(self) -> float:
        """Fraction of the schedule that is done; it never falls."""
        if self.done >= self.goal:
            return max(1.0, self.done / self.goal)
        return self._fraction + (1 - self._fraction) * (self.done - self._plan_began) / (self.goal - self._plan_began)

    def trained(self, done: int) -> None:
        """A batch was trained on; `done` epochs are done with it: plan the rest again."""
        self.done = done
        if self.end == math.inf:
            return
        self._take(self._seconds)
        fitting = self.done + self._steps_left() / self.steps
        if min(fitting, self.goal) < self.most:
            self._plan(min(self.most, fitting))

    def is_over(self) -> bool:
        """Whether another batch would end too late."""
        return self.end < math.inf and not self._steps_left()

    def watching_is_over(self) -> bool:
        """Whether another batch that is only watched would end too late."""
        return self.end < math.inf and time.monotonic() + self._step() * WATCHING_COST > self.end

    def watched_all(self) -> None:
        """The rows to be watched were, and took the time since the last batch."""
        if self.watched and self.end < math.inf:
            self._watching = time.monotonic() - self._now
        self.go_on()

    def _plan(self, goal):
        """Set the number of epochs; the schedule continues from where it would then be, never backwards."""
        self._fraction = max(self.progress(), self.done / goal)
        self._plan_began, self.goal = self.done, goal

    def _take(self, seconds):
        before = self._now
        self.go_on()
        took = self._now - before
        if self._warm_up is None:
            self._warm_up = took  # says little once there are others
        else:
            seconds.append(took)

    def _step(self):
        if self._seconds:
            return statistics.median(self._seconds)
        return self._warm_up if self._warm_up > LONG_BATCH else self._warm_up / WARM_UP

    def _steps_left(self):
        """Batches that fit into what is left, with the validation after each epoch and after a truncated one."""
        step = self._step()
        watching = self.watched * step * WATCHING_COST if self._watching is None else self._watching
        return max(0, int((self.end - self._now - watching) / max(step + watching / self.steps, 1e-9)))
