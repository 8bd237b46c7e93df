"""Mean cost of a row for each way to mind costs: expected cost, weights, MetaCost, rejection sampling, argmax.

    python benchmarks/costs.py --data DIR [--folds 10] [--sets german_credit page_blocks credit_fraud]

`german_credit` (a bad risk taken for good costs 5, a good one refused 1), `credit_fraud` (a missed fraud costs its
amount, an alarm 3), `page_blocks` reduced to three classes (text, lines, the rest; costs in THREE). LightGBM with 100
trees and logistic regression.
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
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.resample import CostSensitiveClassifier
from skauto.resample._costs import costs_of

ALARM = 3.0
THREE = np.array([[0, 1, 2], [4, 0, 3], [10, 5, 0]], dtype=float)  # rows: true text, line, other
METHODS = ["minimum_expected_cost", "reweight", "metacost", "rejection_sampling"]


def german_credit(folder):
    """Numbers, labels 0 (good) and 1 (bad), costs."""
    frame = pd.read_csv(Path(folder) / "german_credit.csv.gz")
    bad = (frame.pop("target").astype(int) == 2).astype(int).to_numpy()
    return pd.get_dummies(frame, dtype=float), bad, np.array([[0.0, 1.0], [5.0, 0.0]])


def credit_fraud(folder):
    """Numbers, labels, and costs by row: the amount of a missed fraud."""
    frame = pd.read_csv(Path(folder) / "credit_fraud.csv.gz")
    y = frame.pop("target").astype(int).to_numpy()
    costs = np.zeros((len(y), 2, 2))
    costs[:, :, 1] = ALARM
    costs[:, 1, 0] = frame["Amount"]
    return frame, y, costs


def page_blocks(folder):
    """Numbers, three labels, costs."""
    frame = pd.read_csv(Path(folder) / "page_blocks.csv.gz")
    y = frame.pop("target").astype(str)
    order = y.value_counts().index
    return frame, np.where(y == order[0], 0, np.where(y == order[1], 1, 2)), THREE


SETS = {"german_credit": german_credit, "page_blocks": page_blocks, "credit_fraud": credit_fraud}


def mean_costs(learner, X, y, costs, folds):
    """Mean cost of each fold, by method."""
    found = {name: [] for name in [*METHODS, "argmax"]}
    by_row = costs.ndim == 3
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=0).split(X, y):
        of_train, of_test = (costs[train], costs[test]) if by_row else (costs, costs)
        for name, answers in found.items():
            if name == "argmax":
                answer = clone(learner).fit(X.iloc[train], y[train]).predict(X.iloc[test])
            else:
                model = CostSensitiveClassifier(learner, method=name, random_state=0)
                model.fit(X.iloc[train], y[train], cost_matrix=of_train)
                extra = {"cost_matrix": of_test} if name == "minimum_expected_cost" else {}
                answer = model.predict(X.iloc[test], **extra)
            answers.append(costs_of(y[test], answer, of_test).mean())
    return found


def main():
    """Run all and write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    booster = LGBMClassifier(n_estimators=100, learning_rate=0.05, num_leaves=15, verbose=-1, n_jobs=1, random_state=0)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    sys.stdout.write("| set | learner | method | mean cost | standard error |\n|---|---|---|---|---|\n")
    for table in args.sets:
        X, y, costs = SETS[table](args.data)
        for name, learner in (("lightgbm", booster), ("logistic", logistic)):
            # a Pipeline cannot take sample_weight without routing: the scaler goes first, it knows no labels
            model, rows = learner, X
            if name == "logistic":
                model, rows = learner[-1], pd.DataFrame(learner[0].fit_transform(X), columns=X.columns)
            for method, values in mean_costs(model, rows, y, costs, args.folds).items():
                error = np.std(values, ddof=1) / np.sqrt(len(values))
                sys.stdout.write(f"| {table} | {name} | {method} | {np.mean(values):.4f} | {error:.4f} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
