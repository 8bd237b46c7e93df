"""Dimensions and their way to the unit interval and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, poisson, truncnorm

from skauto.search._dimensions import Choice, Continuous, Drawn, Quantile, Whole, same_dimension

UNIT = st.floats(0, 1)


@st.composite
def wholes(draw):
    log = draw(st.booleans())
    low = draw(st.integers(1 if log else -(10**6), 10**6))
    return Whole(low, low + draw(st.integers(0, 10**6)), log)


@st.composite
def continuous(draw):
    log = draw(st.booleans())
    low = draw(st.floats(1e-6 if log else -1e6, 1e6))
    return Continuous(low, low + draw(st.floats(1e-3, 1e6)), log)


def choices():
    return st.integers(1, 50).map(lambda n: Choice([object() for _ in range(n)]))


@given(st.one_of(wholes(), choices()), UNIT)
def test_cells_come_back_exactly(dim, unit):
    value = dim.from_unit(unit)
    assert dim.contains(value)
    assert 0 < dim.to_unit(value) < 1
    assert dim.from_unit(dim.to_unit(value)) == value


@given(continuous(), UNIT)
def test_numbers_come_back_closely(dim, unit):
    value = dim.from_unit(unit)
    assert dim.contains(value)
    assert 0 <= dim.to_unit(value) <= 1
    assert dim.from_unit(dim.to_unit(value)) == pytest.approx(value, rel=1e-6, abs=1e-6 * (dim.high - dim.low))


@given(st.one_of(wholes(), continuous()), UNIT, UNIT)
def test_order_is_kept(dim, one, other):
    low, high = sorted((one, other))
    assert dim.from_unit(low) <= dim.from_unit(high)


def test_log_scales_are_straight():
    assert Continuous(0.01, 100.0, log=True).from_unit(0.5) == pytest.approx(1.0)
    drawn = [Whole(1, 1000, log=True).from_unit(u) for u in np.linspace(0, 1, 1001)]
    assert 20 < np.median(drawn) < 45


def test_a_single_value():
    assert Whole(3, 3).from_unit(0.9) == 3
    assert Continuous(2.0, 2.0).to_unit(2.0) == 0.5


@pytest.mark.parametrize("distribution", [norm(3, 2), truncnorm(-1, 1)])
def test_other_continuous_distributions(distribution):
    dim = Quantile(distribution, discrete=False)
    assert dim.from_unit(0.5) == pytest.approx(distribution.median())
    assert all(math.isfinite(dim.from_unit(unit)) for unit in (0.0, 1.0))
    assert dim.to_unit(dim.from_unit(0.2)) == pytest.approx(0.2)
    assert dim.size == math.inf


def test_other_discrete_distributions():
    dim = Quantile(poisson(4), discrete=True)
    for number in range(12):
        assert dim.from_unit(dim.to_unit(number)) == number
    assert dim.size == math.inf
    assert isinstance(dim.from_unit(0.3), int)


@pytest.mark.parametrize(
    ("values", "ordered"),
    [
        ([1, 2, 5], True),
        ([0.1, 0.01], True),
        (np.logspace(-3, 3, 7), True),
        ([1, 3, 2], False),
        ([1, 1], False),
        ([7], False),
        ([True, False], False),
        ([1, None], False),
        (["a", "b"], False),
    ],
)
def test_numbers_in_order_are_ordered(values, ordered):
    assert Choice(values).ordered is ordered


class Loud:
    """Compares with an error, as arrays in tuples do."""

    def __eq__(self, other):
        raise ValueError("ambiguous")

    __hash__ = None


def test_choices_are_found_by_identity_then_by_equality_of_one_type():
    loud, array = Loud(), np.arange(3)
    dim = Choice([1, True, 1.0, loud, array, (1, 2), {"a": 1}, None])
    given = [1, True, 1.0, loud, array, (1, 2), {"a": 1}, None]
    assert [dim.encode(value) for value in given] == list(range(8))
    for missing in (2, Loud(), np.arange(3), "1"):
        with pytest.raises(ValueError, match="is not among"):
            dim.encode(missing)


@pytest.mark.parametrize(
    ("dim", "wrong"),
    [
        (Whole(1, 9), 10),
        (Whole(1, 9), 2.5),
        (Whole(1, 9), True),
        (Continuous(0.0, 1.0), 1.1),
        (Continuous(0.0, 1.0), math.nan),
        (Continuous(0.0, 1.0), "0.5"),
    ],
)
def test_values_outside_are_refused(dim, wrong):
    with pytest.raises(ValueError, match="is not a number from"):
        dim.encode(wrong)


def test_numbers_are_kept_as_plain_python():
    assert type(Whole(1, 9).encode(np.int64(3))) is int
    assert type(Continuous(0.0, 1.0).encode(np.float32(0.5))) is float


class Dice:
    """Only draws."""

    def rvs(self, random_state):
        return random_state.randint(1, 7)


def test_objects_that_only_draw_are_carried_as_seeds():
    dim = Drawn(Dice())
    seed = dim.draw(0.3)
    assert dim.contains(seed) and not dim.contains(0.5) and not dim.contains(-1)
    assert dim.decode(seed) == dim.decode(seed)
    assert {dim.decode(dim.draw(u)) for u in np.linspace(0, 1, 100)} == {1, 2, 3, 4, 5, 6}
    assert dim.from_unit(dim.to_unit(seed)) == seed
    with pytest.raises(ValueError, match="3 cannot be traced back: .* only draws, list the values instead"):
        dim.encode(3)


def test_same_dimensions():
    dice, normal = Dice(), norm()
    same = [
        (Whole(1, 9), Whole(1, 9)), (Choice(["a", None]), Choice(("a", None))), (Drawn(dice), Drawn(dice)),
        (Quantile(normal, False), Quantile(normal, False)),
    ]  # fmt: skip
    other = [
        (Whole(1, 9), Whole(1, 8)), (Whole(1, 9), Continuous(1.0, 9.0)), (Choice([1, 2]), Choice([1, 2.0])),
        (Drawn(Dice()), Drawn(Dice())), (Continuous(1.0, 9.0), Continuous(1.0, 9.0, log=True)),
    ]  # fmt: skip
    assert all(same_dimension(one, two) for one, two in same)
    assert not any(same_dimension(one, two) for one, two in other)
