"""What a fidelity means: a fraction of the rows, or the value of one integer parameter of the estimator."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.multiclass import type_of_target

from skauto._seeds import child_rng
from skauto._telling import warn
from skauto.search._folds import nested_rows
from skauto.search._space import Space
from skauto.search._types import Data, Estimator

EPOCHS = ("max_epochs", "epochs", "n_epochs", "max_iter", "n_estimators")

# Names under which wrappers take the one estimator that they fit.
WRAPPED = ("estimator", "classifier", "regressor", "base_estimator")

# Where strategies begin that may use less than all, if the bounds do not say more.
LEAST = 1 / 9

# Rows of a class that a subsample keeps at the least: what SMOTE with its five neighbours needs.
MIN_CLASS_ROWS = 6


@dataclass(frozen=True)
class Fidelity:
    """How much effort a trial at a fidelity in (0, 1] is.

    Parameters
    ----------
    parameter : str or None
        The estimator's parameter; None for rows.
    low, high : int
        Bounds: of the parameter, or of the number of rows (high None: all).
    min_class_rows : int
        Rows that every class keeps.

    Examples
    --------
    >>> from skauto.search._fidelity import Fidelity
    >>> Fidelity("max_iter", 1, 90).amount(1 / 9)
    10
    """

    parameter: str | None
    low: int = 1
    high: int | None = None
    min_class_rows: int = MIN_CLASS_ROWS

    @property
    def least(self) -> float:
        """The least fidelity that "auto" begins with: a ninth, or the lower bound's fraction where that is more."""
        return LEAST if self.high is None else max(LEAST, self.low / self.high)

    def amount(self, fidelity: float, n_rows: int | None = None) -> int:
        """The parameter's value, or the number of rows out of `n_rows`, at a fidelity."""
        high: Any = n_rows if self.high is None else self.high if n_rows is None else min(self.high, n_rows)
        return max(min(self.low, high), round(fidelity * high))

    def values(self, fidelity: float) -> dict[str, int]:
        """What a configuration is completed with."""
        return {} if self.parameter is None else {self.parameter: self.amount(fidelity)}

    def rows(self, y: Data, train: np.ndarray, fidelity: float, seed: int, stratify: bool = True) -> np.ndarray:
        """The training rows of a fold at a fidelity: a larger fraction holds the smaller ones.

        Parameters
        ----------
        y : array-like or None
        train : ndarray of int
            Row numbers of the fold.
        fidelity : float
        seed : int
        stratify : bool, default=True
            Whether y has classes.
        """
        if self.parameter is not None:
            return train
        fraction = self.amount(fidelity, len(train)) / len(train)
        if fraction >= 1:
            return train
        if not stratify or y is None:
            order = child_rng(seed, "rows").permutation(len(train))
            return train[np.sort(order[: max(1, int(np.ceil(fraction * len(train))))])]
        _, codes = np.unique(np.asarray(y)[train], return_inverse=True)
        return train[nested_rows(codes, fraction, self.min_class_rows, seed)]


def stratifies(estimator: Estimator, y: Data) -> bool:
    """Whether rows are to be drawn class by class."""
    if y is None or is_regressor(estimator):
        return False
    return type_of_target(y) in ("binary", "multiclass")


