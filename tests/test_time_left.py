"""Seconds that are left, and how some parts share them."""

import math

import pytest

from skauto._time_left import endless, first_of


def test_without_a_limit_there_is_no_end_for_any_part():
    assert first_of(3, endless)() == first_of(1, endless)() == math.inf


def test_each_part_ends_when_the_others_have_just_their_part():
    now = [0.0]

    def left():
        return 12.0 - now[0]

    first = first_of(3, left)
    assert first() == pytest.approx(4.0)
    now[0] = 1.0
    assert first() == pytest.approx(3.0)
    second = first_of(2, left)  # the first one took less than its part, which the others have now
    assert second() == pytest.approx(5.5)
    now[0] = 13.0
    assert first_of(1, left)() < 0 and second() < 0
