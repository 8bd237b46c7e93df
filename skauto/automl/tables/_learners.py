"""Classifiers of tables and what comes before them, from the values of a configuration."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from skauto.automl._data_profile import DataProfile
from skauto.automl._epoch_planning import net_seconds
from skauto.automl._matrix_learners import CALIBRATION_FOLDS
from skauto.automl._types import Estimator, Values
from skauto.automl.tables._preparation import codes
from skauto.estimators._forests import (
    CompactExtraTreesClassifier,
    CompactRandomForestClassifier,
)
from skauto.estimators._safe_folds import SafeFolds
from skauto.estimators.tables._catboost import CatBoostTableClassifier
from skauto.estimators.tables._many_levels import ManyLevelsEncoder
from skauto.estimators.tables._table_cleaner import (
    TableCleaner,
)
from skauto.resample._balanced_bagging import BalancedBaggingClassifier
from skauto.resample._easy_ensemble import EasyEnsembleClassifier
from skauto.resample._priors import PriorCorrectedClassifier
from skauto.resample._rusboost import RUSBoostClassifier

# Rows from which forests must be thrifty.
MANY_ROWS = 12_000

# Steps of the perceptrons, and rows they see in all.
STEPS, MOST_ROWS_SEEN = 160, 100_000

# Perceptrons side by side, and the seconds that each of them must have where its batches are the largest: with small
# ones, whose steps cost what they cost for one, members are all but free.
MEMBERS, MEMBER_SECONDS = 4, 0.15

# The most rows of a batch of the perceptrons.
LARGEST_BATCH = 512

# The fewest seconds of a trial in which a net is tried beside other candidates: to import PyTorch takes most of them.
NET_START_SECONDS = 4.0

# The fewest seconds of a trial in which CatBoost is tried, whose import takes one.
CATBOOST_START_SECONDS = 2.0

# Seconds of one thread that a tree of CatBoost takes, and takes for each cell of the table and each of more than two
# classes: measured with six levels on eight tables, half to twice as much. The fewest trees that are worth it, and the
# fastest that they may learn.
TREE_SECONDS, TREE_CELL_SECONDS = 5e-4, 6e-8
LEAST_TREES, FASTEST = 40, 0.3

# The quick model of a table: rounds of boosting, or trees where classes are more than these.
FALLBACK_ROUNDS, FALLBACK_TREES, BOOSTED_CLASSES = 30, 20, 5


def fallback(profile: DataProfile) -> Pipeline:
    """A small model for tables: linear for sparse ones, trees of all classes at once where classes are many."""
    if profile.sparse:
        return Pipeline(
            [
                ("clean", TableCleaner()),
                ("fill", SimpleImputer()),
                ("classify", LogisticRegression()),
            ]
        )
    if profile.n_classes > BOOSTED_CLASSES:
        trees = CompactExtraTreesClassifier(
            FALLBACK_TREES, min_samples_leaf=5, random_state=0
        )
        return Pipeline(
            [
                ("clean", TableCleaner()),
                ("prepare", codes({}, profile)),
                ("classify", trees),
            ]
        )
    boosting = HistGradientBoostingClassifier(
        max_iter=FALLBACK_ROUNDS,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=0,
    )
    return Pipeline(
        [
            ("clean", TableCleaner()),
            ("prepare", ManyLevelsEncoder()),
            ("classify", boosting),
        ]
    )


def catboost(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """CatBoost with as many trees as there is time for; fewer ones learn faster."""
    wanted = values["n_estimators"]
    n_trees = min(wanted, _trees_within(profile))
    rate = min(values["learning_rate"] * wanted / n_trees, FASTEST)
    values = {**values, "n_estimators": n_trees, "learning_rate": rate}
    return CatBoostTableClassifier(**values, n_jobs=profile.threads, random_state=seed)


def _trees_within(profile: DataProfile) -> float:
    """Trees of CatBoost that one fit has time for, by rows, columns and classes; never fewer than the least."""
    if profile.seconds is None:
        return math.inf
    classes = profile.n_classes if profile.n_classes > 2 else 1
    cells = profile.n_rows * profile.n_columns * classes
    tree_seconds = TREE_SECONDS + TREE_CELL_SECONDS * cells / profile.threads
    return max(int(profile.seconds / tree_seconds), LEAST_TREES)


def catboost_time_reason(values: Mapping[str, Any], profile: DataProfile) -> str:
    """Why there is no time for CatBoost, an empty line if there is."""
    seconds = profile.trial_seconds
    if seconds is None or seconds >= CATBOOST_START_SECONDS:
        return ""
    return f"a trial has {seconds:.3g} s, less than CatBoost takes to begin"


def mlp_time_reason(values: Mapping[str, Any], profile: DataProfile) -> str:
    """Why there is no time for perceptrons, an empty line if there is."""
    seconds = profile.trial_seconds
    if seconds is None or seconds >= NET_START_SECONDS:
        return ""
    return f"a trial has {seconds:.3g} s, less than PyTorch takes to begin"


def hist_boosting(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Histogram boosting with a fixed number of rounds: its own early stopping would hold rows back."""
    return HistGradientBoostingClassifier(
        **values,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=seed,
    )


