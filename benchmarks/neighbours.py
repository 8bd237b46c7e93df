"""Processor seconds of samplers that search for neighbours, beside imbalanced-learn's, over rows and columns.

    python benchmarks/neighbours.py [--rows 1000 3000 18000] [--columns 2 4 8 15 16 30] [--only SMOTEENN ...]

Two kinds of made data, 10 % positive: "normal" is `make_classification` (at most 8 informative columns), where a
tree helps little; "groups" are 60 narrow blobs, where it helps much. The two packages take turns on one thread and the
smallest of --repeats counts, so that other work on the machine matters little; the ratio is ours to theirs. "same" says
whether both give the same number of rows and the same sum over all columns. At most 15 columns scikit-learn searches by
a tree, above that by all pairs.
"""

import argparse
import os
import sys
import time
import warnings

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))  # before NumPy is loaded

import imblearn.combine
import imblearn.over_sampling
import imblearn.under_sampling
import numpy as np
from sklearn.datasets import make_blobs, make_classification

import skauto.resample

SAMPLERS = {
    "SMOTE": {"random_state": 0},
    "BorderlineSMOTE": {"random_state": 0},
    "TomekLinks": {},
    "EditedNearestNeighbours": {},
    "SMOTETomek": {"random_state": 0},
    "SMOTEENN": {"random_state": 0},
}
RARE = 0.1


def table(kind, rows, columns):
    """Made data: X and y."""
    if kind == "normal":
        return make_classification(
            rows,
            columns,
            n_informative=max(2, min(columns, 8)),
            n_redundant=0,
            weights=[1 - RARE],
            flip_y=0.01,
            random_state=0,
        )
    X, _ = make_blobs(rows, columns, centers=60, cluster_std=0.3, random_state=0)
    y = (np.random.default_rng(0).random(rows) < RARE).astype(int)
    return X + 0.8 * y[:, None], y


def theirs(name):
    """The class of imbalanced-learn."""
    modules = (imblearn.over_sampling, imblearn.under_sampling, imblearn.combine)
    return next(getattr(module, name) for module in modules if hasattr(module, name))


def compare(name, X, y, repeats):
    """Least processor seconds of ours and theirs, and whether both made the same."""
    seconds, made = {}, {}
    for _ in range(repeats):
        for cls in (getattr(skauto.resample, name), theirs(name)):
            start = time.process_time()
            X_new, _ = cls(**SAMPLERS[name]).fit_resample(X, y)
            seconds.setdefault(cls, []).append(time.process_time() - start)
            made[cls] = len(X_new), float(np.sum(X_new))
    ours, other = (min(found) for found in seconds.values())
    return ours, other, bool(np.allclose(*made.values()))


def main():
    """Run every shape and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 3_000, 18_000])
    parser.add_argument("--columns", type=int, nargs="*", default=[2, 4, 8, 15, 16, 30])
    parser.add_argument("--kinds", nargs="*", default=["normal", "groups"])
    parser.add_argument("--only", nargs="*", default=list(SAMPLERS))
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    sys.stdout.write(f"| data | shape | {' | '.join(args.only)} |\n|---|---|{'---|' * len(args.only)}\n")
    for kind in args.kinds:
        for rows in args.rows:
            for columns in args.columns:
                X, y = table(kind, rows, columns)
                found = [compare(name, X, y, args.repeats) for name in args.only]
                cells = [f"{a / b:.2f} ({a:.3f} s{'' if same else ', differ'})" for a, b, same in found]
                sys.stdout.write(f"| {kind} | {rows:,} x {columns} | {' | '.join(cells)} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
