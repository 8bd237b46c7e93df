"""Read constraints: the checked bounds of what a winner may cost."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from skauto.automl.evaluation._constraints import UNBOUND, Constraints, OwnMeasure

MOST = {"bytes": "bytes", "latency_ms": "milliseconds"}

FORM = "bytes and latency_ms take a number, the most allowed; another name takes (callable, least allowed)"


def read_constraints(constraints: Mapping[str, Any] | None) -> "Constraints":
    """The checked bounds; without any, those that everything meets.

    Raises
    ------
    ValueError
        For a name without a measure, and for a bound that is none.
    """
    if constraints is None:
        return UNBOUND
    if not constraints:
        raise ValueError(
            f"constraints={constraints!r} bounds nothing: leave it None, or name a bound. {FORM}"
        )
    most: dict[str, float] = {}
    least: dict[str, OwnMeasure] = {}
    for name, value in constraints.items():
        if name in MOST:
            most[name] = _upper_bound(name, value)
        else:
            least[name] = _own_measure(name, value)
    return Constraints(most, least)


def _upper_bound(name: str, value: Any) -> float:
    """The most of a measure that is known here."""
    bound = _number(name, value, value)
    if bound <= 0:
        raise ValueError(f"constraints[{name!r}]={value!r} must be above 0")
    return bound


def _own_measure(name: str, value: Any) -> OwnMeasure:
    """A pair of a measure of the user and its least value."""
    is_pair = isinstance(value, tuple | list) and len(value) == 2
    measure, least = value if is_pair else (None, None)
    if not callable(measure):
        raise ValueError(f"constraints[{name!r}]={value!r} cannot be used; {FORM}")
    return measure, _number(name, value, least)


def _number(name: str, value: Any, bound: Any) -> float:
    """The bound, if it is a finite number."""
    is_number = isinstance(bound, Real) and not isinstance(bound, bool)
    if not is_number or not np.isfinite(bound):
        raise ValueError(f"constraints[{name!r}]={value!r} cannot be used; {FORM}")
    return bound
