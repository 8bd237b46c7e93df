"""Memory limits: what can be written, and what cannot."""

import psutil
import pytest

from skauto.search._memory import memory_bytes


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
