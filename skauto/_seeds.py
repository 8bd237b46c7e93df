"""Child seeds from one random_state: the same answer on any number of workers."""

from typing import Any

import numpy as np
from sklearn.base import clone


def root_seed(random_state: int | np.integer | np.random.RandomState | np.random.Generator | None) -> int:
    """An integer seed from None, an integer, a RandomState or a Generator.

    A RandomState or Generator is drawn from once, None gives fresh entropy.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**32))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**32, dtype=np.uint64))
    return int(random_state)


def child_seed(seed: int, *path: int | str) -> int:
    """A 31-bit seed for one use, named by integers or short strings.

    Examples
    --------
    >>> from skauto._seeds import child_seed
    >>> child_seed(0, "trial", 3) == child_seed(0, "trial", 3)
    True
    >>> child_seed(0, "trial", 3) == child_seed(0, "trial", 4)
    False
    """
    return int(_sequence(seed, path).generate_state(1)[0] >> 1)


def child_rng(seed: int, *path: int | str) -> np.random.Generator:
    """A numpy Generator for one use; see child_seed."""
    return np.random.default_rng(_sequence(seed, path))


def seeded_clone(estimator: Any, seed: int) -> Any:
    """An unfitted copy whose every random_state, of nested estimators too, is the seed."""
    model = clone(estimator)
    names = [name for name in model.get_params() if name.split("__")[-1] == "random_state"]
    return model.set_params(**dict.fromkeys(names, seed))


def seeded_where_open(estimator: Any, seed: int) -> Any:
    """An unfitted copy whose every random_state that is None, of nested estimators too, is the seed."""
    model = clone(estimator)
    params = model.get_params()
    names = [name for name, value in params.items() if name.split("__")[-1] == "random_state" and value is None]
    return model.set_params(**dict.fromkeys(names, seed))


def _sequence(seed, path):
    words = [int.from_bytes(str(part).encode(), "little") for part in path]
    return np.random.SeedSequence(entropy=seed, spawn_key=tuple(_words32(words)))


def _words32(numbers):
    """Each number as its length in 32-bit words, then the words: distinct paths stay distinct."""
    for number in numbers:
        words = []
        while True:
            words.append(number & 0xFFFFFFFF)
            number >>= 32
            if not number:
                break
        yield len(words)
        yield from words
