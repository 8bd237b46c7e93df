"""One run of one system on one split: reads what peers.py wrote, fits, and writes answers, seconds and megabytes.

It and the scripts beside it run in the environments of the systems, with numpy and pandas of any version, so they
import nothing of skauto.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

LABEL = "target"
MANY = 10_000
# Numbers with a point are read as text first: not every version of pandas reads each to its last bit.
DTYPES = {"int": "int64", "bool": "bool", "text": "object", "float": "object", "datetime": "object"}


@dataclass(frozen=True)
class Task:
    """What a system gets: labels are numbers from 0, with two classes 1 is the positive one."""

    folder: Path
    X: pd.DataFrame
    y: np.ndarray
    X_test: pd.DataFrame
    n_classes: int
    time_limit: float
    seed: int
    cores: int
    kinds: dict

    @property
    def is_binary(self):
        return self.n_classes == 2

    def columns(self, kind):
        """Names of the columns of a kind: int, float, bool, text or datetime."""
        return [name for name, its in self.kinds.items() if its == kind]

    def training_table(self):
        """The training rows with the label as the last column."""
        return self.X.assign(**{LABEL: self.y})


@dataclass(frozen=True)
class Model:
    """What a system gives back."""

    predict: Callable  # rows to labels
    predict_proba: Callable  # rows to an array (rows, classes)
    classes: Any  # the labels of its columns
    save: Callable  # writes the model to a path, a file or a folder
    notes: Callable = dict  # what else to record, asked for at the end
    keep: Callable | None = None  # brings the model into memory to predict faster, where its guide advises it


def read_task(folder):
    """The task of a folder that peers.py has filled."""
    settings = json.loads((folder / "task.json").read_text())
    kinds = settings["kinds"]
    X, X_test = (read_part(folder / name, kinds) for name in ("train.csv", "test.csv"))
    y = np.array(json.loads((folder / "labels.json").read_text()))
    settings = {name: settings[name] for name in ("n_classes", "time_limit", "seed", "cores")}
    return Task(folder=folder, X=X, y=y, X_test=X_test, kinds=kinds, **settings)


def read_part(path, kinds):
    """A table with the types that it was written with; only an empty field is a missing value."""
    frame = pd.read_csv(
        path,
        keep_default_na=False,
        na_values=[""],
        dtype={name: DTYPES[kind] for name, kind in kinds.items()},
    )
    for name, kind in kinds.items():
        if kind == "float":
            frame[name] = frame[name].astype("float64")
        elif kind == "datetime":
            frame[name] = pd.to_datetime(frame[name], format="ISO8601")
    return frame


def run(fit, *options):
    """Do the task of the folder named on the command line with `fit(task, *options)`, which returns a Model."""
    folder = Path(sys.argv[1])
    task = read_task(folder)
    began = time.perf_counter()
    model = fit(task, *options)
    fit_seconds = time.perf_counter() - began
    (folder / "fitted").touch()
    labels = np.asarray(model.predict(task.X_test)).ravel().astype(int)
    probability = in_order(model, task.X_test, task.n_classes)
    np.savez(folder / "answers.npz", labels=labels, probability=probability)
    notes = {}
    if model.keep:
        notes["not_kept"] = predict_seconds(model, task.X_test)
        model.keep()
    row = {"fit_seconds": fit_seconds, **predict_seconds(model, task.X_test), "model_mb": size_of(model, folder)}
    (folder / "row.json").write_text(json.dumps({**row, "notes": {**notes, **model.notes()}}, default=str))


def in_order(model, X, n_classes):
    """Probabilities with a column for each class, zero for those that the model does not know."""
    probability = np.zeros((len(X), n_classes))
    probability[:, np.asarray(model.classes).astype(int)] = np.asarray(model.predict_proba(X))
    return probability


def predict_seconds(model, X):
    """Seconds of predict_proba for one row (best of three) and for 10,000, after a call that does not count."""
    rows = np.random.default_rng(0).integers(len(X), size=MANY)
    many, one = X.iloc[rows].reset_index(drop=True), X.iloc[:1]
    model.predict_proba(one)
    first = min(seconds_of(model.predict_proba, one) for _ in range(3))
    return {"predict_1_s": first, "predict_10000_s": seconds_of(model.predict_proba, many)}


def seconds_of(call, *given):
    """Wall-clock seconds of a call."""
    began = time.perf_counter()
    call(*given)
    return time.perf_counter() - began


def size_of(model, folder):
    """Megabytes of the saved model, a file or a folder."""
    path = folder / "saved"
    model.save(path)
    return megabytes(path)


def megabytes(path):
    """Megabytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size / 1e6
    return sum(os.path.getsize(Path(top) / name) for top, _, names in os.walk(path) for name in names) / 1e6
