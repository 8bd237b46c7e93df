"""How sure a bound holds on new rows: what `goal_` says beside how often it does, on made scores.

    python benchmarks/goals.py [--samples 200]

Scores of two overlapping classes, a quarter positive, five folds; the true measure at the chosen threshold is that of
200,000 further rows. "said" is the mean of `probability`, "held" how often the bound holds there, "covered" how often
the true measure is not worse than `worst_95`.
"""

import argparse
import sys

import numpy as np

from skauto.automl.evaluation._goals import measured
from skauto.automl.evaluation._scoring import Scoring
from skauto.resample._constrained_goal import goal_of

NAMES = ("recall_at_precision>=0.7", "precision_at_recall>=0.8", "recall_at_fpr<=0.05")
ROWS = (300, 1000, 4000)


def made(n, seed):
    """Labels and scores between 0 and 1."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.25).astype(int)
    return y, 1 / (1 + np.exp(-(rng.normal(size=n) + 2 * y - 1)))


def one(goal, n, seed, new):
    """What is said of one sample, whether the bound holds on new rows, and whether they are not worse than said."""
    y, score = made(n, seed)
    proba = np.stack([1 - score, score], axis=1)
    scoring = Scoring(goal.name, "labels", goal, y=y, fold=np.arange(n) % 5, repeat=np.zeros(n, int))
    known = measured(scoring, proba)
    new_y, new_score = new
    chosen = new_score >= scoring.threshold(proba)
    confusion = np.array([[np.sum(~chosen & (new_y == k)), np.sum(chosen & (new_y == k))] for k in (0, 1)])
    value, sign = goal.values(confusion)[goal.measure], -1 if goal.measure == "fpr" else 1
    return known["probability"], goal.lacking(confusion) <= 0, sign * value >= sign * known["worst_95"]


def main():
    """Print a row for each goal and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200)
    given = parser.parse_args()
    new = made(200_000, 10**6)
    for name in NAMES:
        for n in ROWS:
            said, held, covered = np.mean([one(goal_of(name), n, seed, new) for seed in range(given.samples)], axis=0)
            sys.stdout.write(f"{name:26s} {n:5d} rows  said {said:.2f}  held {held:.2f}  covered {covered:.3f}\n")


if __name__ == "__main__":
    main()
