"""The life line: a pipe whose writing end this process alone holds, so that what reads it knows of its death."""

import os
import select
import threading

# Ends of pipes that this process holds for as long as it lives; a forked child closes its copies.
_HELD: list[int] = []


class _Lifeline:
    """Made at the first use; a forked child makes one of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: int | None = None
        os.register_at_fork(after_in_child=self._forget)

    def reading_end(self) -> int:
        """The descriptor to hand to processes that must not outlive this one."""
        with self._lock:
            if self._reading is None:
                self._reading, writing = os.pipe()
                _HELD[:] = [self._reading, writing]
            return self._reading

    def _forget(self) -> None:
        """In a forked child, where the lock may be held for ever."""
        self._lock = threading.Lock()
        self._reading = None
        while _HELD:
            os.close(_HELD.pop())


LIFELINE = _Lifeline()


def has_died(lifeline: int, within: float | None = 0.0) -> bool:
    """Whether the process at the other end of a life line dies within so many seconds; None waits for ever.

    Examples
    --------
    >>> from skauto.search._lifeline import LIFELINE, has_died
    >>> has_died(LIFELINE.reading_end())
    False
    """
    poller = select.poll()
    poller.register(lifeline, 0)  # the end of the other side is always told of
    found = poller.poll(None if within is None else 1000 * within)
    return any(event & select.POLLHUP for _, event in found)
