"""Ctrl-C after the search: a first one costs what it falls into, another one ends the fit."""

from collections.abc import Callable
from typing import Any, TypeVar

from skauto.search._sandbox import Report, attempt, describe
from skauto.search._trial import Status

T = TypeVar("T")


class Interrupts:
    """Counts to two.

    Attributes
    ----------
    seen : bool
        Whether Ctrl-C was pressed.
    """

    def __init__(self, seen: bool = False) -> None:
        self.seen = seen

    def note(self, error: KeyboardInterrupt) -> None:
        """A first KeyboardInterrupt is noted, another one raised."""
        if self.seen:
            raise error
        self.seen = True

    def attempt(self, function: Callable[..., Any], *args: Any) -> Report:
        """The report on a function; a first Ctrl-C ends it as an exception would."""
        try:
            return attempt(function, *args)
        except KeyboardInterrupt as error:
            self.note(error)
            return Report(Status.CANCELLED, reason=describe(error))

    def despite(self, function: Callable[..., T], *args: Any) -> T:
        """What a function gives, called anew where a first Ctrl-C ends it."""
        try:
            return function(*args)
        except KeyboardInterrupt as error:
            self.note(error)
        return function(*args)
