"""Dimensions of a space: numbers and listed choices, each with its way to the unit interval and back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

# A count of values that may be infinite. "Any" saves a check where the choices of a list are counted.
Size: TypeAlias = int | Any


@dataclass(frozen=True)
class Choice:
    """One of a list of objects, carried by index and never compared.

    Attributes
    ----------
    values : sequence
        The objects.
    cumulative : ndarray or None
        Cumulative probabilities for sampling; None for equal ones.
    """

    values: Sequence[Any] | np.ndarray
    cumulative: np.ndarray | None = None

    @property
    def size(self) -> int:
        return len(self.values)

    @cached_property
    def ordered(self) -> bool:
        """Whether the choices are numbers in increasing or decreasing order, so that neighbours are alike."""
        if not all(isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) for value in self.values):
            return False
        steps = np.diff(np.asarray([float(value) for value in self.values]))
        return bool(len(steps)) and (bool((steps > 0).all()) or bool((steps < 0).all()))

    def draw(self, uniform: float) -> int:
        """The index that a uniform number in [0, 1) stands for."""
        if self.cumulative is None:
            return self.from_unit(uniform)
        return min(int(np.searchsorted(self.cumulative, uniform, side="right")), self.size - 1)

    def to_unit(self, index: int) -> float:
        """The middle of the index's cell."""
        return (index + 0.5) / self.size

    def from_unit(self, unit: float) -> int:
        return min(int(unit * self.size), self.size - 1)

    def decode(self, index: int) -> Any:
        return self.values[index]

    def encode(self, value: Any) -> int:
        """The index of a value: by identity, else by equality of one type. ValueError if it is not listed."""
        for index, choice in enumerate(self.values):
            if choice is value:
                return index
        for index, choice in enumerate(self.values):
            if _same(choice, value):
                return index
        raise ValueError(f"{value!r} is not among {list(self.values)!r}")

    def contains(self, number: Any) -> bool:
        return isinstance(number, Integral) and 0 <= number < self.size  # type: ignore[operator]  # see `Number`

    def nth(self, digit: int) -> int:
        return digit


def _same(one: object, other: object) -> bool:
    """Equality that survives arrays and takes neither 1 for True nor 1 for 1.0."""
    if type(one) is not type(other):
        return False
    try:
        return bool(one == other)
    except (TypeError, ValueError):
        return False


@dataclass(frozen=True)
class Number:
    """What continuous and integer dimensions share: the value is carried as it is."""

    low: float
    high: float
    log: bool = False

    ordered = True

    if TYPE_CHECKING:  # what each kind of number has

        @property
        def size(self) -> Size: ...

        def to_unit(self, number: Any) -> float: ...

        def from_unit(self, unit: float) -> float: ...

        def encode(self, value: Any) -> float: ...

    def nth(self, digit: int) -> int:
        return int(self.low) + digit

    def draw(self, uniform: float) -> float:
        return self.from_unit(uniform)

    def decode(self, number: Any) -> Any:
        return number

    def contains(self, number: Any) -> bool:
        # The abstract numbers of the standard library are typed without their order.
        return isinstance(number, Real) and self.low <= number <= self.high  # type: ignore[operator]

    def _check(self, value: Any) -> None:
        if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)) or not self.contains(value):
            raise ValueError(f"{value!r} is not a number from {self.low:g} to {self.high:g}")


@dataclass(frozen=True)
class Continuous(Number):
    """A real number between bounds, on a linear or a log scale."""

    size = math.inf

    def to_unit(self, number: float) -> float:
        low, high, value = (math.log(x) if self.log else x for x in (self.low, self.high, number))
        return 0.5 if high == low else min(max((value - low) / (high - low), 0.0), 1.0)

    def from_unit(self, unit: float) -> float:
        if not self.log:
            number = self.low + unit * (self.high - self.low)
        else:
            low, high = math.log(self.low), math.log(self.high)
            number = math.exp(low + unit * (high - low))
        return float(min(max(number, self.low), self.high))

    def encode(self, value: Any) -> float:
        self._check(value)
        return float(value)


@dataclass(frozen=True)
class Whole(Number):
    """An integer between bounds, both included; each has a cell of the unit interval."""

    low: int
    high: int

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def _edges(self) -> tuple[float, float]:
        low, high = self.low - 0.5, self.high + 0.5
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def to_unit(self, number: int) -> float:
        low, high = self._edges()
        return ((math.log(number) if self.log else number) - low) / (high - low)

    def from_unit(self, unit: float) -> int:
        low, high = self._edges()
        position = low + unit * (high - low)
        number = math.floor((math.exp(position) if self.log else position) + 0.5)
        return min(max(number, self.low), self.high)

    def contains(self, number: Any) -> bool:
        return isinstance(number, Integral) and self.low <= number <= self.high  # type: ignore[operator]

    def encode(self, value: Any) -> int:
        self._check(value)
        return int(value)


class Quantile(Number):
    """Any other frozen scipy distribution, through its cdf and ppf."""

    distribution: Any
    discrete: bool

    def __init__(self, distribution: Any, discrete: bool) -> None:
        low, high = (float(bound) for bound in distribution.support())
        super().__init__(low, high)
        object.__setattr__(self, "distribution", distribution)
        object.__setattr__(self, "discrete", discrete)

    @property
    def size(self) -> Size:
        return int(self.high - self.low) + 1 if self.discrete and math.isfinite(self.high - self.low) else math.inf

    def to_unit(self, number: float) -> float:
        unit = self.distribution.cdf(number)
        if self.discrete:
            unit = (unit + self.distribution.cdf(number - 1)) / 2
        return float(unit)

    def from_unit(self, unit: float) -> float:
        # The ends of an unbounded distribution are infinite: stay a little inside.
        number = self.distribution.ppf(min(max(unit, 1e-12), 1 - 1e-12))
        return int(number) if self.discrete else float(number)

    def contains(self, number: Any) -> bool:
        return super().contains(number) and (not self.discrete or isinstance(number, Integral))

    def encode(self, value: Any) -> float:
        self._check(value)
        return int(value) if self.discrete else float(value)


class Drawn(Number):
    """Any object with ``rvs(random_state=)``: a value is carried as the seed it is drawn with.

    Nothing is known of the values, so neighbours are not alike and a value has no way back to its seed.
    """

    ordered = True  # one position on a line, not one column for each of two thousand million choices
    size = math.inf
    distribution: Any

    def __init__(self, distribution: Any) -> None:
        super().__init__(0, 2**31 - 1)
        object.__setattr__(self, "distribution", distribution)

    def to_unit(self, number: int) -> float:
        return number / self.high

    def from_unit(self, unit: float) -> int:
        return round(unit * self.high)

    def decode(self, number: int) -> Any:
        return self.distribution.rvs(random_state=np.random.RandomState(number))

    def contains(self, number: Any) -> bool:
        return isinstance(number, Integral) and super().contains(number)

    def encode(self, value: Any) -> float:
        raise ValueError(f"{value!r} cannot be traced back: {self.distribution!r} only draws, list the values instead")


Dimension: TypeAlias = Choice | Number


def same_dimension(one: Dimension, other: Dimension) -> bool:
    """Whether two dimensions have the same bounds, or the same choices."""
    if type(one) is not type(other) or one.size != other.size:
        return False
    if isinstance(one, Choice):
        return all(a is b or _same(a, b) for a, b in zip(one.values, other.values, strict=True))  # type: ignore[union-attr]
    if isinstance(one, (Drawn, Quantile)):
        return one.distribution is other.distribution  # type: ignore[union-attr]
    return one == other
