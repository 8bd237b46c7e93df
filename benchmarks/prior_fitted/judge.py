"""What a trained prior-fitted network adds to the blend of a measured pool, on its tables of two classes and few rows.

    python benchmarks/prior_fitted/judge.py --network FILE --pool POOL --data DIR --data DIR/corpus

Prints AP of the network alone beside the best and the mean of the pool, and F1, AP and AUC on rows held back of blends
without and with it.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "portfolio"), str(HERE.parent), str(HERE.parent.parent)]
from honest import scoring_of, trials_of
from network import PriorFittedNetwork
from pool import prepared
from sklearn.compose import make_column_transformer
from sklearn.feature_selection import f_classif
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler
from tables import table_names

from skauto.automl.selection._select import choose_members
from skauto.estimators.tables._table_cleaner import TableCleaner, category_columns, numeric_columns

MOST_ROWS, MOST_COLUMNS = 1_000, 16


class Answers:
    """Probabilities of a network for rows, given others with labels."""

    def __init__(self, file):
        self.network = PriorFittedNetwork()
        self.network.load_state_dict(torch.load(file, weights_only=True)["network"])
        self.network.eval()

    def __call__(self, X_known, y_known, X):
        """Probability of the second class, the mean over two scales of the columns; orders do not matter to it."""
        labels, found = torch.from_numpy(y_known.astype(np.int64)[None]), []
        for ranks in (False, True):
            both = torch.from_numpy(np.concatenate(columns_of(X_known, y_known, X, ranks))[None])
            with torch.no_grad():
                odds = self.network(both, labels)
            found.append(torch.sigmoid(odds[0].float()).numpy())
        return np.mean(found, axis=0)


def columns_of(X_known, y_known, X, ranks):
    """At most sixteen columns, those that differ most between the classes, on the scale of the prior."""
    numbers = [SimpleImputer(keep_empty_features=True)]
    numbers += [QuantileTransformer(n_quantiles=50, output_distribution="normal")] if ranks else []
    levels = OneHotEncoder(handle_unknown="ignore", max_categories=10, sparse_output=False)
    prepare = make_pipeline(
        TableCleaner(),
        make_column_transformer((make_pipeline(*numbers), numeric_columns), (levels, category_columns)),
        StandardScaler(),
    )
    known = prepare.fit_transform(X_known, y_known)
    with np.errstate(all="ignore"):
        best = np.argsort(-np.nan_to_num(f_classif(known, y_known)[0]))[:MOST_COLUMNS]
    return tuple(np.clip(part[:, best], -6, 6).astype(np.float32) for part in (known, prepare.transform(X)))


def judged(pool, root, table, answers):
    """Figures of one table without and with the network; None where it is not of this kind."""
    known = np.load(pool / f"{table}-0.npz")
    y, y_test = known["y"], known["y_test"]
    if known["positive"] < 0 or len(y) > MOST_ROWS:
        return None
    context, plan, held, codes, data, _ = prepared(root, table, 0)
    positive = int(known["positive"])
    arrays = {file.stem.removeprefix(f"{table}-0-"): np.load(file) for file in sorted(pool.glob(f"{table}-0-*.npz"))}
    oof, at = np.zeros(len(y)), 0
    for train, valid in context.folds:
        found = answers(context.X.iloc[train], context.y[train] == positive, context.X.iloc[valid])
        oof[at : at + len(valid)] = found
        at += len(valid)
    test = answers(context.X, context.y == positive, held)
    both = [{"oof": a["oof"][:, positive], "test": a["test"][:, positive]} for a in arrays.values()]
    own = {"oof": oof, "test": test}
    alone = average_precision_score(y_test == positive, test)
    others = [average_precision_score(y_test == positive, a["test"]) for a in both]
    is_rows = (y == positive).astype(int), known["fold"], (y_test == positive).astype(int)
    return alone, others, blended(both, *is_rows), blended([*both, own], *is_rows)


def blended(parts, y, fold, y_test):
    """F1, AP and AUC on the rows held back, of the blend that is chosen by F1 of out-of-fold probabilities."""
    by = {name: scoring_of(name, y, fold, 2, 1) for name in ("f1", "average_precision", "roc_auc")}
    held = {name: scoring_of(name, y_test, np.zeros(len(y_test)), 2, 1) for name in by}
    probas = [np.column_stack([1 - part["oof"], part["oof"]]).astype(float) for part in parts]
    trials = trials_of({str(number): proba for number, proba in enumerate(probas)}, by["f1"])
    members = choose_members(trials, by["f1"])
    mixed = sum(weight * trial.proba for trial, weight in members)
    test = sum(weight * parts[trial.number]["test"] for trial, weight in members).astype(float)
    test = np.column_stack([1 - test, test])
    labels = held["f1"].labels_at(test, by["f1"].threshold(mixed))
    f1 = held["f1"].of_labels(test, labels)(np.arange(len(test)))
    weight = sum(weight for trial, weight in members if trial.number == len(parts) - 1)
    return np.array([f1, *(held[name].report(test)["score"] for name in ("average_precision", "roc_auc")), weight])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--data", type=Path, action="append", required=True)
    args = parser.parse_args()
    answers, found = Answers(args.network), []
    for root in args.data:
        for table in table_names(root):
            if not (args.pool / f"{table}-0.npz").exists():
                continue
            row = judged(args.pool, root, table, answers)
            if row is None:
                continue
            alone, others, without, with_it = row
            found.append((alone, max(others), np.mean(others), without, with_it))
            pool = f"best {max(others):.3f}, mean {np.mean(others):.3f}"
            say(f"{table:24} AP alone {alone:.3f}, of the pool {pool}; weight in the blend {with_it[3]:.2f}")
    alone, best, mean, without, with_it = map(np.array, zip(*found, strict=True))
    say(f"{len(found)} tables: AP alone {alone.mean():.4f}, best of the pool {best.mean():.4f}, mean {mean.mean():.4f}")
    gain = with_it - without
    for number, name in enumerate(("F1", "AP", "AUC")):
        error = gain[:, number].std() / len(gain) ** 0.5
        say(f"{name}: {without[:, number].mean():.4f} without, {gain[:, number].mean():+.4f} ± {error:.4f} with it")


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
