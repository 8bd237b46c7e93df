"""Every documented value of AutoClassifier's parameters, of what X, y and the rest may be, by a short name."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, fbeta_score, make_scorer
from sklearn.model_selection import GroupKFold, RepeatedStratifiedKFold, StratifiedGroupKFold, StratifiedKFold

from skauto.search import Genetic, Random
from tests.pairs.covering import Refusal

N_ROWS = 96


def is_finite(estimator, X, y):
    """A measure of the user's own."""
    return float(np.isfinite(estimator.predict_proba(X)).all())


def mean_recall(estimator, X, y):
    """A scorer of the user's own."""
    return balanced_accuracy_score(y, estimator.predict(X))


SCORING = {
    "f1": "f1",
    "roc_auc": "roc_auc",
    "average_precision": "average_precision",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "f1_macro": "f1_macro",
    "precision": "precision",
    "recall": "recall",
    "neg_log_loss": "neg_log_loss",
    "neg_brier_score": "neg_brier_score",
    "matthews_corrcoef": "matthews_corrcoef",
    "f2": make_scorer(fbeta_score, beta=2, average="macro"),
    "brier": make_scorer(brier_score_loss, greater_is_better=False, response_method="predict_proba"),
    "callable": mean_recall,
}

STRATEGIES = "auto random grid genetic bayes tpe annealing swarm ants reinforce halving hyperband bohb pbt"
STRATEGY = {name: name for name in STRATEGIES.split()}
STRATEGY |= {"Genetic()": Genetic(), "Random()": Random()}

LIMITS = {
    "n_iter": {"n_iter": 4, "time_limit": None},
    "time_limit": {"n_iter": None, "time_limit": 30},
    "both": {"n_iter": 4, "time_limit": 40},
}

CV = {
    "cv=3": 3,
    "StratifiedKFold": StratifiedKFold(3, shuffle=True, random_state=1),
    "repeated": RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
    "GroupKFold": GroupKFold(3),
    "StratifiedGroupKFold": StratifiedGroupKFold(3),
    "pairs of indices": "pairs",
}

CANDIDATES = {
    "auto": "auto",
    "one": {"table": "logistic", "sequence": "rocket", "image": "logistic"},
    "some": {
        "table": ["lightgbm", "mlp", "knn"],
        "sequence": ["rocket_logistic", "min_gru"],
        "image": ["cnn", "extra_trees"],
    },
    "on request": {"table": ["rusboost", "balanced_forest"], "sequence": ["lightgbm"], "image": ["svm"]},
}

KIND = {"kind=auto": "auto", "kind named": None}

LABELS = {
    "0 and 1": lambda k: k.clip(max=1),
    "text": lambda k: np.array(["no", "yes"])[k.clip(max=1)],
    "bool": lambda k: k > 0,
    "float": lambda k: k.clip(max=1).astype(float),
    "categorical": lambda k: pd.Series(pd.Categorical.from_codes(k.clip(max=1), ["good", "bad"])),
    "three numbers": lambda k: k * 10,
    "three words": lambda k: np.array(["a", "b", "c"])[k],
}
THREE = ("three numbers", "three words")

POS_LABEL = ("rarer", "named")
COSTS = ("no costs", "matrix", "frame", "dict", "of rows")
CONSTRAINTS = {
    "no bounds": None,
    "bytes": {"bytes": 20_000_000},
    "latency": {"latency_ms": 2_000.0},
    "own": {"finite": (is_finite, 1.0)},
}
WEIGHTS = ("no weights", "weights")
GROUPS = ("no groups", "groups")
ENSEMBLE = {"ensemble": True, "single": False}
JOURNAL = ("no journal", "journal")
POOL = {
    "n_jobs=None": {"n_jobs": None},
    "n_jobs=1": {"n_jobs": 1},
    "n_jobs=2": {"n_jobs": 2},
    "threads": {"executor": "threads"},
    "processes": {"executor": "processes"},
    "dask": {"executor": "dask"},
}
MEMORY = {"no memory limit": None, "3GB": "3GB"}
SEED = {"seed": lambda: 0, "RandomState": lambda: np.random.RandomState(0), "no seed": lambda: None}
VERBOSE = {"silent": 0, "verbose": 1}


