"""The time limit of the task at hand, so that one which cannot keep it can stop by itself and need not be killed."""

import math
import time
from collections.abc import Sequence

# The part of a limit that may be planned with: predictions and scores come after the fits, and the machine may turn out
# slower.
PLANNED = 0.8


class _Deadline:
    """When the task of this process must have ended, and how many parts of it are still to do."""

    def __init__(self) -> None:
        self.began = self.limit = math.inf
        self.parts = 1


CURRENT = _Deadline()


def start(limit: float | None) -> None:
    """A task begins now; `limit` is in seconds, None for no limit."""
    CURRENT.began = time.monotonic()
    CURRENT.limit = math.inf if limit is None else limit
    CURRENT.parts = 1


def end_by(moment: float) -> None:
    """The task must have ended by a moment of the monotonic clock too, however late it began."""
    CURRENT.limit = min(CURRENT.limit, moment - CURRENT.began)


def left() -> float:
    """Seconds until the task must have ended, infinity where nothing limits it."""
    return CURRENT.limit - (time.monotonic() - CURRENT.began)


def divide(parts: int) -> None:
    """The rest of the task is n equal parts, for example the folds that are not fitted yet."""
    CURRENT.parts = parts


def part() -> float:
    """Seconds that the next part may plan with, infinity where nothing limits the task."""
    return max(_left_to_plan() / CURRENT.parts, 0.0)


def allows(seconds: Sequence[float]) -> bool:
    """Whether the task may go on with another part, given the seconds of each part so far.

    The quickest one counts: the first may have imported a package, and the machine may have been busy.
    """
    return not seconds or min(seconds) <= _left_to_plan()


def _left_to_plan() -> float:
    return left() - (1 - PLANNED) * CURRENT.limit if math.isfinite(CURRENT.limit) else math.inf
