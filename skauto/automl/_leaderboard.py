"""Tables of what a search did: the leaderboard and cv_results_."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from skauto.automl._types import Estimator, Threshold, Values
from skauto.automl.evaluation._new_rows import scores_of
from skauto.automl.evaluation._outcome import NO_OUTCOME, TrialOutcome
from skauto.automl.selection._final_model import FinalModel
from skauto.automl.selection._honest_score import UNKNOWN
from skauto.inputs._types import Rows
from skauto.resample._decision_rule import DecisionRule
from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Trial

ENSEMBLE = "ensemble"

# What the leaderboard shows, and what it knows besides.
COLUMNS = [
    "chosen",
    "candidate",
    "score",
    "honest",
    "low",
    "high",
    "F1",
    "AUC",
    "AP",
    "status",
]
DETAILS = ["trial", "seconds", "fold_std", "fidelity", "reason", "params"]
SCORES = ["score", "F1", "AUC", "AP"]

# Statuses in the words of the leaderboard, where these are others.
SHOWN = {"timeout": "timed out"}


class Leaderboard(pd.DataFrame):
    """A DataFrame that prints within 80 columns where it has the columns of a leaderboard or some of them.

    Values are in full; only the text and the table of a notebook have fewer digits and no row numbers.
    """

    @property
    def _constructor(self) -> "type[Leaderboard]":
        return Leaderboard

    def __repr__(self) -> str:
        if not set(self.columns) <= set(COLUMNS) or self.empty:
            return super().__repr__()
        # row numbers are left out; names, as of the groups of a groupby, are not
        index = not pd.api.types.is_integer_dtype(self.index)
        # As text, since pandas would keep a place for a sign in each column of numbers.
        return pd.DataFrame(self).map(_text).to_string(index=index, max_rows=60)

    def _repr_html_(self) -> str:
        with pd.option_context("display.float_format", _digits):
            return super()._repr_html_()


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return "" if np.isnan(cell) else _digits(cell)
    return str(cell)


def _digits(number: float) -> str:
    """Three digits after the point where few stand before it."""
    return f"{number:.3f}" if abs(number) < 100 else f"{number:.5g}"


def leaderboard(
    history: History, final: FinalModel, measured: Sequence[str] = ()
) -> Leaderboard:
    """One row a trial and one for what predicts: full evaluations first, the best on top.

    Parameters
    ----------
    history : History
    final : FinalModel
        What predicts; its best trial is marked.
    measured : list of str, default=()
        Names of further scores, and of what was measured of each trial for constraints: a column each.

    Returns
    -------
    board : Leaderboard
        With the columns of `COLUMNS`, `DETAILS` and `measured`.
    """
    rows = [_row(history.space, trial, result) for trial, result in history.finished]
    rows.append(_row_of_what_predicts(final))
    for row in rows:
        honest = final.honest.get(row["trial"], UNKNOWN)
        row |= {"honest": honest.score, "low": honest.low, "high": honest.high}
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *DETAILS, *measured])
    if final.best is not None:
        frame.loc[frame["trial"] == final.best.number, "chosen"] = "best"
    n_folds = np.array([row["n_folds"] for row in rows])
    most = n_folds.max(initial=0)
    fewer = (n_folds > 0) & (n_folds < most)
    frame.loc[fewer, "reason"] = [
        f"had time for {count} of {most} folds" for count in n_folds[fewer]
    ]
    # Scores of fewer rows or folds do not compare with the others, and stand below them.
    full = (frame["status"] == "complete") & (frame["fidelity"] >= 1) & ~fewer
    order = frame.assign(full=full).sort_values(
        ["full", "score", "trial"],
        ascending=[False, False, True],
        kind="stable",
        na_position="last",
    )
    return Leaderboard(frame.loc[order.index].reset_index(drop=True))


def rescored(
    board: pd.DataFrame,
    models: dict[int, tuple[Estimator, Threshold | None]],
    X: Rows,
    y: Any,
    rule: DecisionRule,
    scoring: Any,
    also: dict[str, Any],
) -> pd.DataFrame:
    """The rows of the models that were kept, with scores of other rows, the best on top.

    Parameters
    ----------
    board : Leaderboard
    models : dict of int to (estimator, threshold)
        By trial; what predicts is trial -1.
    X : as the models take it
    y : array-like of shape (n,)
    rule : DecisionRule
        Its classes, positive class and costs hold for all models; its threshold for none.
    scoring : str, scorer or callable
    also : dict
        Further scores by name.

    Returns
    -------
    board : Leaderboard
        All scores are those of the given rows; the rest is as the search left it.
    """
    scores: dict[int, dict[str, float]] = {}
    for number, (model, threshold) in models.items():
        own_rule = replace(rule, threshold=threshold)
        scores[number] = scores_of(
            y, model.predict_proba(X), own_rule, scoring, X, also
        )
    rows = board[board["trial"].isin(scores)].copy()
    for name in [*SCORES, *also]:
        rows[name] = [scores[number][name] for number in rows["trial"]]
    rows = rows.sort_values(
        ["score", "trial"], ascending=[False, True], na_position="last"
    )
    return rows.reset_index(drop=True)


def shown_status(status: str) -> str:
    """How a trial ended, in words."""
    return SHOWN.get(str(status), str(status))


def _row(space: Space, trial: Trial, result: Result) -> dict[str, Any]:
    outcome = _outcome_of(result)
    values = space.decode(trial.params)
    candidate = values.pop("candidate")
    return {
        "chosen": "",
        "candidate": candidate,
        "score": result.score,
        "F1": outcome.F1,
        "AUC": outcome.AUC,
        "AP": outcome.AP,
        "fold_std": _fold_std(outcome.fold_scores),
        "seconds": result.seconds,
        "status": shown_status(result.status),
        "reason": result.reason,
        "fidelity": trial.fidelity,
        "trial": trial.number,
        "params": values,
        **(outcome.also or {}),
        **(outcome.footprint or {}),
        "n_folds": _n_folds(outcome),
    }


def _outcome_of(result: Result) -> TrialOutcome:
    """What a trial brought back; of one that is not complete a record of which nothing is known."""
    return TrialOutcome.of(result) or NO_OUTCOME


def _row_of_what_predicts(final: FinalModel) -> dict[str, Any]:
    known, scores = final.best is not None, final.scores
    names = [
        (trial.values["candidate"], trial.number, round(weight, 3))
        for trial, weight in final.members
    ]
    return {
        "chosen": "predicts",
        "candidate": ENSEMBLE if known else final.kind,
        **{name: scores.get(name, np.nan) for name in SCORES},
        "fold_std": _fold_std(scores.get("fold_scores", ())),
        "seconds": np.nan,
        "status": "complete" if known else "not scored",
        "reason": "" if known else "no trial was evaluated and refitted",
        "fidelity": final.fidelity,
        "trial": -1,
        "params": names,
        **(scores.get("also") or {}),
        **(final.footprint or {}),
        "n_folds": 0,
    }


def _n_folds(outcome: TrialOutcome) -> int:
    """How many folds a full trial had, none without an outcome; a single one is judged in parts, with a score each."""
    return outcome.n_folds or len(outcome.fold_scores)


def _fold_std(fold_scores: Sequence[float] | np.ndarray) -> float:
    """Standard deviation of the scores of folds; NaN where none is known."""
    scores = np.asarray(fold_scores, dtype=float)
    if not np.isfinite(scores).any():
        return np.nan
    return float(np.nanstd(scores))


def cv_results(history: History) -> dict[str, Any]:
    """What scikit-learn's searches keep: a dict of arrays, one entry a trial, in the order asked."""
    trials, results = [], []
    for trial, result in history.finished:
        trials.append(trial)
        results.append(result)
    outcomes = [_outcome_of(result) for result in results]
    params = [history.space.decode(trial.params) for trial in trials]
    scores = np.array([result.score for result in results])
    fidelity = np.array([trial.fidelity for trial in trials])
    # Only full evaluations compare.
    ranked = np.where(np.isnan(scores) | (fidelity < 1), -np.inf, scores)
    fold_stds = [_fold_std(outcome.fold_scores) for outcome in outcomes]
    return {
        "params": params,
        **_columns(params),
        **_splits(outcomes, scores),
        "mean_test_score": scores,
        "std_test_score": np.array(fold_stds),
        "rank_test_score": rankdata(-ranked, method="min").astype(np.int32),
        "mean_fit_time": np.array([outcome.fit_seconds for outcome in outcomes]),
        "fidelity": fidelity,
        "status": np.array([shown_status(result.status) for result in results]),
    }


def _splits(outcomes: list[TrialOutcome], scores: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of each fold, an array a fold; NaN where a trial has not had it."""
    n_folds = max(map(_n_folds, outcomes), default=0)
    splits = np.full((n_folds, len(outcomes)), np.nan)
    for row, outcome in enumerate(outcomes):
        count = _n_folds(outcome)
        judged_by_fold = len(outcome.fold_scores) == count
        # A single fold is judged in parts: its score is that of the trial.
        splits[:count, row] = outcome.fold_scores if judged_by_fold else scores[row]
    return {f"split{k}_test_score": split for k, split in enumerate(splits)}


def _columns(params: list[Values]) -> dict[str, np.ndarray]:
    """Each parameter as a masked array, by name."""
    names = sorted(set().union(*params))
    return {f"param_{name}": _column(params, name) for name in names}


def _column(params: list[Values], name: str) -> np.ndarray:
    values = np.ma.masked_all(len(params), dtype=object)
    for row, given in enumerate(params):
        if name in given:
            values[row] = given[name]
    return values
