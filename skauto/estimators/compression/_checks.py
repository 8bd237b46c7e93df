"""Checks of the steps' parameters, with one form of message."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any


def check(step: Any, name: str, allowed: Any, words: str | None = None) -> None:
    """Raise a ValueError unless a parameter is in a set, or a number that passes a test; `words` describe it."""
    value = getattr(step, name)
    if isinstance(allowed, set):
        good, words = isinstance(value, str) and value in allowed, f"one of {sorted(allowed)}"
    else:
        good = isinstance(value, Real) and not isinstance(value, bool) and allowed(value)
    if not good:
        raise ValueError(f"{name} of {type(step).__name__} must be {words}, got {value!r}")


def check_integer(
    step: Any, name: str, low: int, high: int | None = None, *, optional: bool = False, hint: str = ""
) -> None:
    """Raise a ValueError unless a parameter of a step is an integer in a range, or None where it is `optional`."""
    value = getattr(step, name)
    if not (optional and value is None) and not _is_integer(value, low, high):
        words = _range_words(low, high) + hint + (", or None" if optional else "")
        raise ValueError(f"{name} of {type(step).__name__} must be {words}, got {value!r}")


def check_by_layer(step: Any, name: str, good: Callable[[Any], bool], words: str) -> None:
    """Raise a ValueError unless a parameter is None or a dict by layer whose values pass a test."""
    value = getattr(step, name)
    if value is not None and not (isinstance(value, dict) and all(map(good, value.values()))):
        raise ValueError(f"{name} of {type(step).__name__} must be a dict of layer name to {words}, got {value!r}")


def check_training(step: Any, fewest: int = 0) -> None:
    """Check what the steps that train have in common: `epochs` and `lr`."""
    check_integer(step, "epochs", fewest)
    if step.lr is not None:
        check(step, "lr", lambda v: v > 0, "a number above 0, or None")


def is_bits(value: Any) -> bool:
    """Whether a value is a number of bits of a codebook, or None."""
    return value is None or _is_integer(value, 1, 8)


def is_fraction(value: Any) -> bool:
    """Whether a value is a fraction in [0, 1)."""
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < 1


def _is_integer(value, low, high):
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return whole and value >= low and (high is None or value <= high)


def _range_words(low, high):
    return f"an integer of at least {low}" if high is None else f"an integer from {low} to {high}"
