"""LightGBM that stops early inside the folds: fitted to its end, read at the stopping point of the other folds."""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from skauto.automl._types import Estimator
from skauto.inputs._types import Rows

# Rounds without a gain before training ends, and the fewest validation rows of each class that can judge a gain.
PATIENCE = 30
# With fewer validation rows of a class the best round is a matter of luck.
MIN_CLASS_ROWS = 10


class Watch:
    """Validation rows for early stopping, carried as a parameter through any meta-estimator's clones."""

    def __init__(
        self, X: Rows, y: np.ndarray, weight: np.ndarray | None, metric: str
    ) -> None:
        self.X, self.y, self.weight, self.metric = X, y, weight, metric

    def __deepcopy__(self, memo: dict[int, Any]) -> "Watch":
        return self


@cache
def watching_class() -> type[Any]:
    """LGBMClassifier with a parameter `watch`; made on first use, since LightGBM is loaded only then."""
    import lightgbm

    class WatchingLGBMClassifier(lightgbm.LGBMClassifier):
        def fit(  # type: ignore[override]
            self, X: Rows, y: np.ndarray, sample_weight: np.ndarray | None = None
        ) -> Estimator:
            watch = self._other_params.pop("watch")
            del self.watch  # a parameter of ours that LightGBM would warn about
            return super().fit(
                X,
                y,
                sample_weight=sample_weight,
                eval_X=watch.X,
                eval_y=watch.y,
                eval_sample_weight=None if watch.weight is None else [watch.weight],
                eval_metric=watch.metric,
                callbacks=[
                    lightgbm.early_stopping(
                        PATIENCE, first_metric_only=True, verbose=False
                    )
                ],
            )

    return WatchingLGBMClassifier


def fit_last_step(
    estimator: Estimator,
    X: Rows,
    y: np.ndarray,
    weight: np.ndarray | None,
    X_valid: Rows,
    y_valid: np.ndarray,
    weight_valid: np.ndarray | None,
) -> tuple[Estimator, int | None]:
    """Fit the last step of a pipeline; a LightGBM inside it watches the validation rows.

    Returns
    -------
    fitted : classifier
    best_iteration : int or None
        Its best round; None for other classifiers and where the rarest class has too few validation rows.
    """
    rows = {} if weight is None else {"sample_weight": weight}
    path = _path_to_boosting(estimator)
    if path is None or not _can_watch(y, y_valid):
        return estimator.fit(X, y, **rows), None
    metric = _metric(estimator, path, y)
    watch = Watch(X_valid, y_valid, weight_valid, metric)
    fitted = _with_watch(estimator, path, watch).fit(X, y, **rows)
    return fitted, max(int(_fitted_boosting(fitted).best_iteration_), 1)


def fit_and_adapt(
    adapt: Callable[[Estimator, Rows, Any, Any], None],
    estimator: Estimator,
    X: Rows,
    y: np.ndarray,
    weight: np.ndarray | None,
    X_valid: Rows,
    y_valid: np.ndarray,
    weight_valid: np.ndarray | None,
) -> tuple[Estimator, int | None]:
    """`fit_last_step`, after which ``adapt(fitted, X_valid, y_valid, weight_valid)`` may change what was fitted."""
    rows = X, y, weight, X_valid, y_valid, weight_valid
    fitted, best_iteration = fit_last_step(estimator, *rows)
    adapt(fitted, X_valid, y_valid, weight_valid)
    return fitted, best_iteration


def _can_watch(y: np.ndarray, y_valid: np.ndarray) -> bool | np.bool:
    """Whether validation rows say when to stop: enough of each class, and none that is not learnt."""
    counts = np.bincount(y_valid)
    return counts[counts > 0].min() >= MIN_CLASS_ROWS and np.isin(y_valid, y).all()


def predict_at(fitted: Estimator, X: Rows, best_iteration: int | None) -> np.ndarray:
    """Probabilities after `best_iteration` rounds of boosting, or after all where it is None."""
    boosting = _fitted_boosting(fitted)
    if hasattr(boosting, "booster_"):
        boosting.booster_.best_iteration = _round(best_iteration)
    return fitted.predict_proba(X)


def settled(fitted: Estimator, best_iteration: int | None) -> None:
    """Make a fitted classifier final, in place: at its `best_iteration`, without the rows that LightGBM watched."""
    if "lightgbm" not in sys.modules:
        return
    import lightgbm

    watching, outer = watching_class(), fitted
    while hasattr(outer, "estimator_"):
        if isinstance(outer.estimator, watching):
            params = outer.estimator.get_params()
            del params["watch"]
            outer.estimator = lightgbm.LGBMClassifier(**params)
        outer = outer.estimator_
    if isinstance(outer, watching):
        outer.__class__ = lightgbm.LGBMClassifier
        outer.booster_.best_iteration = _round(best_iteration)
        outer.n_estimators = best_iteration or outer.n_estimators


def _round(best_iteration: int | None) -> int:
    """What LightGBM calls a round; all rounds are -1."""
    return -1 if best_iteration is None else best_iteration


def with_rounds(estimator: Estimator, best_iteration: int | None) -> Estimator:
    """The same estimator with as many rounds of boosting; itself without LightGBM or where `best_iteration` is None."""
    path = _path_to_boosting(estimator)
    if path is None or best_iteration is None:
        return estimator
    return estimator.set_params(**{"__".join([*path, "n_estimators"]): best_iteration})


def _path_to_boosting(estimator: Estimator) -> list[str] | None:
    """Names of the parameters that lead to a LightGBM classifier, None where there is none."""
    path: list[str] = []
    while estimator is not None:
        if type(estimator).__name__ == "LGBMClassifier":
            return path
        if isinstance(estimator, Pipeline):
            path.append(estimator.steps[-1][0])
            estimator = estimator.steps[-1][1]
        else:
            path.append("estimator")
            estimator = getattr(estimator, "estimator", None)
    return None


def _at(estimator: Estimator, path: list[str]) -> Estimator:
    """The LightGBM classifier that a path leads to."""
    return estimator.get_params()["__".join(path)] if path else estimator


def _with_watch(estimator: Estimator, path: list[str], watch: Watch) -> Estimator:
    boosting = _at(estimator, path)
    watching = watching_class()(**boosting.get_params(), watch=watch)
    return estimator.set_params(**{"__".join(path): watching}) if path else watching


def _metric(estimator: Estimator, path: list[str], y: np.ndarray) -> str:
    """Log loss for the unresampled distribution; a ranking where weights or samplers move the probabilities."""
    boosting = _at(estimator, path)
    unresampled = not path and boosting.class_weight is None
    # Of the training rows: a rare class may be missing from the others.
    if len(np.unique(y)) > 2:
        return "multi_logloss" if unresampled else "auc_mu"
    return "binary_logloss" if unresampled else "average_precision"


def _fitted_boosting(fitted: Estimator) -> Estimator:
    while hasattr(fitted, "estimator_"):
        fitted = fitted.estimator_
    return fitted


def median_iteration(best_iterations: list[int | None]) -> int | None:
    """The middle of the stopping points, None where there are none."""
    known = [number for number in best_iterations if number is not None]
    return int(np.median(known)) if known else None
