"""Seconds that are left of a limit, as a function that a long computation asks on its way."""

import math
from collections.abc import Callable


def endless() -> float:
    """Seconds that are left where nothing limits them."""
    return math.inf


def first_of(parts: int, left: Callable[[], float]) -> Callable[[], float]:
    """The seconds left for the first of some parts alike, given those that are left for all of them.

    Examples
    --------
    >>> from skauto._time_left import first_of
    >>> first_of(4, lambda: 12.0)()
    3.0
    """
    others = left() * (parts - 1) / parts if parts > 1 else 0.0
    return (lambda: left() - others) if math.isfinite(others) else left