def classes(seed=0):
    """Class of each row: many of 0, some of 1, few of 2; the first two thirds and the last tell the same story."""
    return np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], [N_ROWS // 2, N_ROWS // 4, N_ROWS // 4]))


def numbers(k, n_columns=5):
    """Columns of which two tell the class."""
    X = np.random.default_rng(1).normal(size=(len(k), n_columns))
    X[:, 0] += k
    X[:, 1] -= k > 0
    return X


def mixed_frame(k):
    """Numbers, words, dates, booleans and gaps."""
    rng = np.random.default_rng(2)
    X = pd.DataFrame(numbers(k, 3), columns=["a", "b", "c"])
    X.loc[::7, "b"] = np.nan
    X["word"] = rng.choice(["red", "green", "blue"], len(k))
    X["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, len(k)), unit="D")
    X["flag"] = rng.random(len(k)) < 0.5
    X.index = np.arange(len(k)) * 3 + 7
    return X


def series(k):
    """Waves whose frequency tells the class; (n, time, features)."""
    time = np.arange(24)
    phase = np.random.default_rng(3).uniform(0, 6, len(k))
    wave = np.sin(time * (0.3 + 0.4 * k[:, None]) + phase[:, None])
    return np.stack([wave, np.random.default_rng(4).normal(size=wave.shape)], axis=2)


def pictures(k):
    """Squares whose place tells the class; uint8."""
    X = np.random.default_rng(5).integers(0, 60, (len(k), 10, 10)).astype(np.uint8)
    for row, label in enumerate(k):
        X[row, 3 * label : 3 * label + 3, 2:6] = 220
    return X


CONTAINERS = {
    "frame": ("table", mixed_frame),
    "array": ("table", numbers),
    "sparse": ("table", lambda k: sp.csr_matrix(numbers(k) * (np.random.default_rng(6).random((len(k), 5)) < 0.6))),
    "lists": ("table", lambda k: numbers(k).tolist()),
    "float32": ("table", lambda k: numbers(k).astype(np.float32)),
    "series": ("sequence", series),
    "list of series": ("sequence", lambda k: [s[: 20 + i % 5] for i, s in enumerate(series(k))]),
    "grey pictures": ("image", pictures),
    "colour pictures": ("image", lambda k: np.repeat(pictures(k)[:, None], 3, axis=1)),
}

VALUES = {
    "strategy": STRATEGY,
    "scoring": SCORING,
    "container": CONTAINERS,
    "labels": LABELS,
    "cv": CV,
    "pool": POOL,
    "candidates": CANDIDATES,
    "costs": COSTS,
    "constraints": CONSTRAINTS,
    "limits": LIMITS,
    "seed": SEED,
    "kind": KIND,
    "pos_label": POS_LABEL,
    "weights": WEIGHTS,
    "groups": GROUPS,
    "ensemble": ENSEMBLE,
    "journal": JOURNAL,
    "memory_limit": MEMORY,
    "verbose": VERBOSE,
}

# docs/guide/pairs.md has a line on each.
REFUSALS = [
    Refusal({"costs": COSTS[1:], "scoring": tuple(SCORING)[1:]}, "and cost_matrix are two goals"),
    Refusal({"labels": THREE, "pos_label": ("named",)}, "pos_label=.* is for two classes, but y has 3"),
    Refusal({"labels": THREE, "scoring": ("precision",)}, "use 'precision_macro'"),
    Refusal({"labels": THREE, "scoring": ("recall",)}, "use 'recall_macro'"),
    Refusal({"cv": ("GroupKFold",), "groups": ("no groups",)}, "pass groups= to fit"),
    Refusal({"cv": ("StratifiedGroupKFold",), "groups": ("no groups",)}, "pass groups= to fit"),
]
