"""Does a change of the code leave every answer as it was: a fixed set of fits in count mode, recorded and compared.

What is recorded of each fit: the leaderboard without its seconds, the parameters of the best trial, the thresholds, a
digest of the predicted probabilities with the first of them, and what the journal says without times, checksums and
digests of code.

    python benchmarks/same_answers.py record before.json
    python benchmarks/same_answers.py compare before.json

Answers are those of one machine: other processors add numbers in another order. Columns of the leaderboard that have
another name since are listed in RENAMED.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import loguniform, uniform
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto import AutoClassifier
from skauto.resample import SMOTE, ResamplingClassifier
from skauto.search import SearchCV

# Old name -> new name of columns of the leaderboard and keys of the journal.
RENAMED = {"stop": "best_iteration"}

# What may differ between two runs of the same code, or with the names of files: the bytes of a pickled model hold them.
# How many results a journal had when a trial was asked ("seen") depends on which worker ended first; the trial doesn't.
TIMES = {
    "seen",
    "footprint",
    "bytes",
    "seconds",
    "time",
    "crc32",
    "fit_seconds",
    "score_seconds",
    "fit_time",
    "score_time",
    "peak_memory",
    "about",
}


def table(n_rows=400, n_classes=2, seed=0):
    """Numbers, a category and gaps."""
    X, y = make_classification(
        n_rows, 8, n_informative=5, n_classes=n_classes, weights=[0.8] if n_classes == 2 else None, random_state=seed
    )
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    frame["kind"] = np.where(frame["a"] > 0.5, "high", np.where(frame["b"] > 0, "middle", "low"))
    frame.loc[frame.index % 7 == 0, "c"] = np.nan
    return frame, np.array([f"class {code}" for code in y])


def auto(**changes):
    """Settings of a fit in count mode."""
    given = {"time_limit": None, "n_iter": 10, "cv": 3, "n_jobs": 2, "random_state": 0, "verbose": 0}
    return AutoClassifier(**{**given, **changes})


def binary(folder):
    """Two classes, every candidate."""
    X, y = table()
    return auto(n_iter=14, pos_label="class 1", journal=folder).fit(X, y), X


def many_classes(folder):
    """Four classes, a threshold for each."""
    X, y = table(500, 4)
    return auto(candidates=["lightgbm", "logistic", "extra_trees"], journal=folder).fit(X, y), X


def weights(folder):
    """Weights of rows."""
    X, y = table(seed=1)
    weight = np.random.default_rng(0).integers(1, 4, len(y))
    model = auto(candidates=["logistic", "lightgbm", "mlp"], pos_label="class 1", journal=folder)
    return model.fit(X, y, sample_weight=weight), X


def groups(folder):
    """Rows that belong together."""
    X, y = table(seed=2)
    model = auto(candidates=["random_forest", "logistic"], pos_label="class 1", strategy="genetic", journal=folder)
    return model.fit(X, y, groups=np.arange(len(y)) // 4), X


def costs(folder):
    """Costs of mistakes."""
    X, y = table(seed=3)
    model = auto(candidates=["logistic", "hist_boosting"], cost_matrix=[[0, 1], [8, 0]], strategy="tpe", journal=folder)
    return model.fit(X, y), X


def constraints(folder):
    """A bound of the saved bytes, under successive halving."""
    X, y = table(2_000, seed=4)
    model = auto(
        candidates=["logistic", "lightgbm"], constraints={"bytes": 300_000}, strategy="halving", journal=folder
    )
    return model.fit(X, y), X


def sequences(folder):
    """Series of unequal lengths."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    X = np.sin(np.arange(30) * (0.3 + 0.2 * y[:, None]))[:, :, None] + rng.normal(0, 0.4, (90, 30, 2))
    X[::4, 20:] = np.nan
    model = auto(n_iter=7, cv=2, candidates=["rocket", "min_gru", "lightgbm"], journal=folder)
    return model.fit(X, y), X


