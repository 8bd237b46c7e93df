"""Honest scores beside rows held back, on a pool of trials that `portfolio/pool.py` measured.

    python benchmarks/honest.py --pool POOL --scores f1 average_precision roc_auc

For each table and seed of the pool the trials are those that a search might have made: the ensemble, its threshold and
the honest score come of their out-of-fold probabilities, and rows held back, predicted by the mean of the fold models,
say what is true. Prints by score, of tables with at least fifty rows of the rarest class and of the others: mean and
standard error of (honest - held back), of (shown - held back), the fraction of the intervals that hold the score held
back, and their mean width.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
from skauto.automl.evaluation._ranking import PROBA_METRICS
from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._bootstrap import Units
from skauto.automl.selection._honest_score import ENSEMBLE, honest_scores
from skauto.automl.selection._select import Scored, choose_members
from skauto.resample._label_scores import CONFUSION_METRICS

# Rows of the rarest class that divide the tables.
FEW = 50

# Trials of a table at least.
LEAST_TRIALS = 9


def say(line):
    """A line on standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def scoring_of(name, y, fold, n_classes, positive):
    """The scoring of rows by the name of a score, as AutoClassifier has it."""
    name = "f1_macro" if name == "f1" and n_classes > 2 else name
    judged_by, metrics = ("labels", CONFUSION_METRICS) if name in CONFUSION_METRICS else ("proba", PROBA_METRICS)
    return Scoring(name, judged_by, metrics[name], y, fold, np.zeros(len(y)), positive=positive)


def trials_of(probas, scoring):
    """The trials of out-of-fold probabilities by configuration, numbered as they come, the best first."""
    trials = []
    for number, (key, proba) in enumerate(probas.items()):
        report = scoring.report(proba)
        values = {"candidate": key.split("-")[0]}
        trials.append(Scored(number, values, report["score"], np.array(report["fold_scores"]), proba, 1.0, None, True))
    return sorted(trials, key=lambda trial: -trial.score)


def judged(pool, table, seed, configs, score):
    """The shown, the honest and the held-back score of one table, with the interval."""
    known = np.load(pool / f"{table}-{seed}.npz")
    arrays = {key: np.load(pool / f"{table}-{seed}-{key}.npz") for key in configs}
    n_classes = next(iter(arrays.values()))["oof"].shape[1]
    positive = int(known["positive"]) if n_classes == 2 else 1
    scoring = scoring_of(score, known["y"], known["fold"], n_classes, positive)
    held = scoring_of(score, known["y_test"], np.zeros(len(known["y_test"])), n_classes, positive)
    trials = trials_of({key: found["oof"].astype(float) for key, found in arrays.items()}, scoring)
    members = choose_members(trials, scoring)
    keys = list(arrays)
    oof = sum(weight * trial.proba for trial, weight in members)
    test = sum(weight * arrays[keys[trial.number]]["test"] for trial, weight in members).astype(float)
    labels = held.labels_at(test, scoring.threshold(oof))
    began = time.process_time()
    units = Units(np.arange(len(scoring.y)), scoring.y)
    honest = honest_scores(trials, scoring, units, seed=seed, n_new=len(held.y))[ENSEMBLE]
    return {
        "few": int(np.bincount(scoring.y).min()) < FEW,
        "shown": scoring.report(oof)["score"],
        "held": held.of_labels(test, labels)(np.arange(len(held.y))),
        "honest": honest.score,
        "low": honest.low,
        "high": honest.high,
        "seconds": time.process_time() - began,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--scores", nargs="+", default=["f1", "average_precision", "roc_auc"])
    args = parser.parse_args()
    trials = defaultdict(list)
    for line in map(json.loads, (args.pool / "pool.jsonl").read_text().splitlines()):
        if "error" not in line and line["config"] not in trials[line["table"], line["seed"]]:
            trials[line["table"], line["seed"]].append(line["config"])
    known = {key: configs for key, configs in trials.items() if len(configs) >= LEAST_TRIALS}
    say("| score | rarest class | runs | honest - held back | shown - held back | holds | width | seconds |")
    say("|---|---|---|---|---|---|---|---|")
    for score in args.scores:
        rows = [judged(args.pool, *key, configs, score) for key, configs in known.items()]
        for few in (False, True):
            some = [row for row in rows if row["few"] == few]
            off = np.array([row["honest"] - row["held"] for row in some])
            shown = np.mean([row["shown"] - row["held"] for row in some])
            holds = np.mean([row["low"] <= row["held"] <= row["high"] for row in some])
            width = np.mean([row["high"] - row["low"] for row in some])
            seconds = np.mean([row["seconds"] for row in some])
            error = off.std() / len(off) ** 0.5
            line = f"| {score} | {'below' if few else 'from'} {FEW} | {len(some)} | {off.mean():+.4f} ± {error:.4f}"
            say(f"{line} | {shown:+.4f} | {holds:.2f} | {width:.3f} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
