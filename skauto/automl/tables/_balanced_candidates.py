"""Candidates of tables that are tried only where `candidates` names them: ensembles of balanced draws."""

from scipy.stats import loguniform, randint

from skauto.automl._candidate import Candidate
from skauto.automl.tables import _learners as make
from skauto.automl.tables import _preparation as prepare
from skauto.automl.tables._candidates import FOREST_DEFAULTS, FOREST_SPACE

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
    ranks=(100,),
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
    ranks=(101,),
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
    ranks=(102,),
)

BALANCED_FOREST = Candidate(
    name="balanced_forest",
    build=make.balanced_forest,
    prepare=prepare.codes,
    space=FOREST_SPACE,
    defaults=FOREST_DEFAULTS,
    initial=({},),
    ranks=(103,),
)

# No evidence puts them before the others.
ON_REQUEST = (BALANCED_BAGGING, EASY_ENSEMBLE, RUSBOOST, BALANCED_FOREST)
