"""What resampling classifiers decide, beside imbalanced-learn's Pipeline and a tuned threshold.

    python benchmarks/decisions.py --data DIR [--tables oil_spill mammography credit_fraud sick] [--splits 3]

SMOTE with five neighbours; logistic regression and LightGBM with default settings; numbers standardised, gaps filled
by medians, categories one-hot, all learnt on the training rows; 70/30 splits. F1 is that of the rarer class.
"pipeline" is imbalanced-learn's with the same sampler and seed; "same" the fraction of test rows that both label
alike; "fit" processor seconds of ours to theirs, and "fit, proba" with one call of predict_proba, which learns the
calibration; "search" a genetic search of nine trials over SMOTE and LightGBM, scored by F1 (one split). Bags: average
precision of BalancedBaggingClassifier less that of imbalanced-learn's class, default settings, six splits, with its
standard error.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import imblearn.ensemble
import imblearn.over_sampling
import imblearn.pipeline
import numpy as np
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.imbalance import NUMBERS, OTHERS, load
from skauto.resample import SMOTE, BalancedBaggingClassifier, ResamplingClassifier
from skauto.search import SearchCV

MAX_ROWS = 27_000
LEARNERS = {
    "logistic": LogisticRegression(max_iter=2000),
    "LightGBM": LGBMClassifier(verbose=-1, n_jobs=1, random_state=0),
}


def split(X, y, seed):
    """Matrices of numbers and labels: train, test."""
    numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    encoded = ColumnTransformer(
        [("numbers", numbers, NUMBERS), ("others", OneHotEncoder(handle_unknown="ignore", sparse_output=False), OTHERS)]
    )
    train, test = train_test_split(np.arange(len(y)), test_size=0.3, stratify=y, random_state=seed)
    return encoded.fit_transform(X.iloc[train]), encoded.transform(X.iloc[test]), y[train], y[test]


def seconds(call):
    """Processor seconds of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def compare(learner, X, X_test, y, y_test):
    """F1 of each way, the fraction of equal labels, and ratios of seconds."""
    theirs = imblearn.pipeline.make_pipeline(imblearn.over_sampling.SMOTE(random_state=0), clone(learner))
    ours = ResamplingClassifier(learner, SMOTE(random_state=0))
    unresampled = clone(ours).set_params(decision="unresampled")
    tuned = TunedThresholdClassifierCV(learner, scoring="f1", cv=3, random_state=0)
    base, fit = seconds(lambda: theirs.fit(X, y)), seconds(lambda: ours.fit(X, y))
    proba = seconds(lambda: ours.predict_proba(X_test))
    found = {
        name: f1_score(y_test, model.predict(X_test))
        for name, model in {
            "pipeline": theirs,
            "resampled": ours,
            "unresampled": unresampled.fit(X, y),
            "tuned threshold": tuned.fit(X, y),
        }.items()
    }
    same = np.mean(theirs.predict(X_test) == ours.predict(X_test))
    return {**found, "same": same, "fit": fit / base, "fit, proba": (fit + proba) / base}


def searched(X, X_test, y, y_test):
    """F1 on the test rows of what a search of SMOTE and LightGBM by F1 finds."""
    model = ResamplingClassifier(LEARNERS["LightGBM"], SMOTE(random_state=0))
    space = {
        "sampler__sampling_strategy": [0.25, 0.5, 1.0],
        "sampler__k_neighbors": [3, 5],
        "estimator__num_leaves": [7, 15, 31],
        "estimator__n_estimators": [50, 100],
    }
    search = SearchCV(model, space, strategy="genetic", scoring="f1", n_iter=9, cv=3, random_state=0)
    return f1_score(y_test, search.fit(X, y).predict(X_test))


def bags(X, y):
    """Differences of average precision over six splits."""
    gaps = []
    for seed in range(6):
        X_train, X_test, y_train, y_test = split(X, y, seed)
        models = (
            BalancedBaggingClassifier(random_state=seed),
            imblearn.ensemble.BalancedBaggingClassifier(random_state=seed),
        )
        ours, theirs = (
            average_precision_score(y_test, model.fit(X_train, y_train).predict_proba(X_test)[:, 1]) for model in models
        )
        gaps.append(ours - theirs)
    return np.mean(gaps), np.std(gaps, ddof=1) / np.sqrt(len(gaps))


def main():
    """Run all and write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--tables", nargs="*", default=["oil_spill", "mammography", "credit_fraud", "sick"])
    parser.add_argument("--splits", type=int, default=3)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    header = None
    for table in args.tables:
        X, y = load(args.data, table, MAX_ROWS)
        for name, learner in LEARNERS.items():
            rows = [compare(learner, *split(X, y, seed)) for seed in range(args.splits)]
            mean = {key: np.mean([row[key] for row in rows]) for key in rows[0]}
            found = searched(*split(X, y, 0)) if name == "LightGBM" else np.nan
            cells = [
                table,
                name,
                *(f"{value:.3f}" for value in mean.values()),
                "" if np.isnan(found) else f"{found:.3f}",
            ]
            if header is None:
                header = ["table", "learner", *mean, "search"]
                sys.stdout.write(f"| {' | '.join(header)} |\n|{'---|' * len(header)}\n")
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()
    for table in args.tables:
        mean, error = bags(*load(args.data, table, MAX_ROWS))
        sys.stdout.write(f"bags, {table}: {mean:+.3f} ± {error:.3f}\n")


if __name__ == "__main__":
    main()
