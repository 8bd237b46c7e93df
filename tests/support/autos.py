"""Small searches and tables for the tests of AutoClassifier."""

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification

from skauto import AutoClassifier

# A small table of two classes, and the column of a leaderboard that no two runs share.
X, Y = make_classification(160, 5, weights=[0.7], flip_y=0.1, random_state=0)
SECONDS = ["seconds"]

# Checks of scikit-learn that AutoClassifier fails. Each is one that scikit-learn expects of its own threshold
# estimators: all of FixedThresholdClassifier, the first two of TunedThresholdClassifierCV. Weights and repeated rows
# make other folds, whether X is sparse or not.
EXPECTED_FAILURES = {
    "check_classifiers_train": "a tuned threshold is not at probability 0.5",
    "check_sample_weight_equivalence_on_dense_data": "a weight of two is not a row in two folds",
    "check_sample_weight_equivalence_on_sparse_data": "a weight of two is not a row in two folds",
}


def quick(**changes):
    """An AutoClassifier that counts a few cheap trials."""
    given = {"n_iter": 2, "time_limit": None, "cv": 2, "n_jobs": 1, "random_state": 0, "verbose": 0,
             "candidates": ["naive_bayes", "logistic"]}  # fmt: skip
    return AutoClassifier(**{**given, **changes})


def mixed_table(n=90, seed=0):
    """A column of every kind, with names and gaps that make trouble, and string labels."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=n)
    table = pd.DataFrame(
        {
            'a[b]{"x":1,}': rng.normal(size=n),
            "a(b)": signal,
            "a b": np.where(np.arange(n) % 6 == 0, np.nan, rng.normal(size=n)),
            "flag": rng.random(n) > 0.5,
            "whole": pd.array(np.where(np.arange(n) % 5 == 0, pd.NA, rng.integers(0, 9, n)), dtype="Int64"),
            "maybe": pd.array(np.where(np.arange(n) % 7 == 0, pd.NA, rng.random(n) > 0.5), dtype="boolean"),
            "kind": pd.Categorical(np.where(np.arange(n) % 8 == 0, None, rng.choice(["u", "v", "w"], n))),
            "colour": pd.array(rng.choice(["red", "green", "blue"], n), dtype="string"),
            "town": np.where(np.arange(n) % 9 == 0, None, rng.choice(["Ulm", "Rom"], n)),
            "day": pd.date_range("2024-01-01", periods=n, freq="D"),
            "same": 1.0,
            "nothing": [None] * n,
            "empty": np.nan,
        }
    )
    return table, np.where(signal + rng.normal(0, 0.3, n) > 0.4, "yes", "no")


def all_complete(auto):
    """Whether no trial failed; shows the reasons if one did."""
    board = auto.leaderboard(details=True)
    assert (board["status"] == "complete").all(), board[["candidate", "reason"]].to_string()
    return True
