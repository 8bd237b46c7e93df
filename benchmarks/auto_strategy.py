"""Strategies inside AutoClassifier on small tables, in count mode: selection score and test scores after n trials.

    python benchmarks/auto_strategy.py --data DIR --tables pima_diabetes horse_colic --seeds 2 --trials 40

Every strategy begins with the portfolio's first configurations, so only the trials after those differ. The score of
the best single model over the pooled folds is what the strategy maximises; F1, AUC and AP are those of the whole fit,
ensemble and threshold included, on the 30 % held back.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
from tables import read_table, scores, split_rows

from skauto import AutoClassifier
from skauto.search import TPE, Auto, Genetic, Random

STRATEGIES = {"random": Random, "auto": Auto, "tpe": TPE, "genetic": Genetic}


def say(line):
    """A line on standard output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def measure(table, name, seed, args):
    """Selection score, F1, AUC, AP and CPU-bound seconds of one fit."""
    X, y, positive = read_table(args.data, table)
    train, test = split_rows(y, seed)
    cv = StratifiedKFold(args.cv, shuffle=True, random_state=0)  # drawn once; an integer is drawn thrice on few rows
    settings = {"n_iter": args.trials, "time_limit": None, "cv": cv, "n_jobs": 1, "verbose": 0}
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoClassifier(strategy=STRATEGIES[name](), random_state=seed, **settings)
        model.fit(X.iloc[train].reset_index(drop=True), y[train])
        held = X.iloc[test].reset_index(drop=True)
        found = scores(y[test], model.predict(held), model.predict_proba(held), model.classes_, positive)
    return [model.best_score_, found["f1"], found["auc"], found["ap"], time.perf_counter() - began]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", default=["pima_diabetes", "horse_colic"])
    parser.add_argument("--strategies", nargs="+", default=["random", "auto"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--cv", type=int, default=5)
    args = parser.parse_args()
    say("| table | seed | strategy | selection score | F1 | AUC | AP | seconds |\n|---|---|---|---|---|---|---|---|")
    found = {name: [] for name in args.strategies}
    for table in args.tables:
        for seed in range(args.seeds):
            for name in args.strategies:
                row = measure(table, name, seed, args)
                found[name].append(row)
                say(f"| {table} | {seed} | {name} | " + " | ".join(f"{value:.4f}" for value in row) + " |")
    for name, rows in found.items():
        say(f"| mean | | {name} | " + " | ".join(f"{value:.4f}" for value in np.mean(rows, axis=0)) + " |")


if __name__ == "__main__":
    main()
