"""Fitted first steps of a fold, kept for later trials: what a Pipeline takes for its `memory`."""

import copy
import functools
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable
from typing import Any

import joblib
import numpy as np

from skauto.search._sandbox import attempt
from skauto.search._types import Estimator

# Kept in each process, in bytes; the longest unused goes first.
CACHE_BYTES = 1 << 28


class PrefixCache:
    """A memory for scikit-learn's and imbalanced-learn's Pipelines that knows which fold is being fitted.

    A step is recognised by its class and parameters and by those of all steps before it, so equal beginnings of two
    pipelines are fitted once a fold. What was kept is handed out as a copy: later steps may work in place.

    Parameters
    ----------
    max_bytes : int, default=CACHE_BYTES
    n_folds : int, default=1
        What is larger than a fold's part of the bytes is not kept: the folds would push each other out.

    Attributes
    ----------
    hits, misses : int
    """

    def __init__(self, max_bytes: int = CACHE_BYTES, n_folds: int = 1) -> None:
        self.max_bytes = max_bytes
        self.n_folds = n_folds
        self.hits = self.misses = 0
        self._kept: OrderedDict[tuple[Any, ...], tuple[tuple[Any, ...], int]] = OrderedDict()
        self._chain: tuple[Any, ...] = ()

    def begin(self, *where: Any) -> None:
        """A fit begins on the rows that `where` names."""
        self._chain = where

    def cache(self, function: Callable[..., Any], ignore: Container[str] = ()) -> Callable[..., Any]:
        """The function with a memory; called as ``function(step, X, y, ...)`` by pipelines."""

        @functools.wraps(function)
        def cached(step: Estimator, *args: Any, **kwargs: Any) -> Any:
            name = _name(function, step, {name: kwargs[name] for name in kwargs if name not in ignore})
            self._chain = key = (*self._chain, object() if name is None else name)  # what has no name is never found
            if key in self._kept:
                self.hits += 1
                self._kept.move_to_end(key)
                return _copied(self._kept[key][0])
            self.misses += 1
            made = function(step, *args, **kwargs)
            self._keep(key, made)
            return made

        return cached

    def _keep(self, key: tuple[Any, ...], made: tuple[Any, ...]) -> None:
        size = _size(made[:-1])
        if size is None or size > self.max_bytes / self.n_folds or not isinstance(key[-1], str):
            return
        self._kept[key] = _copied(made), size
        while sum(kept for _, kept in self._kept.values()) > self.max_bytes:
            self._kept.popitem(last=False)


def _name(function: Callable[..., Any], step: Estimator, kwargs: dict[str, Any]) -> str | None:
    """A hash of a step's class and parameters and of what else the pipeline passes; None where lambdas prevent it."""
    settings = {name: value for name, value in kwargs.items() if not name.startswith("message")}
    kind = f"{type(step).__module__}.{type(step).__qualname__}"
    return attempt(lambda: joblib.hash((function.__name__, kind, step.get_params(), settings))).value


def _size(parts: Iterable[Any]) -> int | None:
    """Bytes of arrays, sparse matrices and DataFrames; None where a part is something else."""
    total = 0
    for part in parts:
        if part is None:
            continue
        if hasattr(part, "memory_usage"):
            usage = part.memory_usage(index=True)
            total += int(usage.sum() if hasattr(usage, "sum") else usage)
        elif hasattr(part, "indptr"):
            total += part.data.nbytes + part.indices.nbytes
        elif isinstance(part, np.ndarray):
            total += part.nbytes
        else:
            return None
    return total


def _copied(made: tuple[Any, ...]) -> tuple[Any, ...]:
    """The data copied in the order of memory it has, the fitted step (the last) as it is: predicting changes none."""
    return (*copy.deepcopy(made[:-1]), made[-1])