def extra_trees(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Extremely randomised trees."""
    return CompactExtraTreesClassifier(**values, **_forest(profile), random_state=seed)


def random_forest(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """A random forest."""
    return CompactRandomForestClassifier(
        **values, **_forest(profile), random_state=seed
    )


def _forest(profile: DataProfile) -> dict[str, Any]:
    """Fewer trees on part of the rows each where rows are many; more than 150 never pay, see decision 804."""
    many = {"n_estimators": 80, "bootstrap": True, "max_samples": 0.4}
    few = {"n_estimators": 150}
    return {**(many if profile.n_rows > MANY_ROWS else few), "n_jobs": profile.threads}


def logistic(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Logistic regression with a ridge penalty; Newton steps where columns are few, for they need the fewest."""
    if profile.sparse or profile.n_columns * profile.n_classes > 400:
        return LogisticRegression(**values, max_iter=200)
    return LogisticRegression(**values, solver="newton-cholesky", max_iter=50)


def nearest_neighbors(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """k nearest neighbours."""
    values["n_neighbors"] = min(values["n_neighbors"], max(profile.n_rows - 1, 1))
    return KNeighborsClassifier(**values, n_jobs=profile.threads)


def naive_bayes(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Gaussian naive Bayes."""
    return GaussianNB(**values)


def mlp(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Multi-layer perceptrons on PyTorch, with as many steps on few rows as on many."""
    from skauto.estimators.tables._mlp import MLPClassifier

    batch = min(max(profile.n_rows // 20, 16), LARGEST_BATCH)
    # A network learns by steps: few rows need more epochs for as many of them.
    epochs = min(STEPS * batch, MOST_ROWS_SEEN) // max(profile.n_rows, 1)
    return MLPClassifier(
        **values,
        n_members=MEMBERS,
        batch_size=batch,
        max_epochs=min(max(epochs, 5), 50),
        device="cpu",
        random_state=seed,
    )


def plan_mlp(mlp: Estimator, values: Values, profile: DataProfile) -> None:
    """Bound the seconds of perceptrons, and leave as many of them as have enough of these."""
    if profile.trial_seconds is None:
        return
    limit = net_seconds(profile)
    mlp.set_params(time_limit=limit)
    if limit is not None:
        seconds_of_one = MEMBER_SECONDS * mlp.batch_size / LARGEST_BATCH
        mlp.set_params(n_members=int(np.clip(limit / seconds_of_one, 1, MEMBERS)))


def balanced_bagging(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Trees, each on a balanced draw of its own."""
    n_estimators = values.pop("n_estimators")
    return BalancedBaggingClassifier(
        DecisionTreeClassifier(**values), n_estimators, random_state=seed
    )


def easy_ensemble(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Balanced bags of histogram boosting."""
    booster = HistGradientBoostingClassifier(
        **{
            name: values.pop(name)
            for name in ("learning_rate", "max_iter", "max_leaf_nodes")
        },
        categorical_features="from_dtype",
        early_stopping=False,
    )
    return EasyEnsembleClassifier(booster, **values, random_state=seed)


def rusboost(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Boosting on balanced draws, calibrated: its own probabilities are too sure."""
    tree = DecisionTreeClassifier(
        max_depth=values.pop("max_depth"),
        min_samples_leaf=values.pop("min_samples_leaf"),
    )
    boosted = RUSBoostClassifier(tree, **values, random_state=seed)
    return CalibratedClassifierCV(
        boosted, cv=SafeFolds(CALIBRATION_FOLDS, seed), ensemble=profile.rare
    )


def balanced_forest(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """A forest of balanced draws, its probabilities moved back to those of the unresampled classes."""
    # Most searches never ask for it.
    from imblearn.ensemble import BalancedRandomForestClassifier

    few = 400 if profile.refit else 150
    forest = BalancedRandomForestClassifier(
        few, **values, n_jobs=profile.threads, random_state=seed
    )
    return PriorCorrectedClassifier(forest)
