"""Read: the checked input of a fit, its kind, its positive class and its costs."""

import traceback
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from skauto._telling import PACKAGE, warn
from skauto.automl._costs_by_row import read_costs
from skauto.automl._kind import kind_of
from skauto.automl._settings import Settings
from skauto.automl._splits import given_folds
from skauto.automl._types import JudgedBy
from skauto.automl.evaluation._metrics import (
    OWN_METRICS,
    own_pos_label,
    resolve_metric,
)
from skauto.automl.evaluation._out_of_fold import with_index
from skauto.inputs._data import Data
from skauto.inputs._read import inspect, rarest_class, refuse_lazy
from skauto.inputs._types import Given, Label
from skauto.resample._decision_rule import positive_last
from skauto.resample._threshold import confusion_of
from skauto.search._sandbox import attempt


def read(
    settings: Settings,
    X: Given,
    y: Any,
    sample_weight: Any,
    groups: Any,
    cost_matrix: Any = None,
) -> Data:
    """The checked input of a fit.

    Parameters
    ----------
    settings : Settings
    X, y, sample_weight, groups, cost_matrix : as in `AutoClassifier.fit`

    Returns
    -------
    data : Data

    Raises
    ------
    ValueError
        If the data, the score or the costs cannot be used.
    """
    refuse_lazy(X)
    refuse_lazy(y, "y")
    kind = kind_of(X, settings.kind)
    data = inspect(
        X,
        y,
        sample_weight,
        groups,
        kind=kind.name,
        read=kind.read,
        n_features=kind.n_features,
    )
    data = replace(data, pos_label=_positive(settings, data))
    # After the checks that raise: a warning about data that cannot be used is noise.
    kind.warn(data)
    data = replace(
        data, cv=given_folds(settings.cv, X, y, groups, data.classes[data.y])
    )
    # Those of fit go before the constructor's.
    given = settings.cost_matrix if cost_matrix is None else cost_matrix
    costs = read_costs(given, data.X, data.classes, data.pos_label)
    data = replace(
        data, costs=costs, costs_by_column=given if isinstance(given, dict) else None
    )
    _try(settings.scoring, data)
    for shown, scoring in settings.also.items():
        _try(scoring, replace(data, costs=None), shown)
    return data


def _try(scoring: Any, data: Data, shown: str | None = None) -> None:
    """Try a score that is not computed here before the search; ValueError for one that is not known or fails.

    `shown` is the name of one of several, which errors then say.
    """
    order = positive_last(data.classes, data.pos_label)
    name, judged_by, metric = resolve_metric(scoring, data.classes[order], data.costs)
    own = not isinstance(scoring, str)
    if own or name not in OWN_METRICS:
        _try_scorer(shown or name, judged_by, metric, data, order, own=own)


def _try_scorer(
    name: str,
    judged_by: JudgedBy,
    metric: Any,
    data: Data,
    order: np.ndarray,
    *,
    own: bool,
) -> None:
    """Call a scorer once, on the labels of y and made-up predictions of them; ValueError where it fails.

    One of the user's `own` must give a finite number; what scikit-learn's give for predictions that nobody made, for
    example a ratio without bound, says nothing of those to come.
    """
    n_classes = len(data.classes)
    # For some rows the true class, for others another.
    sure = 0.35 + 0.6 * (np.arange(len(data.y)) * 7 % 11) / 10
    proba = np.repeat((1 - sure)[:, None] / (n_classes - 1), n_classes, axis=1)
    proba[np.arange(len(data.y)), data.y] = sure
    codes, weight = np.argsort(order)[data.y], data.sample_weight

    def call() -> Any:
        if judged_by == "proba":
            return metric(codes, proba[:, order], weight)
        if judged_by == "estimator":
            labels = data.classes[proba.argmax(axis=1)]
            return metric.judge(
                with_index(data.X, data.index),
                data.classes[data.y],
                proba,
                labels,
                weight,
            )[0]
        return metric(
            confusion_of(codes, proba[:, order].argmax(axis=1), n_classes, weight)
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tried = attempt(call)
    where = "tried on the labels of y before the search"
    if tried.error is not None:
        trace = list(traceback.extract_tb(tried.error.__traceback__))
        lines = [line for line in trace if not line.filename.startswith(PACKAGE)]
        lines = lines or trace
        place = (
            f"{lines[-1].name}, {Path(lines[-1].filename).name} line {lines[-1].lineno}"
        )
        raise ValueError(
            f"scoring={name!r} failed when {where}: {tried.reason} (in {place})"
        ) from tried.error
    if own and not (
        np.ndim(tried.value) == 0
        and np.isreal(tried.value)
        and np.isfinite(tried.value)
    ):
        raise ValueError(
            f"scoring={name!r} gave {tried.value!r} when {where}, where a finite number is needed"
        )


def _positive(settings: Settings, data: Data) -> Label | None:
    """The positive class of two, None for more."""
    of_scorer = own_pos_label(settings.scoring)
    given = of_scorer if settings.pos_label is None else settings.pos_label
    if of_scorer is not None and of_scorer != given:
        raise ValueError(
            f"pos_label={given!r} and scoring, which was made with pos_label={of_scorer!r}, contradict each other: "
            "give one of them, or both the same"
        )
    if len(data.classes) > 2:
        if settings.pos_label is not None:
            raise ValueError(
                f"pos_label={given!r} is for two classes, but y has {len(data.classes)}"
            )
        return None
    if given is None:
        chosen = rarest_class(data.classes, data.y)
        if (
            data.classes.dtype.kind != "b"
            and set(data.classes) == {0, 1}
            and chosen == 0
        ):
            message = f"pos_label=None takes the rarer class as positive, which is {chosen} here; "
            message += f"pass pos_label={data.classes[1]} if the other is meant"
            warn(message)
        return chosen
    if given not in data.classes.tolist():
        raise ValueError(
            f"pos_label={given!r} is not among the classes {data.classes.tolist()}"
        )
    return data.classes[data.classes.tolist().index(given)]
