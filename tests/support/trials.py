"""Trials that are fully evaluated, and a small plan, for the tests of what comes after a search."""

from dataclasses import replace

import numpy as np
from sklearn.datasets import make_classification

from skauto.automl import _make_plan
from skauto.automl._classifier import AutoClassifier
from skauto.automl._kind import KINDS, Splits, kind_named
from skauto.automl._settings import settings_of
from skauto.automl._splits import given_folds
from skauto.automl.evaluation._constraints import UNBOUND
from skauto.automl.selection._select import Scored
from skauto.inputs._read import inspect


def scored(number, score, folds, unresampled=True, proba=None):
    values = {"candidate": "logistic", "imbalance": "none" if unresampled else "SMOTE"}
    return Scored(
        number, values, score, np.array(folds), proba, fit_seconds=0.1, best_iteration=None, unresampled=unresampled
    )


def make_plan(
    data,
    *,
    cv=5,
    pos_label=None,
    seed=0,
    threads=1,
    cost_matrix=None,
    memory_limit=None,
    finite=False,
    constraints=UNBOUND,
    **parameters,
):
    """The plan of a search for data as `inspect` gives them, and parameters of AutoClassifier."""
    strategy = "grid" if finite else "auto"
    auto = AutoClassifier(n_iter=9, strategy=strategy, **{"time_limit": None, **parameters})
    settings = replace(
        settings_of(auto.get_params(deep=False)), threads=threads, trial_memory=memory_limit, constraints=constraints
    )
    folds = given_folds(cv, data.X, data.y, data.groups, data.y)
    return _make_plan.make_plan(replace(data, cv=folds, pos_label=pos_label, costs=cost_matrix), settings, seed)


def small_plan():
    """The plan of a small table of two classes, "no" and "yes"; logistic regression is tried first, then a forest."""
    X, y = make_classification(120, 5, weights=[0.7], random_state=0)
    data = inspect(X, np.array(["no", "yes"])[y])
    names = ["logistic", "extra_trees"]
    plan = make_plan(data, scoring="f1", cv=3, candidates=names, pos_label="yes", seed=0, threads=1)
    return replace(plan, initial=sorted(plan.initial, key=lambda p: names.index(plan.space.decode(p)["candidate"])))


def read_images(images, y):
    """Images and labels as a fit reads them."""
    kind = kind_named("image")
    return inspect(images, y, kind=kind.name, read=kind.read, n_features=kind.n_features)


def with_single_fold(monkeypatch, n_rows):
    """Hold one fold of images back from so many rows on."""
    image = replace(kind_named("image"), splits=Splits(single_fold_rows=n_rows))
    monkeypatch.setitem(KINDS, "image", image)