def read_fidelity(
    fidelity: Any, estimator: Estimator, space: Space, min_class_rows: int | None = None
) -> Fidelity | None:
    """The Fidelity that a user's ``"rows"``, ``"epochs"`` or ``(name, low, high)`` means; None for None.

    Raises
    ------
    ValueError
        If the estimator lacks the parameter, the space has it too, or the bounds make no sense.
    TypeError
        If it is anything else.
    """
    if fidelity is None:
        return None
    least = _least_rows(estimator) if min_class_rows is None else min_class_rows
    if fidelity == "rows":
        return Fidelity(None, min_class_rows=least)
    known = estimator.get_params()
    if fidelity == "epochs":
        fidelity = _epochs(estimator, known)
    if not (isinstance(fidelity, (tuple, list)) and len(fidelity) == 3 and isinstance(fidelity[0], str)):
        raise TypeError(f"fidelity must be 'rows', 'epochs' or (parameter, low, high), got {fidelity!r}")
    name, low, high = fidelity
    if not (isinstance(low, Integral) and isinstance(high, Integral) and 1 <= low <= high):  # type: ignore[operator]
        raise ValueError(f"fidelity={fidelity!r} needs integers with 1 <= low <= high")
    if name == "rows":
        return Fidelity(None, int(low), int(high), least)
    if name not in known:
        raise ValueError(
            f"fidelity={fidelity!r}: {name!r} is no parameter of {type(estimator).__name__}; "
            f"for a step of a Pipeline write step__parameter"
        )
    if any(name in branch for branch in space.branches):
        raise ValueError(f"fidelity={fidelity!r}: {name!r} is part of the space too; take it out of one of them")
    return Fidelity(name, int(low), int(high))


def in_full(results: dict[str, Any], row: int, fidelity: Fidelity | None) -> dict[str, Any]:
    """The parameters of a row of cv_results_ at the full effort, with a warning if the row had less.

    Parameters
    ----------
    results : dict
    row : int
    fidelity : Fidelity or None
    """
    params = results["params"][row]
    if fidelity is None:
        return params
    reached = results["fidelity"][row]
    if reached < 1:
        warn(
            f"no trial at full fidelity was chosen: the search ended before one, so the best one of fidelity "
            f"{reached:.3g} is refitted at the full one; best_score_ is that of fidelity {reached:.3g}. Raise "
            "time_limit",
        )
    return {**params, **fidelity.values(1.0)}


def last_step(estimator: Estimator) -> tuple[Estimator, str]:
    """The last step of a pipeline with the prefix of its parameters, or the estimator itself."""
    if isinstance(estimator, Pipeline) and estimator.steps:
        name, step = estimator.steps[-1]
        inner, prefix = last_step(step)
        return inner, f"{name}__{prefix}"
    return estimator, ""


def _chain(estimator: Estimator, prefix: str = "") -> list[tuple[Estimator, str]]:
    """What is fitted last and what it wraps, each with the prefix of its parameters, the innermost first."""
    if isinstance(estimator, FrozenEstimator):
        return []
    step, step_prefix = last_step(estimator)
    prefix += step_prefix
    settings = step.get_params(deep=False) if hasattr(step, "get_params") and not isinstance(step, type) else {}
    inner = next((name for name in WRAPPED if hasattr(settings.get(name), "fit")), None)
    found = [] if inner is None else _chain(settings[inner], f"{prefix}{inner}__")
    return [*found, (step, prefix)]


def _epochs(estimator: Estimator, known: dict[str, Any]) -> tuple[str, int, int]:
    """The triple that "epochs" means: the number of epochs or rounds of what learns last, as it is set, at the most.

    Wrappers are looked through: a net inside a threshold, a resampling or a calibrating classifier counts before what
    the wrapper itself counts.
    """
    for _, prefix in _chain(estimator):
        for name in EPOCHS:
            high = known.get(prefix + name)
            if isinstance(high, Integral) and high >= 1:  # type: ignore[operator]
                return prefix + name, 1, int(high)
    raise ValueError(
        f"fidelity='epochs': the last step of {type(estimator).__name__}, and what it wraps, has none of "
        f"{', '.join(EPOCHS)} set to a number; name the parameter with (parameter, low, high)"
    )


def _least_rows(estimator: Estimator) -> int:
    """One row more than the neighbours that any step looks for."""
    neighbours = [
        value
        for name, value in estimator.get_params().items()
        if name.endswith("k_neighbors") and isinstance(value, Integral)
    ]
    return max([MIN_CLASS_ROWS, *(int(count) + 1 for count in neighbours)])
