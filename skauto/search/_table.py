"""From a history to the arrays that cv_results_ is made of: a row a trial, in the order asked."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from skauto._sklearn import BaseSearchCV, insert_error_scores, warn_or_raise_about_failures
from skauto.search._history import View
from skauto.search._trial import Result, Status
from skauto.search._types import Pair, Record
from skauto.search.strategies._base import parent


def evaluated(history: View) -> list[Pair]:
    """Pairs (trial, result) of the trials that were evaluated, however it ended: all but the cancelled ones."""
    return [pair for pair in history.finished if pair[1].status != Status.CANCELLED]


def fold_outcomes(
    pairs: list[Pair], error_score: float | str, return_train_score: bool, multimetric_names: list[str] | None = None
) -> list[Record]:
    """What scikit-learn formats: a dict for each fold of each trial.

    Parameters
    ----------
    pairs : list of (Trial, Result)
    error_score : float or "raise"
    return_train_score : bool
    multimetric_names : list of str, default=None
        Names of the scores where there are several and they are known in advance.

    Returns
    -------
    outcomes : list of dict
        Folds that a race left out have NaN scores.

    Raises
    ------
    ValueError
        If all fits failed.
    """
    names = multimetric_names or _names(pairs)
    outcomes: list[Record] = []
    fitted: list[Record] = []
    for _, result in pairs:
        pruned = result.details["pruned"]
        for record in result.details["folds"]:
            lost = record is None
            made = _lost(names, pruned, error_score, result, return_train_score) if lost else dict(record)
            made.pop("continued", None)
            outcomes.append(made)
            fitted += [] if lost and pruned else [made]
    warn_or_raise_about_failures(fitted, error_score)
    if names and multimetric_names is None:
        insert_error_scores(outcomes, error_score)
    return outcomes


def _names(pairs: list[Pair]) -> list[str] | None:
    """Names of the scores of a scorer that gives a dict, found in the first success."""
    records = [record for _, result in pairs for record in result.details["folds"] if record]
    first = next((record["test_scores"] for record in records if record["fit_error"] is None), None)
    return list(first) if isinstance(first, dict) else None


def _lost(
    names: list[str] | None, pruned: bool, error_score: float | str, result: Result, return_train_score: bool
) -> Record:
    """A fold that was not run to its end: left out by a race, or lost with its worker."""
    score = math.nan if pruned or error_score == "raise" else error_score
    scores = dict.fromkeys(names, score) if names else score
    made: Record = {"test_scores": scores, "fit_time": math.nan, "score_time": math.nan, "n_test_samples": 0}
    made["fit_error"] = None if pruned else f"{result.status}: {result.reason}"
    return made | ({"train_scores": scores} if return_train_score else {})


def continued_from(pairs: list[Pair]) -> np.ndarray:
    """For each row the row whose fold models it went on from, -1 where it was trained from the start."""
    rows: dict[int | None, int] = {trial.number: row for row, (trial, _) in enumerate(pairs)}
    found = []
    for trial, result in pairs:
        records = [record for record in result.details["folds"] if record]
        goes_on = bool(records) and all(record.get("continued", False) for record in records)
        found.append(rows.get(parent(trial), -1) if goes_on else -1)
    return np.array(found)


def formatted(
    search: BaseSearchCV,
    params: list[dict[str, Any]],
    n_splits: int,
    outcomes: list[Record],
    more: dict[str, Any],
    quiet: bool,
) -> dict[str, Any]:
    """scikit-learn's table; where `quiet`, without its warning that scores which a race left out are not finite."""
    with warnings.catch_warnings():
        if quiet:
            warnings.filterwarnings("ignore", "One or more of the (test|train) scores are non-finite", UserWarning)
        return search._format_results(params, n_splits, outcomes, more)


def rank(results: dict[str, Any], fidelity: Sequence[float] | np.ndarray, error_rank_last: bool = True) -> None:
    """Rank within the highest fidelity first; rows without a mean share the last rank. Changes `results`."""
    fidelity = np.asarray(fidelity)
    for name in [name for name in results if name.startswith("mean_test_")]:
        means = results[name]
        if np.isnan(means).all():
            continue
        order = np.lexsort((np.where(np.isnan(means), -np.inf, means), fidelity))
        keys = list(zip(fidelity[order], means[order], strict=True))
        steps = [0, *np.cumsum([keys[k] != keys[k - 1] for k in range(1, len(keys))])]
        ranks = np.empty(len(means))
        ranks[order] = steps
        ranks[np.isnan(means)] = -1
        results[name.replace("mean_", "rank_", 1)] = rankdata(-ranks, method="min").astype(np.int32)
