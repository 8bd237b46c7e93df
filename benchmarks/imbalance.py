"""What resampling and weights do for decisions and probabilities, beside doing nothing and moving the threshold.

    python benchmarks/imbalance.py --data DIR --out imbalance.jsonl [--tables mammography ...] [--max-rows 27000]
    python benchmarks/imbalance.py --out imbalance.jsonl --report

All tables of DIR with a class of less than a third of the rows; numbers are standardised first, so that samplers
measure sensible distances. LightGBM (100 trees, learning rate 0.05, 15 leaves) and logistic regression (gaps filled by
medians, categories one-hot), 2 x 5 stratified folds. F1* is F1 with the threshold (of more classes: the weights) tuned
on the out-of-fold probabilities of the other folds. F1 and average precision are those of the rarer of two classes,
macro means for more. A run that is stopped goes on where it was; tables of more rows than --max-rows are reduced to a
stratified part. Seconds are processor seconds of one fit.
"""

import argparse
import importlib.util
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from skauto.resample import (
    ADASYN,
    SMOTE,
    BorderlineSMOTE,
    RandomOverSampler,
    RandomUnderSampler,
    ResamplingClassifier,
    SMOTETomek,
    correct_priors,
)
from skauto.resample._label_scores import f1, f1_macro
from skauto.resample._threshold import confusion_of, cross_fitted_labels

REPEATS, FOLDS = 2, 5
HONEST = ["mammography", "oil_spill", "phoneme", "credit_fraud"]  # tables for which Brier scores are shown
NUMBERS = make_column_selector(dtype_include="number")
OTHERS = make_column_selector(dtype_exclude="number")
SAMPLERS = (RandomOverSampler, SMOTE, BorderlineSMOTE, ADASYN, SMOTETomek, RandomUnderSampler)
METHODS = ["none", "class weights", *(sampler.__name__ for sampler in SAMPLERS)]


def learner(name, class_weight=None):
    """A classifier of standardised tables with gaps and categories."""
    if name == "lightgbm":
        quiet = {"verbose": -1, "n_jobs": 1, "random_state": 0}
        return LGBMClassifier(n_estimators=100, learning_rate=0.05, num_leaves=15, class_weight=class_weight, **quiet)
    encoded = ColumnTransformer(
        [
            ("numbers", SimpleImputer(strategy="median", keep_empty_features=True), NUMBERS),
            ("others", OneHotEncoder(handle_unknown="ignore", min_frequency=5, sparse_output=False), OTHERS),
        ]
    )
    return make_pipeline(encoded, LogisticRegression(max_iter=2000, class_weight=class_weight))


def model_of(method, name):
    """The learner under one imbalance strategy."""
    if method == "none":
        model = ResamplingClassifier(learner(name))
    elif method == "class weights":
        model = ResamplingClassifier(learner(name, "balanced"))
    else:
        sampler = next(cls for cls in SAMPLERS if cls.__name__ == method)
        # calibration after cleaning takes four fits, and leaves every ranking and tuned threshold as it is
        model = ResamplingClassifier(learner(name), sampler(random_state=0), prior_correction=sampler is not SMOTETomek)
    scaled = ColumnTransformer([("numbers", StandardScaler(), NUMBERS)], remainder="passthrough")
    scaled.set_params(verbose_feature_names_out=False).set_output(transform="pandas")
    return Pipeline([("scale", scaled), ("classify", model)])


def uncorrected(model, X):
    """Probabilities of a fitted model as they came before correction or calibration."""
    return model[-1].estimator_.predict_proba(model[:-1].transform(X))


def load(folder, name, max_rows):
    """X with categories, and codes; of two classes 1 is the rarer."""
    spec = importlib.util.spec_from_file_location("load", Path(folder) / "load.py")
    reader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reader)
    X, y, _ = reader.load(name, root=folder)
    if len(y) > max_rows:
        X, _, y, _ = train_test_split(X, y, train_size=max_rows, stratify=y, random_state=0)
    X = X.reset_index(drop=True).astype(dict.fromkeys(X.columns[X.dtypes == "str"], "category"))
    labels, codes, counts = np.unique(y.astype(str), return_inverse=True, return_counts=True)
    return X, 1 - codes if len(labels) == 2 and counts[0] < counts[1] else codes


def imbalanced(folder, max_rows):
    """Names of the tables with a class of less than a third of the rows, the shortest first."""
    index = json.loads((Path(folder) / "index.json").read_text())
    tables = sorted(name for name, entry in index.items() if entry["kind"] == "tabular")
    counts = {name: np.bincount(load(folder, name, max_rows)[1]) for name in tables}
    chosen = [name for name in tables if counts[name].min() < counts[name].sum() / 3]
    return sorted(chosen, key=lambda name: counts[name].sum())


