"""What to try on a table: candidates with their preparation, space and first settings, as plain data."""

from scipy.stats import loguniform, randint, uniform

from skauto.automl._candidate import Candidate
from skauto.automl._imbalance import OVER_SAMPLERS, UNDER_SAMPLERS, WEIGHTS
from skauto.automl._matrix_learners import (
    LIGHTGBM_DEFAULTS,
    LIGHTGBM_SPACE,
    lightgbm,
    svm,
)
from skauto.automl.tables import _learners as make
from skauto.automl.tables import _preparation as prepare

# How numbers are scaled and categories encoded for candidates that need both.
SCALER = {"scaler": ["standard", "quantile"], "encode": ["onehot", "target"]}
PLAIN = {"scaler": "standard", "encode": "onehot"}
RANKS = {"scaler": "quantile", "encode": "onehot"}


LIGHTGBM = Candidate(
    name="lightgbm",
    build=lightgbm,
    prepare=prepare.named,
    space={
        **LIGHTGBM_SPACE,
        "cat_smooth": loguniform(1, 50),
        "extra_trees": [False, True],
        "features": [prepare.PLAIN_FEATURES, prepare.CROSSED],
    },
    defaults={
        **LIGHTGBM_DEFAULTS,
        "cat_smooth": 10.0,
        "extra_trees": False,
        "features": prepare.PLAIN_FEATURES,
    },
    initial=(
        {
            "learning_rate": 0.2,
            "num_leaves": 12,
            "min_child_samples": 20,
            "colsample_bytree": 0.9,
        },
        {},
        {
            "learning_rate": 0.05,
            "num_leaves": 8,
            "min_child_samples": 10,
            "colsample_bytree": 0.6,
        },
        {
            "learning_rate": 0.06,
            "num_leaves": 48,
            "min_child_samples": 30,
            "reg_lambda": 5.0,
        },
    ),
    ranks=(0, 4, 6, 8),
    imbalance=(WEIGHTS, UNDER_SAMPLERS, OVER_SAMPLERS),
    weight=2.0,
    package="lightgbm",
)

LOGISTIC = Candidate(
    name="logistic",
    build=make.logistic,
    prepare=prepare.scaled,
    space={"C": loguniform(1e-3, 30), "splines": [None, 4, 8], **SCALER},
    defaults={"C": 0.5, "splines": None, **PLAIN},
    initial=({}, {"C": 0.1, "splines": 8, **RANKS}),
    ranks=(1, 7),
    imbalance=(WEIGHTS, OVER_SAMPLERS),
)

FOREST_SPACE = {
    "max_features": [0.2, 0.4, 0.7, 1.0, "sqrt"],
    "min_samples_leaf": randint(1, 12),
    "criterion": ["gini", "entropy"],
}
FOREST_DEFAULTS = {
    "max_features": "sqrt",
    "min_samples_leaf": 2,
    "criterion": "entropy",
}

EXTRA_TREES = Candidate(
    name="extra_trees",
    build=make.extra_trees,
    prepare=prepare.codes,
    space=FOREST_SPACE,
    defaults=FOREST_DEFAULTS,
    initial=({}, {"min_samples_leaf": 1, "criterion": "gini"}),
    ranks=(3, 9),
    imbalance=(UNDER_SAMPLERS, OVER_SAMPLERS),
)

RANDOM_FOREST = Candidate(
    name="random_forest",
    build=make.random_forest,
    prepare=prepare.codes,
    space=FOREST_SPACE,
    defaults=FOREST_DEFAULTS,
    initial=({}, {"max_features": 0.4, "min_samples_leaf": 1, "criterion": "gini"}),
    ranks=(5, 10),
    imbalance=(UNDER_SAMPLERS, OVER_SAMPLERS),
)

HIST_BOOSTING = Candidate(
    name="hist_boosting",
    build=make.hist_boosting,
    prepare=prepare.native,
    space={
        "learning_rate": loguniform(0.02, 0.3),
        "max_iter": [60, 100, 160, 250],
        "max_leaf_nodes": randint(4, 48),
        "min_samples_leaf": randint(2, 60),
        "l2_regularization": loguniform(1e-3, 30),
        "max_features": uniform(0.3, 0.7),
    },
    defaults={
        "learning_rate": 0.08,
        "max_iter": 100,
        "max_leaf_nodes": 16,
        "min_samples_leaf": 20,
        "l2_regularization": 1.0,
        "max_features": 0.6,
    },
    initial=({},),
    ranks=(2,),
    imbalance=(WEIGHTS, UNDER_SAMPLERS, OVER_SAMPLERS),
    sparse=False,
)

SVM = Candidate(
    name="svm",
    build=svm,
    prepare=prepare.scaled,
    space={
        "C": loguniform(0.05, 100),
        "gamma": ["scale", 0.1, 0.3, 1.0, 3.0],
        **SCALER,
    },
    defaults={"C": 1.0, "gamma": "scale", **PLAIN},
    initial=({},),
    ranks=(3.5,),
    imbalance=(WEIGHTS,),
    max_rows=5_000,
)

