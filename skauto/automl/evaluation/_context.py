"""Evaluation: all that a worker needs for any trial, sent to it once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from sklearn.pipeline import Pipeline

from skauto.automl._types import Estimator, Footprint, Pair, Values
from skauto.inputs._types import Rows
from skauto.resample._wrapped import weights_placed
from skauto.search._prefix_cache import PrefixCache
from skauto.search._space import Space
from skauto.search._trial import Trial

if TYPE_CHECKING:  # loads imbalanced-learn, which importing skauto must not
    from skauto.automl._builder import Builder


def fit_plain(
    estimator: Estimator,
    X: Rows,
    y: np.ndarray,
    weight: np.ndarray | None,
    X_valid: Rows,
    y_valid: np.ndarray,
    weight_valid: np.ndarray | None,
) -> tuple[Estimator, None]:
    """Fit the last step of a pipeline; returns it and None, since it has no stopping point of its own."""
    return estimator.fit(X, y, **weights_for(estimator, weight)), None


def predict_plain(
    estimator: Estimator, X: Rows, best_iteration: int | None
) -> np.ndarray:
    """Probabilities of a fitted last step; `best_iteration` is the stopping point that the other folds agree on."""
    return estimator.predict_proba(X)


def weights_for(
    estimator: Estimator, weight: np.ndarray | None
) -> dict[str, np.ndarray]:
    """What `fit` is given of the weights, where there are any; of a user's Pipeline they go to its last step."""
    if weight is None:
        return {}
    rows = {"sample_weight": weight}
    return weights_placed(estimator, rows) if isinstance(estimator, Pipeline) else rows


def as_it_is(values: Values, estimator: Estimator) -> Estimator:
    """An estimator whose training needs no plan."""
    return estimator


def rows_alone(
    values: Values, estimator: Estimator, fidelity: float
) -> tuple[Estimator, float]:
    """An estimator and its fraction of the rows at a fidelity: here effort is rows."""
    return estimator, fidelity


class Bounds(Protocol):
    """What `evaluate` asks of the Constraints, whose file imports this one."""

    def check_feasible(
        self, context: "Evaluation", values: Values, seed: int
    ) -> Footprint | None: ...

    def of_trial(
        self,
        context: "Evaluation",
        values: Values,
        seed: int,
        fitted: Estimator,
        best_iteration: int | None,
        checked: Footprint | None,
    ) -> Footprint: ...

    def may_hold(self, values: Footprint | None) -> bool: ...


@dataclass
class Evaluation:
    """All that a worker needs for any trial; sent to it once.

    Parameters
    ----------
    X : array, sparse matrix or DataFrame of n rows
    y : ndarray of shape (n,)
        Codes from 0 to ``n_classes - 1``.
    weight : ndarray of shape (n,) or None
    folds : list of (ndarray, ndarray)
        Row numbers to learn from and to validate on.
    repeat : ndarray or None
        The repeat of the cross-validation that each fold belongs to.
    build : callable
        ``build(values, seed)``: the unfitted estimator of a configuration.
    report : callable
        ``report(proba)``: a dict of scores of the validation rows of all folds, in their order.
    low_fidelity_score : callable
        ``low_fidelity_score(proba)``: the score of a trial at a fidelity below 1.
    fit, predict : callable
        How the last step of the estimator is fitted and asked, as `fit_plain` and `predict_plain` do.
    plan_training : callable
        ``plan_training(values, estimator)``: the estimator, set to train within the time that is left.
    apply_fidelity : callable
        ``apply_fidelity(values, estimator, fidelity)``: the estimator and its fraction of the rows, as `rows_alone`
        does.
    constraints : Constraints or None
        What trials are measured by and held to beside their score; None where nothing is bounded.
    keep_model : callable or None
        ``keep_model(values)``: whether the model of a single fold is the final one.
    most_folds : int or None
        Folds of a trial at most, None for all.
    bag : callable or None
        ``bag(pipelines, best_iteration, labels)``: as bytes, the fold models of a trial that is the best of its worker
        so far; they come back with it.
    plain : callable or None
        ``plain(values)``: whether the last step is fitted and asked as `fit_plain` and `predict_plain` do, whatever
        `fit` and `predict` are.
    labels : ndarray of shape (n_classes,) or None
        The labels of the codes, which such estimators are given.
    record : tuple
        How good the best trial of this worker was.
    """

    X: Rows
    y: np.ndarray
    weight: np.ndarray | None
    folds: list[Pair]
    n_classes: int
    space: Space
    build: "Builder"
    report: Callable[[np.ndarray], dict[str, Any]]
    low_fidelity_score: Callable[[np.ndarray], float]
    seed: int
    fit: Callable[..., tuple[Estimator, int | None]] = fit_plain
    predict: Callable[[Estimator, Rows, int | None], np.ndarray] = predict_plain
    plan_training: Callable[[Values, Estimator], Estimator] = as_it_is
    apply_fidelity: Callable[[Values, Estimator, float], tuple[Estimator, float]] = (
        rows_alone
    )
    constraints: Bounds | None = None
    min_class_rows: int = 2
    repeat: np.ndarray | None = None
    keep_model: Callable[[Values], bool] | None = None
    most_folds: int | None = None
    bag: (
        Callable[[list[Pipeline], int | None, np.ndarray | None], bytes | None] | None
    ) = None
    plain: Callable[[Values], bool] | None = None
    record: tuple[float, ...] = ()
    labels: np.ndarray | None = None
    cache: PrefixCache = field(default_factory=PrefixCache)

    def is_plain(self, values: Values) -> bool:
        """Whether the last step of a configuration is fitted and asked as it is, on the labels of the user."""
        return self.plain is not None and self.plain(values)

    def keeps(self, values: Values) -> bool:
        """Whether the model of a single fold is the final one."""
        return self.keep_model is not None and self.keep_model(values)

    def trains_net(self, task: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        """Whether a task is the trial or the refit of a network."""
        trial = args[0] if args else None
        values = getattr(trial, "values", None)
        if isinstance(trial, Trial):
            values = self.space.decode(trial.params)
        return values is not None and values["candidate"] in self.build.nets

    def may_win(self, footprint: Footprint | None) -> bool:
        """Whether what a trial costs leaves it a chance; a cost that was not measured does."""
        return self.constraints is None or self.constraints.may_hold(footprint)

    def repeats(self) -> np.ndarray:
        """The repeat of the cross-validation that each fold belongs to."""
        return np.zeros(len(self.folds)) if self.repeat is None else self.repeat

    def targets(self, values: Values) -> np.ndarray:
        """What the estimator of a configuration learns, shape (n,): codes, or labels where it is plain."""
        return (
            cast(np.ndarray, self.labels)[self.y] if self.is_plain(values) else self.y
        )

    def codes_of(self, values: Values, classes: np.ndarray) -> np.ndarray:
        """The codes of the classes that the estimator of a configuration has seen."""
        if self.is_plain(values):
            return np.searchsorted(cast(np.ndarray, self.labels), classes)
        return classes
