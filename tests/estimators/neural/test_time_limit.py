import math

import pytest

from skauto.estimators.neural import _time_limit
from skauto.estimators.neural._time_limit import UNLIMITED, Pace, current_limit, limited


@pytest.fixture
def now(monkeypatch):
    """A clock in a list."""
    now = [100.0]
    monkeypatch.setattr(_time_limit.time, "monotonic", lambda: now[0])
    return now


def run(pace, now, seconds):
    """Batches of these seconds until the time is over; the fractions of the schedule at which each began."""
    fractions, number = [], 0
    while pace.done < pace.most and not pace.is_over() if number else True:
        fractions.append(pace.progress())
        now[0] += seconds(number)
        number += 1
        pace.trained(number / pace.steps)
    return fractions


def test_without_a_limit_the_schedule_is_that_of_all_epochs(now):
    fractions = run(Pace(3, math.inf, steps=4, watched=0, done=0), now, lambda i: 1e9)
    assert fractions == [i / 4 / 3 for i in range(12)]


def test_a_limit_that_does_not_bind_changes_nothing(now):
    assert run(Pace(3, 200.0, steps=4, watched=0, done=0), now, lambda i: 1.0) == [i / 4 / 3 for i in range(12)]


@pytest.mark.parametrize("seconds", [lambda i: 1.0, lambda i: 1.0 + 4 * (i == 0), lambda i: 0.5 + (i % 3) / 2])
def test_the_schedule_reaches_its_end_in_time(now, seconds):
    fractions = run(Pace(1000, 130.0, steps=50, watched=0, done=0), now, seconds)
    assert 125 < now[0] <= 130
    assert all(b > a for a, b in zip(fractions, fractions[1:], strict=False))
    assert fractions[-1] > 0.85


def test_a_first_batch_that_takes_long_does_not_end_training(now):
    """A perceptron with half a second for a fold learnt from one batch alone, which took .3 s."""
    fractions = run(Pace(50, 100.5, steps=40, watched=0, done=0), now, lambda i: 0.3 if i == 0 else 0.002)
    assert len(fractions) > 90 and fractions[-1] > 0.9
    assert now[0] <= 100.5
    now[0] = 100.0
    assert len(run(Pace(50, 100.2, steps=40, watched=0, done=0), now, lambda i: 0.3)) == 1


def test_a_machine_that_becomes_slower_or_faster_moves_the_plan(now):
    fractions = run(Pace(1000, 200.0, steps=50, watched=0, done=0), now, lambda i: 1.0 if i < 30 else 3.0)
    assert now[0] <= 200 and fractions[-1] > 0.9
    now[0] = 100.0
    fractions = run(Pace(1000, 200.0, steps=50, watched=0, done=0), now, lambda i: 3.0 if i < 10 else 0.5)
    assert 197 < now[0] <= 200 and fractions[-1] > 0.95


def test_rows_to_watch_are_planned_for(now):
    pace = Pace(10, 112.5, steps=4, watched=4, done=0)
    for number in range(1, 9):
        now[0] += 1.0
        pace.trained(number / 4)
        if number == 4:
            now[0] += 2.0
            pace.watched_all()
    assert pace.is_over()
    assert not pace.watching_is_over()
    now[0] += 2.4
    assert pace.watching_is_over()


def test_the_context_limits_and_gives_up(now):
    assert current_limit() is UNLIMITED
    with limited(101.0, gives_up=True):
        current_limit().check()
        now[0] = 102.0
        with pytest.raises(TimeoutError, match="time is over"):
            current_limit().check()
        with limited(101.0):
            current_limit().check()
    assert current_limit() is UNLIMITED