NEAREST_NEIGHBORS = Candidate(
    name="knn",
    build=make.nearest_neighbors,
    prepare=prepare.scaled,
    space={
        "n_neighbors": randint(3, 60),
        "weights": ["uniform", "distance"],
        "p": [1, 2],
        **SCALER,
    },
    defaults={"n_neighbors": 20, "weights": "distance", "p": 1, **RANKS},
    initial=({},),
    ranks=(11,),
    imbalance=(UNDER_SAMPLERS, OVER_SAMPLERS),
    weight=0.5,
    max_rows=30_000,
    weighted=False,
)

NAIVE_BAYES = Candidate(
    name="naive_bayes",
    build=make.naive_bayes,
    prepare=prepare.scaled,
    space={"var_smoothing": loguniform(1e-6, 0.5), **SCALER},
    defaults={"var_smoothing": 0.01, "scaler": "quantile", "encode": "target"},
    initial=({},),
    ranks=(12,),
    imbalance=(UNDER_SAMPLERS,),
    weight=0.25,
    sparse=False,
)

MLP = Candidate(
    name="mlp",
    build=make.mlp,
    plan_training=make.plan_mlp,
    prepare=prepare.scaled,
    space={
        "hidden_size": [32, 64, 128, 256],
        "n_layers": [1, 2, 3],
        "lr": loguniform(3e-3, 3e-2),
        "weight_decay": loguniform(1e-4, 0.3),
        "dropout": uniform(0.0, 0.4),
        **SCALER,
    },
    defaults={
        "hidden_size": 64,
        "n_layers": 2,
        "lr": 0.015,
        "weight_decay": 0.02,
        "dropout": 0.1,
        **RANKS,
    },
    initial=({},),
    ranks=(6.5,),
    imbalance=(OVER_SAMPLERS,),
    weight=0.5,
    sparse=False,
    package="torch skorch",
    extra="deep",
    time_budget_reason=make.mlp_time_reason,
)

CATBOOST = Candidate(
    name="catboost",
    build=make.catboost,
    prepare=prepare.as_it_is,
    space={
        "n_estimators": [100, 200, 300, 500],
        "learning_rate": loguniform(0.02, 0.3),
        "max_depth": randint(3, 8),
        "l2_leaf_reg": loguniform(0.1, 20),
        "random_strength": [0.1, 1.0, 3.0],
        "subsample": uniform(0.6, 0.4),
        "one_hot_max_size": [4, 10, 25],
    },
    defaults={
        "n_estimators": 300,
        "learning_rate": 0.08,
        "max_depth": 6,
        "l2_leaf_reg": 3.0,
        "random_strength": 1.0,
        "subsample": 0.8,
        "one_hot_max_size": 10,
    },
    initial=({},),
    ranks=(0.2,),
    imbalance=(WEIGHTS,),
    sparse=False,
    package="catboost",
    extra="boost",
    time_budget_reason=make.catboost_time_reason,
)

TABLES = (
    LIGHTGBM, CATBOOST, LOGISTIC, EXTRA_TREES, SVM, RANDOM_FOREST, HIST_BOOSTING, MLP, NEAREST_NEIGHBORS, NAIVE_BAYES
)  # fmt: skip

BALANCED_BAGGING = Candidate(
    name="balanced_bagging",
    build=make.balanced_bagging,
    prepare=prepare.codes,
    space={
        "n_estimators": randint(10, 100),
        "max_depth": [None, 4, 8, 16],
        "min_samples_leaf": randint(1, 20),
        "max_features": [None, "sqrt", 0.5],
    },
    defaults={
        "n_estimators": 40,
        "max_depth": None,
        "min_samples_leaf": 2,
        "max_features": None,
    },
    initial=({},),
    ranks=(13,),
)

EASY_ENSEMBLE = Candidate(
    name="easy_ensemble",
    build=make.easy_ensemble,
    prepare=prepare.native,
    space={
        "n_estimators": randint(5, 20),
        "learning_rate": loguniform(0.05, 0.3),
        "max_iter": randint(20, 100),
        "max_leaf_nodes": randint(4, 32),
    },
    defaults={
        "n_estimators": 10,
        "learning_rate": 0.1,
        "max_iter": 50,
        "max_leaf_nodes": 8,
    },
    initial=({},),
    ranks=(14,),
    sparse=False,
)

RUSBOOST = Candidate(
    name="rusboost",
    build=make.rusboost,
    prepare=prepare.codes,
    space={
        "n_estimators": randint(20, 150),
        "learning_rate": loguniform(0.1, 1.0),
        "max_depth": randint(1, 6),
        "min_samples_leaf": randint(1, 20),
    },
    defaults={
        "n_estimators": 50,
        "learning_rate": 0.5,
        "max_depth": 3,
        "min_samples_leaf": 5,
    },
    initial=({},),
    ranks=(15,),
)

BALANCED_FOREST = Candidate(
    name="balanced_forest",
    build=make.balanced_forest,
    prepare=prepare.codes,
    space=FOREST_SPACE,
    defaults=FOREST_DEFAULTS,
    initial=({},),
    ranks=(16,),
)

# Ensembles of balanced draws are tried only where `candidates` names them: no evidence puts them before the others.
ON_REQUEST = (BALANCED_BAGGING, EASY_ENSEMBLE, RUSBOOST, BALANCED_FOREST)
