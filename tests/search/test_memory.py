"""Memory limits: what can be written, and what cannot; what was freed is given back."""

import ctypes
import sys

import numpy as np
import psutil
import pytest

from skauto.search._memory import memory_bytes, return_freed


@pytest.mark.parametrize(
    ("given", "expected"),
    [(1000, 1000), ("1000", 1000), ("4GB", 4 << 30), ("4 gb", 4 << 30), ("1.5GiB", 3 << 29), ("500M", 500 << 20),
     ("2tb", 2 << 40), ("64KB", 64 << 10), ("12B", 12)],
)  # fmt: skip
def test_what_can_be_read(given, expected):
    assert memory_bytes(given, n_workers=3) == expected


@pytest.mark.parametrize("wrong", ["", "GB", "four", "4XB", "-1GB", "0", "0GB", "1e9", "4GB each"])
def test_what_cannot(wrong):
    with pytest.raises(ValueError, match="memory_limit=.*such as '4GB'"):
        memory_bytes(wrong, n_workers=1)


def test_none_is_a_fraction_of_what_is_free():
    free = psutil.virtual_memory().available
    assert 0.5 * 0.8 * free < memory_bytes(None, 1) < 1.5 * 0.8 * free
    assert memory_bytes(None, 4) < 0.5 * memory_bytes(None, 1)


HAS_TRIM = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not HAS_TRIM, reason="the C library is not glibc")
def test_what_was_freed_is_given_back():
    return_freed()
    process = psutil.Process()
    before = process.memory_info().rss
    # Each is below the size from which glibc maps memory by itself, and the last one keeps the heap from shrinking.
    parts = [np.ones(8_000) for _ in range(3_000)]
    last = np.ones(8_000)
    filled = process.memory_info().rss
    del parts
    return_freed()
    after = process.memory_info().rss
    assert filled - before > 150e6
    assert after - before < 50e6
    assert last.sum() == 8_000
