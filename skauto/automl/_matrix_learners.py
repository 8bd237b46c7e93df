"""Classifiers of any matrix of numbers: what all kinds of data can use once they have features."""

from typing import Any

from scipy.stats import loguniform, randint, uniform
from sklearn.calibration import CalibratedClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from skauto.automl._data_profile import DataProfile
from skauto.automl._types import Estimator, Values
from skauto.estimators._forests import CompactExtraTreesClassifier
from skauto.estimators._safe_folds import SafeFolds
from skauto.estimators.sequences._ridge import CalibratedRidgeClassifier

# Folds of Platt's calibration.
CALIBRATION_FOLDS = 3

# Rounds times learning rate at which boosting ends at the latest.
MOST_SHRUNK_ROUNDS = 40

# What is tried of LightGBM on any features, and a default of each.
LIGHTGBM_SPACE = {
    "learning_rate": loguniform(0.02, 0.2),
    "n_estimators": randint(40, 300),
    "num_leaves": randint(4, 64),
    "min_child_samples": randint(2, 60),
    "colsample_bytree": uniform(0.4, 0.6),
    "subsample": uniform(0.5, 0.5),
    "reg_lambda": loguniform(1e-2, 30),
}
LIGHTGBM_DEFAULTS = {
    "learning_rate": 0.08,
    "n_estimators": 100,
    "num_leaves": 31,
    "min_child_samples": 5,
    "colsample_bytree": 0.5,
    "subsample": 0.7,
    "reg_lambda": 1.0,
}


def lightgbm(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """LightGBM, silent and the same on every run; where it stops early the rounds are only an upper bound."""
    from lightgbm import LGBMClassifier

    if profile.early_stopping:
        values["n_estimators"] = int(
            min(max(MOST_SHRUNK_ROUNDS / values["learning_rate"], 100), 1_500)
        )
    quiet: dict[str, Any] = {
        "subsample_freq": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    return LGBMClassifier(**values, **quiet, random_state=seed, n_jobs=profile.threads)


def ridge(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Ridge regression with probabilities."""
    return CalibratedRidgeClassifier(**values)


def svm(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """RBF support vectors with Platt's probabilities; numbers for gamma are in units of one over the columns.

    Of many classes each has a machine of its own, whose distances say more than the votes of pairs; not with weights,
    which scikit-learn's one-vs-rest does not hand on.
    """
    gamma = values.pop("gamma")
    gamma = gamma if gamma == "scale" else gamma / profile.n_columns
    machine = SVC(**values, gamma=gamma, random_state=seed)
    if profile.n_classes > 2 and not profile.weighted:
        machine = OneVsRestClassifier(machine)
    # Calibration of one machine needs every row predicted once, which rows of rare classes cannot be.
    return CalibratedClassifierCV(
        machine, cv=SafeFolds(CALIBRATION_FOLDS, seed), ensemble=profile.rare
    )


def extra_trees(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Extremely randomised trees, all rows in each."""
    return CompactExtraTreesClassifier(
        **values, n_estimators=400, n_jobs=profile.threads, random_state=seed
    )
