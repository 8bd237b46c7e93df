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
    assert _deadline.allows([])
    clock[0] = 4
    assert _deadline.allows([2, 2])


def test_a_task_that_would_be_late_does_not(clock):
    _deadline.start(9)
    clock[0] = 7
    assert not _deadline.allows([2, 2])


def test_a_slow_start_is_not_held_against_a_task(clock):
    _deadline.start(9)
    clock[0] = 6.5
    assert _deadline.allows([6, 0.5])


def test_what_is_left_is_divided_among_the_parts_to_come(clock):
    _deadline.start(10)
    _deadline.divide(4)
    clock[0] = 2
    assert _deadline.part() == pytest.approx((10 * _deadline.PLANNED - 2) / 4)
    clock[0] = 12
    assert _deadline.part() == 0


def test_what_is_left(clock):
    _deadline.start(9)
    clock[0] = 4
    assert _deadline.left() == 5
    _deadline.start(None)
    assert _deadline.left() == math.inf


def test_a_task_that_waited_for_its_worker_has_less(clock):
    clock[0] = 5
    _deadline.start(9)
    _deadline.end_by(11)
    assert _deadline.left() == 6
    _deadline.end_by(100)
    assert _deadline.left() == 6


def test_no_limit(clock):
    _deadline.start(None)
    clock[0] = 1e9
    assert _deadline.allows([1e9, 1e9])
    assert _deadline.part() == math.inf
