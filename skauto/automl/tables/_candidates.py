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
from skauto.automl.tables._portfolio import learnt

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
        "learning_rate": loguniform(0.01, 0.2),
        "num_leaves": randint(2, 201),
        "min_child_samples": randint(1, 60),
        "colsample_bytree": uniform(0.25, 0.75),
        "reg_alpha": uniform(0, 4),
        "path_smooth": uniform(0, 20),
        "max_bin": [63, 255],
        "cat_smooth": loguniform(1, 50),
        "extra_trees": [False, True],
        "features": [prepare.PLAIN_FEATURES, prepare.CROSSED],
    },
    defaults={
        **LIGHTGBM_DEFAULTS,
        "reg_alpha": 0.0,
        "path_smooth": 0.0,
        "max_bin": 255,
        "cat_smooth": 10.0,
        "extra_trees": False,
        "features": prepare.PLAIN_FEATURES,
    },
    **learnt("lightgbm"),
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
    **learnt("logistic"),
    imbalance=(WEIGHTS, OVER_SAMPLERS),
)

FOREST_SPACE = {
    "max_features": [0.2, 0.4, 0.75, 1.0, "sqrt"],
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
    **learnt("extra_trees"),
    imbalance=(UNDER_SAMPLERS, OVER_SAMPLERS),
)

RANDOM_FOREST = Candidate(
    name="random_forest",
    build=make.random_forest,
    prepare=prepare.codes,
    space=FOREST_SPACE,
    defaults=FOREST_DEFAULTS,
    **learnt("random_forest"),
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
    **learnt("hist_boosting"),
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
    **learnt("svm"),
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
    **learnt("knn"),
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
    **learnt("naive_bayes"),
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
        "embedding": [None, "periodic"],
        **SCALER,
    },
    defaults={
        "hidden_size": 64,
        "n_layers": 2,
        "lr": 0.015,
        "weight_decay": 0.02,
        "dropout": 0.1,
        "embedding": None,
        **RANKS,
    },
    **learnt("mlp"),
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
    **learnt("catboost"),
    imbalance=(WEIGHTS,),
    sparse=False,
    package="catboost",
    extra="boost",
    time_budget_reason=make.catboost_time_reason,
)

TABLES = (
    LIGHTGBM, CATBOOST, LOGISTIC, EXTRA_TREES, SVM, RANDOM_FOREST, HIST_BOOSTING, MLP, NEAREST_NEIGHBORS, NAIVE_BAYES
)  # fmt: skip
