"""Scoring the winner again on folds drawn anew, where the splitter can be drawn anew."""

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold

from skauto._seeds import child_seed
from skauto.search._fold_scores import FoldScoring, score_fold
from skauto.search._trial import Trial
from skauto.search._types import Data, Fold, Record


def fresh_folds(splitter: Any, cv: Any, seed: int, X: Data, y: Data, split_params: dict[str, Any]) -> list[Fold] | None:
    """Folds of the same kind from another seed; None where the splitter has no seed to change.

    Parameters
    ----------
    splitter : splitter
        What `cv` became; unshuffled folds from an integer are shuffled.
    cv : int, splitter, iterable or None
    seed : int
    X, y : array-like
    split_params : dict
    """
    fresh = child_seed(seed, "rescore")
    if cv is None or isinstance(cv, Integral):
        kind = StratifiedKFold if isinstance(splitter, StratifiedKFold) else KFold
        splitter = kind(splitter.get_n_splits(), shuffle=True, random_state=fresh)
    elif isinstance(getattr(splitter, "random_state", None), Integral):
        splitter = _reseeded(splitter, fresh)
    else:
        return None
    return list(splitter.split(X, y, **split_params))


def _reseeded(splitter: Any, seed: int) -> Any:
    copy = clone(splitter, safe=False)
    copy.random_state = seed
    return copy


def rescore(context: FoldScoring, trial: Trial, folds: list[Fold], metric: Callable[[Record], float]) -> float:
    """The mean score of a trial's configuration at full fidelity on other folds.

    Parameters
    ----------
    context : FoldScoring
    trial : Trial
    folds : list of (ndarray, ndarray)
    metric : callable
        Turns a record of `score_fold` into a number.
    """
    context = replace(context, folds=folds)
    trial = Trial(trial.number, trial.params)
    records = [score_fold(context, trial, number) for number in range(len(folds))]
    for record in records:
        if "raised" in record:
            raise record["raised"]
    return float(np.mean([metric(record) for record in records]))
