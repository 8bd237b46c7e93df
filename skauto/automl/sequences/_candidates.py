"""What to try on sequences: candidates with their preparation, space and first settings, as plain data."""

from typing import Any

from scipy.stats import loguniform, randint, uniform

from skauto.automl._candidate import Candidate
from skauto.automl._imbalance import REPEATED, WEIGHTS
from skauto.automl._matrix_learners import (
    LIGHTGBM_DEFAULTS,
    LIGHTGBM_SPACE,
    extra_trees,
    lightgbm,
    ridge,
)
from skauto.automl.sequences import _learners as make

FEATURES = {"n_features": [2_000, 5_000, 10_000], "differences": [False, True]}

ROCKET = Candidate(
    name="rocket",
    build=ridge,
    prepare=make.rocket,
    space=FEATURES,
    defaults={"n_features": 10_000, "differences": False},
    initial=({}, {"differences": True}),
    ranks=(0, 2),
    imbalance=(WEIGHTS, REPEATED),
    max_rows=6_000,
)

ROCKET_LOGISTIC = Candidate(
    name="rocket_logistic",
    build=make.logistic,
    prepare=make.rocket,
    space={"C": loguniform(1e-5, 1e-1), **FEATURES},
    defaults={"C": 1e-3, "n_features": 10_000, "differences": False},
    initial=({},),
    ranks=(4,),
    imbalance=(WEIGHTS, REPEATED),
)

LIGHTGBM = Candidate(
    name="lightgbm",
    build=lightgbm,
    prepare=make.summary,
    space=LIGHTGBM_SPACE,
    defaults=LIGHTGBM_DEFAULTS,
    initial=({}, {"learning_rate": 0.05, "num_leaves": 8, "min_child_samples": 10}),
    ranks=(1, 7),
    imbalance=(WEIGHTS, REPEATED),
    package="lightgbm",
)

EXTRA_TREES = Candidate(
    name="extra_trees",
    build=extra_trees,
    prepare=make.summary,
    space={"max_features": [0.1, 0.2, 0.4, "sqrt"], "min_samples_leaf": randint(1, 6)},
    defaults={"max_features": "sqrt", "min_samples_leaf": 1},
    initial=({},),
    ranks=(3,),
    imbalance=(REPEATED,),
    weight=0.5,
)

NET_SPACE = {
    "hidden_size": [32, 64, 128],
    "n_layers": [1, 2, 3],
    "bidirectional": [False, True],
    "pooling": ["mean", "last", "attention"],
    "conv_size": [1, 4, 9],
    "normalization": ["layer", "batch"],
    "lr": loguniform(1e-3, 2e-2),
    "dropout": uniform(0.0, 0.4),
}
NET_DEFAULTS = {
    "hidden_size": 64,
    "n_layers": 2,
    "bidirectional": False,
    "pooling": "mean",
    "conv_size": 4,
    "normalization": "layer",
    "lr": 5e-3,
    "dropout": 0.1,
}
NET: dict[str, Any] = {
    "prepare": make.whole,
    "plan_training": make.plan_net,
    "space": NET_SPACE,
    "defaults": NET_DEFAULTS,
    "imbalance": (WEIGHTS, REPEATED),
    "package": "torch skorch",
    "extra": "deep",
    "time_budget_reason": make.net_time_reason,
}

MIN_GRU = Candidate(
    name="min_gru",
    build=make.min_gru,
    initial=({}, {"bidirectional": True}),
    ranks=(5, 8),
    **NET,
)
MIN_LSTM = Candidate(
    name="min_lstm", build=make.min_lstm, initial=({},), ranks=(6,), weight=0.5, **NET
)

SEQUENCES = (ROCKET, LIGHTGBM, MIN_GRU, EXTRA_TREES, ROCKET_LOGISTIC, MIN_LSTM)
