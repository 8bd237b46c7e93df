"""Are the probabilities of AutoClassifier right: log loss and expected calibration error on rows held back.

    python benchmarks/calibration.py --data DIR --time-limit 15 --out calibration.jsonl --keep FOLDER
    python benchmarks/calibration.py --out calibration.jsonl --report

Tables of at least 2,000 rows, split 70/30 by class as in tables.py. The error has 15 bins of equal mass, of two classes
over the probability of the positive one, of more over that of the likeliest class. A bin of few rows is off by chance
alone: `chance` is the mean error of labels drawn from the very probabilities, so that an error near it says nothing
against them. "blended" are the probabilities of the ensemble, "predicted" what `predict_proba` makes of them.

One line of JSON is appended for each table, limit, seed and commit, and what is there is skipped. With --keep the
out-of-fold and the held-back probabilities are kept as FOLDER/TABLE-SEED.npz, to try other calibrations on.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tables import read_table, split_rows, table_names

LEAST_ROWS = 2_000
BINS = 15
DRAWS = 200
SAID = ("blended", "predicted")


def log_loss(codes, proba):
    """Mean of minus the log of the probability of the true class."""
    return float(-np.mean(np.log(np.maximum(proba[np.arange(len(codes)), codes], 1e-15))))


def judged(codes, proba, positive):
    """A probability of each row, and whether what it is about is true."""
    if positive is not None:
        return proba[:, positive], codes == positive
    return proba.max(axis=1), codes == proba.argmax(axis=1)


def calibration_error(probability, true):
    """Expected calibration error over bins of equal mass."""
    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(probability[rows].mean() - true[rows].mean()) * len(rows)
        for rows in np.array_split(order, BINS)
        if len(rows)
    ]
    return float(sum(gaps) / len(order))


def error_of_chance(probability, seed=0):
    """The mean calibration error where labels are drawn from the probabilities."""
    rng = np.random.default_rng(seed)
    drawn = (rng.random((DRAWS, len(probability))) < probability).astype(float)
    return float(np.mean([calibration_error(probability, labels) for labels in drawn]))


def run(data, name, limit, seed, keep):
    """Fit on one table; what is appended."""
    from skauto import AutoClassifier

    X, y, positive = read_table(data, name)
    y = np.asarray(y)
    labels, counts = np.unique(y, return_counts=True)
    if positive is None and len(labels) == 2:
        positive = labels[counts.argmin()]
    train, test = split_rows(y, seed)
    model = AutoClassifier(time_limit=limit, n_jobs=2, random_state=seed, verbose=0, pos_label=positive)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X.iloc[train].reset_index(drop=True), y[train])
    seconds = time.perf_counter() - began
    held = X.iloc[test].reset_index(drop=True)
    answers = {"predicted": model.predict_proba(held), "blended": model.ensemble_.calibrated(None).predict_proba(held)}
    codes = np.searchsorted(model.classes_, y[test])
    place = None if positive is None else model.classes_.tolist().index(positive)
    calibration = model.ensemble_.calibration_
    line = {
        "model": model.model_kind_,
        "members": len(model.ensemble_.estimators_),
        "calibration": None if calibration is None else calibration.kind,
    }
    line |= {"n_train": len(train), "n_test": len(test), "n_classes": len(model.classes_), "seconds": round(seconds, 2)}
    for said, proba in answers.items():
        probability, true = judged(codes, proba, place)
        line[said] = {
            "log_loss": log_loss(codes, proba),
            "error": calibration_error(probability, true),
            "chance": error_of_chance(probability),
        }
    if keep is not None and len(model._rows.places):
        keep.mkdir(parents=True, exist_ok=True)
        rows, members = model._rows, list(model._kept)
        weights = zip(model.ensemble_.weights_, members, strict=False)  # the best one may stand behind the members
        blended = sum(weight * rows.of_trials[number] for weight, number in weights)
        np.savez_compressed(
            keep / f"{name}-{seed}.npz", oof=blended, y=rows.y, fold=rows.fold, repeat=rows.repeat,
            held=answers["blended"], held_y=codes, positive=-1 if place is None else place,
        )  # fmt: skip
    return line


def report(lines):
    """A row a table: what was blended and what is predicted."""
    whats = ("log_loss", "error", "chance")
    names = "".join(f"{said + ' ' + what:>20s}" for said in SAID for what in whats)
    sys.stdout.write(f"{'table':18s} {'limit':>5s} {'seed':>4s} {'rows':>6s}{names}\n")
    for line in sorted(lines, key=lambda line: (line["limit"], line["table"], line["seed"])):
        cells = "".join(f"{line[said][what]:20.4f}" for said in SAID for what in whats)
        sys.stdout.write(f"{line['table']:18s} {line['limit']:5.0f} {line['seed']:4d} {line['n_test']:6d}{cells}\n")


def main():
    """Run what is missing, or print what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--time-limit", type=float, default=15)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    lines = [json.loads(line) for line in given.out.read_text().splitlines()] if given.out.exists() else []
    if given.report:
        report(lines)
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    known = {(line["table"], line["limit"], line["seed"], line["commit"]) for line in lines}
    for name in given.tables or table_names(given.data):
        for seed in range(given.seeds):
            key = {"table": name, "limit": given.time_limit, "seed": seed, "commit": commit.stdout.strip()}
            if tuple(key.values()) in known or len(read_table(given.data, name)[1]) < LEAST_ROWS:
                continue
            line = {**key, **run(given.data, name, given.time_limit, seed, given.keep)}
            with given.out.open("a") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
