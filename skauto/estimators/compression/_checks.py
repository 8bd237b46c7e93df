"""Checks of the steps' parameters, with one form of message."""


def check(step, name, allowed, words=None):
    """Raise a ValueError unless a parameter of a step is one of a set, or passes a test described in words."""
    value = getattr(step, name)
    if isinstance(allowed, set):
        good, words = value in allowed, f"one of {sorted(allowed)}"
    else:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and allowed(value)
    if not good:
        raise ValueError(f"{name} of {type(step).__name__} must be {words}, got {value!r}")
