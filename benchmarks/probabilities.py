"""Brier scores after weighting and resampling, corrected and not, beside those of doing nothing; F1 and AP as well.

    python benchmarks/probabilities.py --data DIR [--sets mammography ...] [--repeats 2] [--trees 100]

LightGBM (learning rate 0.05, 15 leaves) and logistic regression (standardised), 2 x 5 folds. `F1*` is F1 with the
threshold tuned on the other folds' out-of-fold probabilities. Sets are described in benchmarks/README.md.
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.resample import (
    SMOTE,
    PriorCorrectedClassifier,
    RandomOverSampler,
    RandomUnderSampler,
    ResamplingClassifier,
)
from skauto.resample._threshold import best_cut, f1

SETS = ["mammography", "oil_spill", "phoneme", "credit_fraud"]


def learners(trees):
    """Name and classifier."""
    booster = LGBMClassifier(
        n_estimators=trees, learning_rate=0.05, num_leaves=15, verbose=-1, n_jobs=1, random_state=0
    )
    return {"lightgbm": booster, "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))}


def methods(learner):
    """Name and a pair: with correction, and without."""
    weighted = clone(learner)
    final = weighted.steps[-1][1] if hasattr(weighted, "steps") else weighted
    final.set_params(class_weight="balanced")
    pairs = {"none": (learner, learner), "class weights": (PriorCorrectedClassifier(weighted), weighted)}
    for sampler in (RandomOverSampler(random_state=0), SMOTE(random_state=0), RandomUnderSampler(random_state=0)):
        corrected = ResamplingClassifier(learner, sampler)
        pairs[type(sampler).__name__] = (corrected, clone(corrected).set_params(prior_correction=False))
    return pairs


def out_of_fold(model, X, y, repeats):
    """Scores of each fold: Brier, average precision, F1 at 0.5, F1 at the tuned threshold."""
    scores = []
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=repeats, random_state=0)
    folds = [
        (test, clone(model).fit(X.iloc[train], y[train]).predict_proba(X.iloc[test])) for train, test in cv.split(X, y)
    ]
    for repeat in range(repeats):
        part = folds[5 * repeat : 5 * repeat + 5]
        for i, (test, proba) in enumerate(part):
            others = [fold for j, fold in enumerate(part) if j != i]
            rows = np.concatenate([fold[0] for fold in others])
            cut = best_cut(y[rows], np.concatenate([fold[1] for fold in others]), f1)
            score = proba[:, 1]
            scores.append(
                (
                    brier_score_loss(y[test], score),
                    average_precision_score(y[test], score),
                    f1_score(y[test], score >= 0.5, zero_division=0),
                    f1_score(y[test], score >= cut, zero_division=0),
                )
            )
    return np.mean(scores, axis=0)


def load(folder, name):
    """X and y, 1 being the rarer class."""
    frame = pd.read_csv(Path(folder) / f"{name}.csv.gz")
    y = frame.pop("target").to_numpy()
    labels, counts = np.unique(y, return_counts=True)
    return frame, (y == labels[counts.argmin()]).astype(int)


def main():
    """Run all and write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--trees", type=int, default=100)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    header = "set | learner | method | Brier corrected | against none | Brier as it comes | AP | F1 at 0.5 | F1*"
    sys.stdout.write(f"| {header} |\n|{'---|' * 9}\n")
    for name in args.sets:
        X, y = load(args.data, name)
        for learner, model in learners(args.trees).items():
            base = None
            for method, (corrected, raw) in methods(model).items():
                found = out_of_fold(corrected, X, y, args.repeats)
                base = base or found[0]
                plain = out_of_fold(raw, X, y, args.repeats)[0] if method != "none" else found[0]
                numbers = f"{found[0]:.4f} | {found[0] / base - 1:+.0%} | {plain:.4f} | {found[1]:.3f}"
                sys.stdout.write(f"| {name} | {learner} | {method} | {numbers} | {found[2]:.3f} | {found[3]:.3f} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