def images(folder):
    """Small grey images."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    X = rng.integers(0, 90, (120, 16, 16), dtype=np.uint8)
    X[y == 1, 4:12, 7:9] += 120
    model = auto(n_iter=5, cv=2, candidates=["cnn", "logistic"], pos_label=1, journal=folder)
    return model.fit(X, y), X


def search(folder):
    """SearchCV over a pipeline with SMOTE, racing and a schedule."""
    X, y = make_classification(600, 6, weights=[0.9], random_state=0)
    pipeline = make_pipeline(StandardScaler(), ResamplingClassifier(LogisticRegression(), SMOTE(random_state=0)))
    space = {
        "resamplingclassifier__estimator__C": loguniform(1e-3, 1e2),
        "resamplingclassifier__sampler__sampling_strategy": uniform(0.3, 0.7),
    }
    model = SearchCV(
        pipeline, space, strategy="hyperband", scoring="f1", n_iter=20, n_jobs=2, cv=3, random_state=0, journal=folder
    )
    return model.fit(X, y), X


FITS = [binary, many_classes, weights, groups, costs, constraints, sequences, images, search]


def answers(fit):
    """What one fit gave, as plain data."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, X = fit(Path(folder) / "journal")
        proba = model.predict_proba(X)
        said = {
            "labels": _digest(np.asarray(model.predict(X)).astype(str)),
            "probabilities": _digest(np.ascontiguousarray(proba, dtype=float)),
            "first": np.round(proba[:3], 6).tolist(),
            "best": repr(sorted((RENAMED.get(key, key), repr(value)) for key, value in model.best_params_.items())),
            "journal": _journal(Path(folder) / "journal" / "log.jsonl"),
        }
    if isinstance(model, AutoClassifier):
        said["threshold"] = np.round(
            np.atleast_1d(np.nan if model.threshold_ is None else model.threshold_), 9
        ).tolist()
        board = model.leaderboard(details=True).drop(columns="seconds").rename(columns=RENAMED)
    else:
        results = pd.DataFrame(model.cv_results_)
        board = results[[name for name in results if not name.endswith("_time")]]
    columns = board.drop(columns=TIMES & set(board)).sort_index(axis=1).items()
    said["board"] = {name: [_plain(cell) for cell in column] for name, column in columns}
    return said


def _digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def _plain(cell):
    return f"{cell:.9g}" if isinstance(cell, float) else str(cell)


def _journal(log):
    """The lines of a journal in the order of trials, without what may differ."""
    lines = [_kept(json.loads(line)) for line in log.read_text().splitlines()]
    lines.sort(key=lambda line: (line["event"], _number(line)))
    return [json.dumps(line, sort_keys=True) for line in lines]


def _number(line):
    """The number of the trial that a line is about, -1 for the first line."""
    return (line.get("trial") or line.get("result") or {}).get("number", -1)


def _kept(value):
    if isinstance(value, dict):
        return {
            RENAMED.get(key, key): _kept(inner)
            for key, inner in value.items()
            if key not in TIMES and inner is not None
        }
    return [_kept(inner) for inner in value] if isinstance(value, list) else value


def differences(before, after, path=""):
    """Where two records differ, a line each."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted({*before, *after})
        missing = [f"{path}/{name} is in one record alone" for name in names if (name in before) != (name in after)]
        both = [name for name in names if name in before and name in after]
        return missing + [line for name in both for line in differences(before[name], after[name], f"{path}/{name}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for folder, (old, new) in pairs for line in differences(old, new, f"{path}[{folder}]")]
    if str(before) == str(after) == "nan":
        return []
    return [] if before == after else [f"{path}: {str(before)[:200]} -> {str(after)[:200]}"]


def main():
    """Record the answers, or compare them with a record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["record", "compare"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--fits", nargs="+", choices=[fit.__name__ for fit in FITS], help="default: all")
    args = parser.parse_args()
    chosen = [fit for fit in FITS if args.fits is None or fit.__name__ in args.fits]
    found = json.loads(json.dumps({fit.__name__: answers(fit) for fit in chosen}))
    if args.what == "record":
        args.file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        return
    before = json.loads(args.file.read_text())
    lines = differences({name: before[name] for name in found}, found)
    sys.stdout.write("\n".join(lines or ["the same answers"]) + "\n")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
