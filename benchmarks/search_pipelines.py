"""Six real pipelines over tables, in the form of the surrogates of search.py: what a configuration scores is computed.

A fidelity is a fraction of the training rows, nested and stratified; a promoted trial starts over, and pays for it.
"""

import warnings
from pathlib import Path

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from lightgbm import LGBMClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tables import read_table

from skauto.search._folds import nested_rows

FOLDS, MIN_CLASS_ROWS = 3, 8


def _real(low, high, log=True):
    return {"type": "float", "lower": low, "upper": high, "log": log}


def _whole(low, high, log=False):
    return {"type": "int", "lower": low, "upper": high, "log": log}


def _choice(*choices):
    return {"type": "categorical", "choices": list(choices)}


SVC_SPACE = {
    "svc__kernel": _choice("rbf", "poly", "linear"),
    "svc__C": _real(1e-3, 1e3),
    "svc__gamma": _real(1e-5, 1e1),
    "svc__degree": _whole(2, 4),
    "svc__class_weight": _choice(None, "balanced"),
}
SVC_PARENTS = {"svc__gamma": ("svc__kernel", ["rbf", "poly"]), "svc__degree": ("svc__kernel", ["poly"])}
TREES_SPACE = {
    "lgbmclassifier__learning_rate": _real(0.01, 0.5),
    "lgbmclassifier__num_leaves": _whole(3, 63, log=True),
    "lgbmclassifier__min_child_samples": _whole(2, 60, log=True),
    "lgbmclassifier__colsample_bytree": _real(0.2, 1.0, log=False),
    "lgbmclassifier__reg_lambda": _real(1e-3, 1e2),
    "lgbmclassifier__reg_alpha": _real(1e-3, 1e2),
    "lgbmclassifier__n_estimators": _whole(10, 80, log=True),
}
SMOTE_SPACE = {
    "smote__k_neighbors": _whole(1, 7),
    "smote__sampling_strategy": _real(0.15, 1.0, log=False),
    "logisticregression__C": _real(1e-4, 1e3),
    "logisticregression__class_weight": _choice(None, "balanced"),
}
NET_SPACE = {
    "mlpclassifier__hidden_layer_sizes": _whole(4, 64, log=True),
    "mlpclassifier__alpha": _real(1e-6, 1e1),
    "mlpclassifier__learning_rate_init": _real(1e-4, 1e-1),
    "mlpclassifier__activation": _choice("relu", "tanh", "logistic"),
    "mlpclassifier__batch_size": _whole(16, 128, log=True),
}


def _svc(random_state):
    return SVC(random_state=random_state, max_iter=20_000)


def _trees(random_state):
    return LGBMClassifier(random_state=random_state, n_jobs=1, verbose=-1)


def _net(random_state):
    return MLPClassifier(max_iter=15, random_state=random_state)


# Name of the pipeline: steps after imputing and scaling, space, parents, tables.
PIPELINES = {
    "SVC": ([_svc], SVC_SPACE, SVC_PARENTS, ["pima_diabetes", "oil_spill"]),
    "LightGBM": ([_trees], TREES_SPACE, {}, ["pima_diabetes", "oil_spill"]),
    "logistic with SMOTE": ([SMOTE, LogisticRegression], SMOTE_SPACE, {}, ["oil_spill"]),
    "MLP": ([_net], NET_SPACE, {}, ["pima_diabetes"]),
}


class PipelineScore:
    """What a surrogate has: `params`, `parents`, and a call that gives the mean average precision over the folds."""

    def __init__(self, name, table, folder):
        self.scenario, self.instance = name, table
        makers, self.params, self.parents, _ = PIPELINES[name]
        self._makers = makers
        X, y, positive = read_table(Path(folder), table)
        self._X, self._y = X.to_numpy(dtype=float), (y == positive).astype(int)
        self._folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(self._X, self._y))

    def __call__(self, config, fidelity=1.0):
        values = {name: value for name, value in config.items() if self._active(name, config)}
        pipeline = make_pipeline(SimpleImputer(), StandardScaler(), *(make(random_state=0) for make in self._makers))
        pipeline.set_params(**values)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(np.mean([self._fold(pipeline, *fold, fidelity) for fold in self._folds]))

    def _fold(self, pipeline, train, test, fidelity):
        train = train[nested_rows(self._y[train], fidelity, MIN_CLASS_ROWS, 0)]
        pipeline.fit(self._X[train], self._y[train])
        if hasattr(pipeline, "decision_function"):
            judged = pipeline.decision_function(self._X[test])
        else:
            judged = pipeline.predict_proba(self._X[test])[:, 1]
        return average_precision_score(self._y[test], judged)

    def _active(self, name, config):
        parent, values = self.parents.get(name, (None, ()))
        return parent is None or config.get(parent) in values


def suite(folder):
    """All six, over the tables of a folder."""
    return [PipelineScore(name, table, folder) for name, (*_, tables) in PIPELINES.items() for table in tables]
