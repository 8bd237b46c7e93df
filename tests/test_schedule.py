"""Refits side by side: when they end, and how much longer some may take."""

import math

from hypothesis import given
from hypothesis import strategies as st

from skauto._schedule import CARE, FACTORS, makespan, stretch

SECONDS = st.lists(st.floats(0.01, 100), min_size=1, max_size=8)


@given(SECONDS, st.integers(1, 4))
def test_no_schedule_is_shorter_than_its_work_or_longer_than_one_worker_takes(seconds, n_workers):
    end = makespan(seconds, n_workers)
    assert max(*seconds, sum(seconds) / n_workers) <= end * (1 + 1e-9)
    assert end <= sum(seconds) * (1 + 1e-9)


@given(SECONDS, st.data(), st.integers(1, 4), st.floats(1, 1_000))
def test_what_may_be_long_fills_the_time_and_no_more(seconds, data, n_workers, left):
    long = data.draw(st.lists(st.booleans(), min_size=len(seconds), max_size=len(seconds)))
    factor = stretch(seconds, long, n_workers, left)

    def end(times):
        return makespan([s * times if may else s for s, may in zip(seconds, long, strict=True)], n_workers)

    assert FACTORS[-1] <= factor <= FACTORS[0]
    if factor > FACTORS[-1]:
        assert end(factor) <= CARE * left
    if factor < FACTORS[0]:
        assert end(factor / 0.95) > CARE * left * (1 - 1e-9)


def test_without_a_limit_all_stays_as_it_is():
    assert stretch([1.0], [True], 1, math.inf) == 1.0
