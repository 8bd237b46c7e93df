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
    return part_of(1 / parts, left)


def part_of(fraction: float, left: Callable[[], float]) -> Callable[[], float]:
    """A fraction of the seconds that are left now.

    Examples
    --------
    >>> from skauto._time_left import part_of
    >>> part_of(0.75, lambda: 12.0)()
    9.0
    """
    others = left() * (1 - fraction) if fraction < 1 else 0.0
    return (lambda: left() - others) if math.isfinite(others) else left
