"""A promoted trial whose net or booster sits inside wrappers: the wrapper is fitted again, the fits inside it go on."""

import functools
import pickle
from dataclasses import dataclass
from typing import Any

import cloudpickle
from sklearn.base import clone

from skauto.search._continue import can_continue, continue_fit, set_changed
from skauto.search._types import Data, Estimator


@dataclass(frozen=True)
class Kept:
    """What a trial at little effort leaves for the one promoted from it.

    Attributes
    ----------
    root : int
        Number of the trial that began: the seeds of all steps that do not go on are drawn from it.
    fits : list of (int, bytes)
        For each fit inside the wrappers, in their order, the number of rows and the pickled fitted estimator.
    """

    root: int
    fits: list[tuple[int, bytes]]


def inside(estimator: Estimator, parameter: str) -> Estimator | None:
    """The estimator inside wrappers that owns a parameter, if it can go on; else None."""
    prefix, _, name = parameter.rpartition("__")
    step = estimator.get_params().get(prefix) if prefix else None
    return step if step is not None and can_continue(step, name) else None


class InnerFits:
    """Listens to the fits inside the wrappers of one trial, and lets each go on from the one of its origin.

    Parameters
    ----------
    parameter : str
        What counts the effort, from the outermost estimator.
    origin : Kept, default=None
    amounts : (int, int), default=None
        Value of the parameter of the origin, and now.

    Attributes
    ----------
    made : list of (int, bytes)
        As in `Kept`.
    all_continued : bool
        Whether every fit so far went on from another.
    """

    amounts: tuple[int, int]  # or None; with an origin they are given

    def __init__(self, parameter: str, origin: Kept | None = None, amounts: tuple[int, int] | Any = None) -> None:
        self.prefix, _, self.name = parameter.rpartition("__")
        self.known = [] if origin is None else origin.fits
        self.amounts = amounts
        self.made: list[tuple[int, bytes]] = []
        self._n_continued = 0

    @property
    def all_continued(self) -> bool:
        return 0 < len(self.made) == self._n_continued

    def listen(self, estimator: Estimator) -> None:
        """Replace the inner estimator's class by one that reports its fits; so its clones do too."""
        inner = clone(estimator.get_params()[self.prefix])
        kind = type(inner)

        @functools.wraps(kind.fit)
        def fit(model: Estimator, X: Data, y: Data = None, **params: Any) -> Estimator:
            model.__class__ = kind  # the fitted estimator is of the class it was
            self._fit(model, X, y, params)
            return model

        inner.__class__ = type(kind.__name__, (kind,), {"fit": fit, "__module__": kind.__module__})
        estimator.set_params(**{self.prefix: inner})

    def _fit(self, model: Estimator, X: Data, y: Data, params: dict[str, Any]) -> None:
        index = len(self.made)
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        if index < len(self.known) and self.known[index][0] == n_rows:
            self._go_on(model, pickle.loads(self.known[index][1]), X, y, params)
            self._n_continued += 1
        else:
            model.fit(X, y, **params)
        self.made.append((n_rows, cloudpickle.dumps(model)))

    def _go_on(self, model: Estimator, fitted: Estimator, X: Data, y: Data, params: dict[str, Any]) -> None:
        """Make of an unfitted model the fitted one, after more of the effort and with the model's settings."""
        now, before = model.get_params(), fitted.get_params()
        plain = [name for name in now if name != self.name and not hasattr(now[name], "get_params")]
        changed = {name: now[name] for name in plain if name in before and _differ(now[name], before[name])}
        set_changed(fitted, self.name, changed)
        continue_fit(fitted, self.name, *self.amounts, X, y, **params)
        vars(model).clear()  # type: ignore[attr-defined]  # of an object, not of a class
        vars(model).update(vars(fitted))  # type: ignore[attr-defined]


def _differ(one: object, other: object) -> bool:
    return one is not other and cloudpickle.dumps(one) != cloudpickle.dumps(other)
