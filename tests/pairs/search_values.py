"""Every documented value of SearchCV's parameters, of the estimators and data it may get, by a short name."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from lightgbm import LGBMClassifier
from scipy.stats import loguniform, randint
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, make_scorer
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from skopt.space import Integer, Real

from skauto.estimators import MLPClassifier
from skauto.resample import SMOTE, CostSensitiveClassifier, ResamplingClassifier
from skauto.search import Hyperband, Random
from tests.pairs.covering import Refusal

N_ROWS = 96


def mean_recall(estimator, X, y):
    """A scorer of the user's own."""
    return balanced_accuracy_score(y, estimator.predict(X))


def best_row(results):
    """A choice of the winner of the user's own."""
    name = next(name for name in results if name.startswith("mean_test_"))
    return int(np.nanargmax(results[name]))


# The estimator, the name of a real parameter between .01 and 10, and that of an integer between 3 and 27.
ESTIMATORS = {
    "logistic": (LogisticRegression, "C", "max_iter"),
    "pipeline": (
        lambda: make_pipeline(MaxAbsScaler(), LGBMClassifier(n_estimators=9, num_leaves=5, verbosity=-1, n_jobs=1)),
        "lgbmclassifier__reg_lambda",
        "lgbmclassifier__n_estimators",
    ),
    "SMOTE and a forest": (
        lambda: make_sampling_pipeline(SMOTE(k_neighbors=3), RandomForestClassifier(n_estimators=9, n_jobs=1)),
        "randomforestclassifier__ccp_alpha",
        "randomforestclassifier__n_estimators",
    ),
    "boosting": (lambda: HistGradientBoostingClassifier(max_iter=9), "l2_regularization", "max_iter"),
    "resampled boosting": (
        lambda: ResamplingClassifier(
            LGBMClassifier(n_estimators=9, num_leaves=5, verbosity=-1, n_jobs=1), SMOTE(k_neighbors=3)
        ),
        "estimator__reg_lambda",
        "estimator__n_estimators",
    ),
    "cost-sensitive": (
        lambda: CostSensitiveClassifier(LogisticRegression(), 1.0 - np.eye(2)),
        "estimator__C",
        "estimator__max_iter",
    ),
    "net": (lambda: MLPClassifier(hidden_size=8, max_epochs=4, n_members=1), "lr", "max_epochs"),
}

SPACE = {
    "lists": lambda real, whole: {real: [0.01, 0.1, 1.0], whole: [3, 9]},
    "distributions": lambda real, whole: {real: loguniform(0.01, 10), whole: randint(3, 28)},
    "branches": lambda real, whole: [{real: loguniform(0.01, 10)}, {whole: [3, 9]}],
    "dimensions": lambda real, whole: {real: Real(0.01, 10, prior="log-uniform"), whole: Integer(3, 27)},
}

STRATEGIES = "auto random grid genetic bayes tpe annealing swarm ants reinforce halving hyperband bohb pbt"
STRATEGY = {name: name for name in STRATEGIES.split()}
STRATEGY |= {"Hyperband(Random())": Hyperband(Random())}

SCORING = {
    "default": None,
    "f1": "f1",
    "roc_auc": "roc_auc",
    "callable": mean_recall,
    "make_scorer": make_scorer(cohen_kappa_score),
    "list": ["accuracy", "average_precision"],
    "dict": {"recall": mean_recall, "accuracy": "accuracy"},
}
SEVERAL = {"list": "average_precision", "dict": "recall"}

REFIT = ("refit", "no refit", "one_se", "callable")
LIMITS = {
    "neither": {},
    "n_iter": {"n_iter": 5},
    "time_limit": {"time_limit": 20},
    "both": {"n_iter": 5, "time_limit": 60},
}
CV = {
    "default": None,
    "cv=3": 3,
    "StratifiedKFold": StratifiedKFold(3, shuffle=True, random_state=0),
    "GroupKFold": GroupKFold(3),
    "pairs of indices": "pairs",
}
RACING = {"racing=auto": "auto", "racing": True, "no racing": False}
FIDELITY = ("full", "rows", "epochs", "parameter")
CONSTRAINTS = ("no bounds", "bounds")
POOL = {
    "here": {"n_jobs": None},
    "n_jobs=2": {"n_jobs": 2},
    "threads": {"executor": "threads"},
    "processes": {"executor": "processes"},
    "dask": {"executor": "dask"},
}
TRIAL_LIMIT = {"no trial limit": None, "trial limit": 30}
MEMORY = {"no memory limit": None, "3GB": "3GB"}
LABELS = {
    "0 and 1": lambda k: k,
    "text": lambda k: np.array(["no", "yes"])[k],
    "bool": lambda k: k > 0,
    "categorical": lambda k: pd.Series(pd.Categorical.from_codes(k, ["good", "bad"])),
}
CONTAINERS = {
    "array": lambda X: X,
    "frame": lambda X: pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])], index=np.arange(len(X)) * 2 + 5),
    "sparse": sp.csr_matrix,
}
SEED = {"seed": 0, "no seed": None}

VALUES = {
    "strategy": STRATEGY,
    "estimator": ESTIMATORS,
    "scoring": SCORING,
    "space": SPACE,
    "fidelity": FIDELITY,
    "cv": CV,
    "limits": LIMITS,
    "refit": REFIT,
    "pool": POOL,
    "labels": LABELS,
    "container": CONTAINERS,
    "racing": RACING,
    "constraints": CONSTRAINTS,
    "trial_time_limit": TRIAL_LIMIT,
    "memory_limit": MEMORY,
    "seed": SEED,
    "journal": ("no journal", "journal"),
    "train_score": ("no train score", "train score"),
    "rescore": ("no rescore", "rescore"),
    "min_class_rows": ("class rows", "7 class rows"),
    "error_score": ("nan", "raise"),
    "weights": ("no weights", "weights"),
    "verbose": ("silent", "verbose"),
}

# docs/guide/pairs.md has a line on each.
REFUSALS = [
    Refusal({"strategy": ("grid",), "space": ("distributions", "branches", "dimensions")}, "a grid needs a list"),
    Refusal({"strategy": ("pbt",), "fidelity": ("full",)}, "pass fidelity='rows', 'epochs' or"),
    Refusal({"refit": ("callable",), "constraints": ("bounds",)}, "both choose the winner: leave one out"),
    Refusal({"container": ("sparse",), "estimator": ("boosting", "net")}, "dense data is required"),
    Refusal({"weights": ("weights",), "estimator": ("SMOTE and a forest",)}, "does not accept the sample_weight"),
]
