"""Objects whose classes or functions have no name that another process could import, pickled with their code."""

import pickle
from typing import Any

import cloudpickle


class ByValue:
    """Holds an object; unpickling gives the object itself."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def __reduce__(self):
        return pickle.loads, (cloudpickle.dumps(self.held),)


def held(value: Any) -> Any:
    """The object itself, out of a holder that was copied rather than pickled."""
    return value.held if isinstance(value, ByValue) else value


def picklable(value: Any) -> Any:
    """A value itself, or held by its code where pickle cannot name a class or function in it."""
    try:
        pickle.dumps(value)
    except (pickle.PicklingError, AttributeError, TypeError):
        return ByValue(value)
    return value
