"""Tables of what a search did: the leaderboard and cv_results_."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from skauto.automl.evaluation._new_rows import scores_of
from skauto.automl.evaluation._outcome import TrialOutcome

ENSEMBLE = "ensemble"

# What the leaderboard shows, and what it knows besides.
COLUMNS = [
    "chosen",
    "candidate",
    "score",
    "F1",
    "AUC",
    "AP",
    "fold_std",
    "seconds",
    "status",
]
DETAILS = ["trial", "fidelity", "reason", "params"]
SCORES = ["score", "F1", "AUC", "AP"]

# Statuses in the words of the leaderboard, where these are others.
SHOWN = {"timeout": "timed out"}


class Leaderboard(pd.DataFrame):
    """A DataFrame that prints within 80 columns where it has the columns of a leaderboard or some of them.

    Values are in full; only the text and the table of a notebook have fewer digits and no row numbers.
    """

    @property
    def _constructor(self):
        return Leaderboard

    def __repr__(self):
        if not set(self.columns) <= set(COLUMNS) or self.empty:
            return super().__repr__()
        # row numbers are left out; names, as of the groups of a groupby, are not
        index = not pd.api.types.is_integer_dtype(self.index)
        return self.to_string(index=index, float_format=_digits, na_rep="", max_rows=60)

    def _repr_html_(self):
        with pd.option_context("display.float_format", _digits):
            return super()._repr_html_()


def _digits(number):
    """Three digits after the point where few stand before it."""
    return f"{number:.3f}" if abs(number) < 100 else f"{number:.5g}"


def leaderboard(history, final, measured=()):
    """One row a trial and one for what predicts: full evaluations first, the best on top.

    Parameters
    ----------
    history : History
    final : FinalModel
        What predicts; its best trial is marked.
    measured : list of str, default=()
        Names of what was measured of each trial for constraints: a column each.

    Returns
    -------
    board : Leaderboard
        With the columns of `COLUMNS`, `DETAILS` and `measured`.
    """
    rows = [_row(history.space, trial, result) for trial, result in history.finished]
    rows.append(_row_of_what_predicts(final))
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *DETAILS, *measured])
    if final.best is not None:
        frame.loc[frame["trial"] == final.best.number, "chosen"] = "best"
    n_folds = np.array([row["n_folds"] for row in rows])
    most = n_folds.max(initial=0)
    fewer = (n_folds > 0) & (n_folds < most)
    frame.loc[fewer, "reason"] = [
        f"had time for {count} of {most} folds" for count in n_folds[fewer]
    ]
    full = (frame["status"] == "complete") & (frame["fidelity"] >= 1) & ~fewer
    order = frame.assign(full=full).sort_values(
        ["full", "score", "trial"],
        ascending=[False, False, True],
        kind="stable",
        na_position="last",
    )
    return Leaderboard(frame.loc[order.index].reset_index(drop=True))


def rescored(board, models, X, y, rule, scoring):
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
    scoring : as in `AutoClassifier`

    Returns
    -------
    board : Leaderboard
        `score`, F1, AUC and AP are those of the given rows; the rest is as the search left it.
    """
    scores = {
        number: scores_of(
            y, model.predict_proba(X), replace(rule, threshold=threshold), scoring, X
        )
        for number, (model, threshold) in models.items()
    }
    rows = board[board["trial"].isin(scores)].copy()
    for name in SCORES:
        rows[name] = [scores[number][name] for number in rows["trial"]]
    return rows.sort_values(
        ["score", "trial"], ascending=[False, True], na_position="last"
    ).reset_index(drop=True)


def shown_status(status):
    """How a trial ended, in words."""
    return SHOWN.get(str(status), str(status))


def _row(space, trial, result):
    outcome = TrialOutcome.of(result)
    values = space.decode(trial.params)
    return {
        "chosen": "",
        "candidate": values["candidate"],
        "score": result.score,
        **{name: getattr(outcome, name, np.nan) for name in ("F1", "AUC", "AP")},
        "fold_std": _fold_std(getattr(outcome, "fold_scores", ())),
        "seconds": result.seconds,
        "status": shown_status(result.status),
        "reason": result.reason,
        "fidelity": trial.fidelity,
        "trial": trial.number,
        "params": {
            name: value for name, value in values.items() if name != "candidate"
        },
        **(getattr(outcome, "footprint", None) or {}),
        "n_folds": _n_folds(outcome),
    }


def _row_of_what_predicts(final):
    known, scores = final.best is not None, final.scores
    names = [
        (trial.values["candidate"], trial.number, round(weight, 3))
        for trial, weight in final.members
    ]
    return {
        "chosen": "predicts",
        "candidate": ENSEMBLE if known else final.kind,
        **{name: scores.get(name, np.nan) for name in SCORES},
        "fold_std": _fold_std(scores.get("fold_scores")),
        "seconds": np.nan,
        "status": "complete" if known else "not scored",
        "reason": "" if known else "no trial was evaluated and refitted",
        "fidelity": final.fidelity,
        "trial": -1,
        "params": names,
        **(final.footprint or {}),
        "n_folds": 0,
    }


def _n_folds(outcome):
    """How many folds a full trial had, none without an outcome; a single one is judged in parts, with a score each."""
    return 0 if outcome is None else outcome.n_folds or len(outcome.fold_scores)


def _fold_std(fold_scores):
    known = fold_scores is not None and np.isfinite(fold_scores).any()
    return float(np.nanstd(fold_scores)) if known else np.nan


def cv_results(history):
    """What scikit-learn's searches keep: a dict of arrays, one entry a trial, in the order asked."""
    pairs = history.finished
    outcomes = [TrialOutcome.of(result) for _, result in pairs]
    n_folds = max(map(_n_folds, outcomes), default=0)
    splits = np.full((len(pairs), n_folds), np.nan)
    for row, (outcome, (_, result)) in enumerate(zip(outcomes, pairs, strict=True)):
        count, scores = _n_folds(outcome), getattr(outcome, "fold_scores", ())
        splits[row, :count] = (
            scores if len(scores) == count else [result.score]
        )  # of a single fold, judged in parts
    scores = np.array([result.score for _, result in pairs])
    seconds = [getattr(outcome, "fit_seconds", np.nan) for outcome in outcomes]
    params = [history.space.decode(trial.params) for trial, _ in pairs]
    fidelity = np.array([trial.fidelity for trial, _ in pairs])
    ranked = np.where(
        np.isnan(scores) | (fidelity < 1), -np.inf, scores
    )  # only full evaluations compare
    return {
        "params": params,
        **{
            f"param_{name}": _column(params, name)
            for name in sorted({name for row in params for name in row})
        },
        **{f"split{k}_test_score": splits[:, k] for k in range(n_folds)},
        "mean_test_score": scores,
        "std_test_score": np.array(
            [_fold_std(getattr(outcome, "fold_scores", ())) for outcome in outcomes]
        ),
        "rank_test_score": rankdata(-ranked, method="min").astype(np.int32),
        "mean_fit_time": np.array(seconds),
        "fidelity": fidelity,
        "status": np.array([shown_status(result.status) for _, result in pairs]),
    }


def _column(params, name):
    values = np.ma.masked_all(len(params), dtype=object)
    for row, given in enumerate(params):
        if name in given:
            values[row] = given[name]
    return values
