"""A task that cannot keep its limit stops by itself."""

import math

import pytest

from skauto.search import _deadline


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands where it is put."""
    now = [0.0]
    monkeypatch.setattr(_deadline.time, "monotonic", lambda: now[0])
    yield now
    _deadline.start(None)


def test_a_task_in_time_goes_on(clock):
    _deadline.start(10)
    clock[0] = 4
    _deadline.check([2, 2], 5)


def test_a_task_that_would_be_late_stops(clock):
    _deadline.start(9)
    clock[0] = 4
    with pytest.raises(TimeoutError, match="would take about 10 s, its limit is 9 s"):
        _deadline.check([2, 2], 5)


def test_a_slow_start_is_not_held_against_a_task(clock):
    _deadline.start(9)
    clock[0] = 6
    _deadline.check([6], 5)
    clock[0] = 6.5
    _deadline.check([6, 0.5], 5)


def test_what_is_left(clock):
    _deadline.start(9)
    clock[0] = 4
    assert _deadline.left() == 5
    _deadline.start(None)
    assert _deadline.left() == math.inf


def test_no_limit(clock):
    _deadline.start(None)
    clock[0] = 1e9
    _deadline.check([1e9, 1e9], 5)
