"""Reads memory limits, divides the free memory among the workers, and gives back what was freed."""

import ctypes
import functools
import re
import sys
from collections.abc import Callable

import psutil

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

# The fraction of the free memory that the workers may fill together.
FREE_FRACTION = 0.8


def memory_bytes(limit: int | str | None, n_workers: int) -> int:
    """Bytes of resident memory that a trial may use.

    Parameters
    ----------
    limit : int, str or None
        Bytes, or a number with a unit, such as "4GB"; None divides 80 % of the free memory equally.
    n_workers : int

    Raises
    ------
    ValueError
        If a string cannot be read.

    Examples
    --------
    >>> from skauto.search._memory import memory_bytes
    >>> memory_bytes("1.5GB", n_workers=2)
    1610612736
    """
    if limit is None:
        return int(psutil.virtual_memory().available * FREE_FRACTION / n_workers)
    if not isinstance(limit, str):
        return int(limit)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", limit.upper())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"memory_limit={limit!r} must be bytes or a number with a unit, such as '4GB' or '500MB'")
    return int(float(match[1]) * UNITS[match[2]])


def return_freed() -> None:
    """Give the operating system back what this process has freed.

    The allocator of glibc keeps freed pages for later: a forest leaves some 150 MB behind in each worker. It takes
    a few milliseconds. Other C libraries are left alone.

    Examples
    --------
    >>> from skauto.search._memory import return_freed
    >>> return_freed()
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@functools.cache
def _trim() -> Callable[[int], int] | None:
    """glibc's function, None where the C library is another one."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
