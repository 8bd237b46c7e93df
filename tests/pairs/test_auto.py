"""AutoClassifier with every pair of its settings: it fits, scores, predicts and pickles, or says why it refuses."""

import pickle
import warnings
from contextlib import ExitStack

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold

from skauto import AutoClassifier
from tests.pairs import auto_values as values
from tests.pairs.covering import covering_rows, executor, expected_refusal, row_id, rows_of_today

ROWS = covering_rows(values.VALUES, values.REFUSALS)


def settings(row, folder, stack):
    """The constructor's arguments of a row, and those of fit."""
    k = values.classes()
    kind, make = values.CONTAINERS[row["container"]]
    y = values.LABELS[row["labels"]](k)
    labels = np.unique(np.asarray(y))
    candidates = values.CANDIDATES[row["candidates"]]
    arguments = {
        "scoring": values.SCORING[row["scoring"]],
        "strategy": values.STRATEGY[row["strategy"]],
        "candidates": candidates if isinstance(candidates, str) else candidates[kind],
        "kind": kind if row["kind"] == "kind named" else "auto",
        "pos_label": labels.tolist()[0] if row["pos_label"] == "named" else None,
        "constraints": values.CONSTRAINTS[row["constraints"]],
        "ensemble": values.ENSEMBLE[row["ensemble"]],
        "journal": folder / "journal" if row["journal"] == "journal" else None,
        "memory_limit": values.MEMORY[row["memory_limit"]],
        "random_state": values.SEED[row["seed"]](),
        "verbose": values.VERBOSE[row["verbose"]],
        "cv": folds(row["cv"], k),
        **values.LIMITS[row["limits"]],
        **pool(row["pool"], stack),
    }
    fit = {}
    if row["weights"] == "weights":
        fit["sample_weight"] = np.random.default_rng(7).uniform(0.5, 2, len(k))
    if row["groups"] == "groups":
        fit["groups"] = np.arange(len(k)) // 2
    costs = 5.0 - 5.0 * np.eye(len(labels))
    if row["costs"] == "matrix":
        arguments["cost_matrix"] = costs
    elif row["costs"] == "frame":
        arguments["cost_matrix"] = pd.DataFrame(costs, index=labels, columns=labels)
    elif row["costs"] == "dict":
        arguments["cost_matrix"] = {(a, b): 5.0 for a in labels.tolist() for b in labels.tolist() if a != b}
    elif row["costs"] == "of rows":
        fit["cost_matrix"] = costs * np.random.default_rng(8).uniform(0.5, 2, (len(k), 1, 1))
    return arguments, make(k), y, fit


def folds(name, k):
    """A value of cv, the lists of index pairs made from stratified folds."""
    if values.CV[name] != "pairs":
        return values.CV[name]
    return list(StratifiedKFold(3, shuffle=True, random_state=2).split(np.zeros(len(k)), k))


def pool(name, stack):
    """Where trials run: n_jobs, or an executor that ends with the test."""
    made = dict(values.POOL[name])
    return {"executor": executor(made["executor"], stack)} if "executor" in made else made


def check(model, X, y, fit):
    """The outcome of a fit that was not refused."""
    board = model.leaderboard_
    complete = board[(board["status"] == "complete") & (board["candidate"] != "ensemble")]
    assert len(complete), board.to_string()
    assert np.isfinite(complete["score"]).any(), board.to_string()
    per_row = {"cost_matrix": fit["cost_matrix"]} if "cost_matrix" in fit else {}
    known = set(np.unique(np.asarray(y)).tolist())
    labels = model.predict(X, **per_row)
    assert len(labels) == len(y) and set(np.asarray(labels).tolist()) <= known
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), proba)


@pytest.mark.slow
@pytest.mark.pairs
@pytest.mark.lightgbm
@pytest.mark.parametrize("row", rows_of_today(ROWS), ids=row_id)
def test_every_pair_of_settings(row, tmp_path):
    with ExitStack() as stack:
        arguments, X, y, fit = settings(row, tmp_path, stack)
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            model = AutoClassifier(**arguments)
            if refusal := expected_refusal(row, values.REFUSALS):
                with pytest.raises((ValueError, TypeError), match=refusal):
                    model.fit(X, y, **fit)
                return
            model.fit(X, y, **fit)
        check(model, X, y, fit)


def test_at_most_a_tenth_of_the_rows_is_refused():
    assert sum(expected_refusal(row, values.REFUSALS) is not None for row in ROWS) <= len(ROWS) / 10
