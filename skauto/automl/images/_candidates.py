"""What to try on images: candidates with their preparation, space and first settings, as plain data."""

from collections.abc import Mapping
from typing import Any, cast

from scipy.stats import loguniform, randint

from skauto.automl._candidate import Candidate
from skauto.automl._imbalance import REPEATED, WEIGHTS
from skauto.automl._matrix_learners import (
    LIGHTGBM_DEFAULTS,
    LIGHTGBM_SPACE,
    extra_trees,
    lightgbm,
    ridge,
    svm,
)
from skauto.automl.images import _learners as make
from skauto.automl.images._epoch_planning import net_time_reason
from skauto.automl.images._first_networks import NARROW, first_networks

LOGISTIC = Candidate(
    name="logistic",
    build=make.logistic,
    prepare=make.scaled_summary,
    space={"C": loguniform(1e-4, 1)},
    defaults={"C": 0.01},
    initial=({},),
    ranks=(0,),
    imbalance=(WEIGHTS, REPEATED),
)

# Of a thousand images better than all others but networks, and within seconds.
RANDOM_PATCHES = Candidate(
    name="random_patches",
    build=ridge,
    prepare=make.random_patches,
    space={"n_patches": [50, 100, 200], "size": [4, 5, 6, 7], "cells": [2, 3, 4]},
    defaults={"n_patches": 100, "size": 6, "cells": 3},
    initial=({},),
    ranks=(0.5,),
    imbalance=(WEIGHTS, REPEATED),
    max_rows=6_000,
)

EXTRA_TREES = Candidate(
    name="extra_trees",
    build=extra_trees,
    prepare=make.summary,
    space={"max_features": [0.05, 0.1, 0.2, "sqrt"], "min_samples_leaf": randint(1, 6)},
    defaults={"max_features": "sqrt", "min_samples_leaf": 1},
    initial=({},),
    ranks=(4,),
    imbalance=(REPEATED,),
    weight=0.5,
)

LIGHTGBM = Candidate(
    name="lightgbm",
    build=lightgbm,
    prepare=make.summary,
    space=LIGHTGBM_SPACE,
    defaults={
        **LIGHTGBM_DEFAULTS,
        "colsample_bytree": 0.4,
        "min_child_samples": 20,
    },
    initial=({},),
    ranks=(5,),
    imbalance=(WEIGHTS, REPEATED),
    weight=0.5,
    max_rows=8_000,
    package="lightgbm",
)

SVM = Candidate(
    name="svm",
    build=svm,
    prepare=make.scaled_summary,
    space={"C": loguniform(0.3, 30), "gamma": ["scale"]},
    defaults={"C": 5.0, "gamma": "scale"},
    initial=({},),
    ranks=(3,),
    imbalance=(WEIGHTS,),
    max_rows=5_000,
)

CNN = Candidate(
    name="cnn",
    build=make.cnn,
    plan_training=make.plan_cnn,
    prepare=make.whole,
    space={
        "backbone": ["pooled", "plain", "resnet"],
        "width": [8, 16, 32],
        "depth": [1, 2],
        "lr": loguniform(1e-3, 1e-2),
        "flip": ["auto", 0.0, 0.5],
        "shift": [0.0, 0.05, 0.1],
        "cutout": [0.0, 0.25],
    },
    defaults={
        "backbone": "pooled",
        "width": 16,
        "depth": 2,
        "lr": 5e-3,
        "flip": "auto",
        "shift": 0.05,
        "cutout": 0.0,
    },
    # Within a time limit these are often all: see decision 809.
    initial=NARROW,
    initial_for=first_networks,
    ranks=(1, 2, 2.2, 2.4),
    imbalance=(WEIGHTS, REPEATED),
    weight=2.0,
    package="torch skorch",
    extra="deep",
    time_budget_reason=net_time_reason,
)

COMPRESSED_CNN = Candidate(
    name="compressed_cnn",
    build=make.compressed_cnn,
    plan_training=make.plan_compressed_cnn,
    prepare=make.whole,
    space={
        **cast(Mapping[str, Any], CNN.space),
        "width": [4, 8, 16, 32],
        "filters": [0.0, 0.3, 0.5],
        "form": ["int8", "codebook"],
    },
    defaults={
        **CNN.defaults,
        "backbone": "resnet",
        "width": 8,
        "depth": 1,
        "flip": 0.0,
        "filters": 0.0,
        "form": "codebook",
    },
    # Within bounds the largest come first, as feasibility checks leave out at once what is too large.
    initial=(
        {"width": 16},
        {},
        {"flip": 0.5},
        {"backbone": "plain", "width": 16, "depth": 2},
        {"width": 4},
        {"backbone": "plain", "width": 16, "form": "int8"},
    ),
    ranks=(2.2, 2.4, 2.6, 6.5, 7.5, 8),
    imbalance=CNN.imbalance,
    weight=2.0,
    package=CNN.package,
    extra=CNN.extra,
    time_budget_reason=make.compressed_time_reason,
)

# Tried only where named, or where a winner's cost is bounded.
COMPRESSED = (COMPRESSED_CNN,)

IMAGES = (LOGISTIC, RANDOM_PATCHES, CNN, EXTRA_TREES, SVM, LIGHTGBM)
