"""Tables of what a search did: the leaderboard and cv_results_."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

ENSEMBLE = "ensemble"


def leaderboard(history, best, ensemble, measured=()):
    """One row a trial and one for the ensemble: full evaluations first, the best on top.

    Parameters
    ----------
    history : History
    best : int or None
        Number of the trial that became best_estimator_.
    ensemble : dict or None
        Report of the ensemble's out-of-fold probabilities, with its "members".
    measured : list of str, default=()
        Names of what was measured of each trial for constraints: a column each.
    """
    rows = [_row(history.space, trial, result) for trial, result in history.finished]
    if ensemble is not None:
        rows.append(_ensemble_row(ensemble))
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *measured])
    full = (frame["status"] == "complete") & (frame["fidelity"] >= 1)
    order = frame.assign(full=full).sort_values(
        ["full", "score", "trial"], ascending=[False, False, True], kind="stable", na_position="last"
    )
    frame = frame.loc[order.index].reset_index(drop=True)
    frame.insert(0, "chosen", np.where(frame["trial"] == best, "best", ""))
    return frame


COLUMNS = [
    "candidate", "score", "F1", "AUC", "AP", "fold_spread", "seconds", "status", "reason", "fidelity", "trial", "params"
]  # fmt: skip


def _row(space, trial, result):
    details = result.details or {}
    values = space.decode(trial.params)
    return {
        "candidate": values["candidate"],
        "score": result.score,
        **{name: details.get(name, np.nan) for name in ("F1", "AUC", "AP")},
        "fold_spread": _spread(details.get("fold_scores")),
        "seconds": result.seconds,
        "status": str(result.status),
        "reason": result.reason,
        "fidelity": trial.fidelity,
        "trial": trial.number,
        "params": {name: value for name, value in values.items() if name != "candidate"},
        **(details.get("footprint") or {}),
    }


def _ensemble_row(report):
    return {
        "candidate": ENSEMBLE,
        **{name: report[name] for name in ("score", "F1", "AUC", "AP")},
        "fold_spread": _spread(report["fold_scores"]),
        "seconds": np.nan,
        "status": "complete",
        "reason": "",
        "fidelity": 1.0,
        "trial": -1,
        "params": report["members"],
        **(report.get("footprint") or {}),
    }


def _spread(fold_scores):
    return float(np.nanstd(fold_scores)) if fold_scores is not None and np.isfinite(fold_scores).any() else np.nan


def cv_results(history):
    """What scikit-learn's searches keep: a dict of arrays, one entry a trial, in the order asked."""
    pairs = history.finished
    n_folds = max((len((result.details or {}).get("fold_scores", ())) for _, result in pairs), default=0)
    splits = np.full((len(pairs), n_folds), np.nan)
    for row, (_, result) in enumerate(pairs):
        scores = (result.details or {}).get("fold_scores", ())
        splits[row, : len(scores)] = scores
    scores = np.array([result.score for _, result in pairs])
    seconds = [(result.details or {}).get("fit_seconds", np.nan) for _, result in pairs]
    params = [history.space.decode(trial.params) for trial, _ in pairs]
    fidelity = np.array([trial.fidelity for trial, _ in pairs])
    ranked = np.where(np.isnan(scores) | (fidelity < 1), -np.inf, scores)  # only full evaluations compare
    return {
        "params": params,
        **{f"param_{name}": _column(params, name) for name in sorted({name for row in params for name in row})},
        **{f"split{k}_test_score": splits[:, k] for k in range(n_folds)},
        "mean_test_score": scores,
        "std_test_score": np.array([_spread(row) for row in splits]),
        "rank_test_score": rankdata(-ranked, method="min").astype(np.int32),
        "mean_fit_time": np.array(seconds),
        "fidelity": fidelity,
        "status": np.array([str(result.status) for _, result in pairs]),
    }


def _column(params, name):
    values = np.ma.masked_all(len(params), dtype=object)
    for row, given in enumerate(params):
        if name in given:
            values[row] = given[name]
    return values