def brier(y, proba):
    """Mean squared distance to the truth; for two classes of the second column."""
    if proba.shape[1] == 2:
        return float(np.mean((proba[:, 1] - y) ** 2))
    return float(np.mean(np.sum((proba - np.eye(proba.shape[1])[y]) ** 2, axis=1)))


def precision(y, proba):
    """Average precision of the second class, or the mean over the classes present."""
    if proba.shape[1] == 2:
        return float(average_precision_score(y, proba[:, 1]))
    return float(np.mean([average_precision_score(y == k, proba[:, k]) for k in np.unique(y)]))


def evaluate(method, name, X, y):
    """Scores of each fold."""
    n_classes, found = y.max() + 1, []
    metric = f1 if n_classes == 2 else f1_macro
    for repeat in range(REPEATS):
        (proba, raw, bayes), fold, seconds = np.zeros((3, len(y), n_classes)), np.zeros(len(y), dtype=int), []
        splits = list(StratifiedKFold(FOLDS, shuffle=True, random_state=repeat).split(X, y))
        for k, (train, test) in enumerate(splits):
            start = time.process_time()
            model = model_of(method, name).fit(X.iloc[train], y[train])
            seconds.append(time.process_time() - start)
            fold[test], proba[test] = k, model.predict_proba(X.iloc[test])
            bayes[test], raw[test] = proba[test], uncorrected(model, X.iloc[test])
            if model[-1].calibration_ is not None:  # all these strategies balance the classes
                bayes[test] = correct_priors(raw[test], np.ones(n_classes), np.bincount(y[train]))
        tuned = cross_fitted_labels(y, proba, fold, metric)
        for k, (_, test) in enumerate(splits):
            found.append(
                {
                    "brier": brier(y[test], proba[test]),
                    "brier_bayes": brier(y[test], bayes[test]),
                    "brier_raw": brier(y[test], raw[test]),
                    "AP": precision(y[test], proba[test]),
                    "F1": float(metric(confusion_of(y[test], raw[test].argmax(axis=1), n_classes))),
                    "F1*": float(metric(confusion_of(y[test], tuned[test], n_classes))),
                    "seconds": seconds[k],
                }
            )
    return found


def run(args):
    """Evaluate what is not yet in the file."""
    done = {(r["table"], r["learner"], r["method"]) for r in records(args.out)}
    for table in args.tables or imbalanced(args.data, args.max_rows):
        X, y = load(args.data, table, args.max_rows)
        for name in ("lightgbm", "logistic"):
            for method in METHODS:
                if (table, name, method) in done:
                    continue
                for k, scores in enumerate(evaluate(method, name, X, y)):
                    record = {"table": table, "learner": name, "method": method, "fold": k, **scores}
                    with open(args.out, "a") as file:
                        file.write(json.dumps(record) + "\n")


def records(path):
    """What was measured."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()] if Path(path).exists() else []


def markdown(frame):
    """A frame as a table."""
    frame = frame.reset_index()
    lines = [" | ".join(map(str, row)) for row in [frame.columns, ["---"] * frame.shape[1], *frame.to_numpy()]]
    sys.stdout.write("\n".join(f"| {line} |" for line in lines) + "\n\n")


def report(args):
    """Tables: decisions over all sets, each set's F1* and AP, and the honesty of probabilities."""
    mean = pd.DataFrame(records(args.out)).groupby(["learner", "table", "method"]).mean(numeric_only=True)
    mean = mean.reset_index().astype({"method": pd.CategoricalDtype(METHODS, ordered=True)})
    sys.stdout.write(f"Means over {mean['table'].nunique()} tables:\n\n")
    overall = mean.groupby(["learner", "method"], observed=True)[["F1", "F1*", "AP", "seconds"]].mean()
    markdown(overall.round(3))
    for score in ("F1*", "F1", "AP"):
        sys.stdout.write(f"{score} per table:\n\n")
        wide = mean.pivot_table(index=["learner", "table"], columns="method", values=score, observed=True)
        markdown(wide.round(3))
    sys.stdout.write("Brier scores:\n\n")
    some = mean[mean["table"].isin(HONEST) & (mean["method"] != "SMOTETomek")].copy()
    base = some[some["method"] == "none"].set_index(["learner", "table"])["brier"]
    keys = pd.MultiIndex.from_frame(some[["learner", "table"]])
    names = {"brier": "corrected", "brier_bayes": "Bayes' rule alone", "brier_raw": "as it comes"}
    for score, name in names.items():
        ratio = some[score].to_numpy() / base[keys].to_numpy() - 1
        some[name] = [f"{value:.4f} ({r:+.0%})" for value, r in zip(some[score], ratio, strict=True)]
    some = some.sort_values(["table", "learner", "method"]).set_index("table")
    markdown(some[["learner", "method", *names.values()]])


def main():
    """Run or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--out", required=True)
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--max-rows", type=int, default=27_000)
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    report(args) if args.report else run(args)


if __name__ == "__main__":
    main()
