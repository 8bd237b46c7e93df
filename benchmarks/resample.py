"""Speed and memory of skauto's samplers beside imbalanced-learn's, each run in a process of its own.

    python benchmarks/resample.py [--rows 284807 --rare 492] [--limit 120] [--only TomekLinks SMOTE]

The data are made: `make_classification(rows, 30 columns, 12 informative, 4 redundant, class_sep 1.0, flip_y 0, seed 0)`
with the wanted number of rows of class 1; "mixed" turns the last five columns into categories of 5 to 40 levels by
rounding. Time is the processor time of `fit_resample` on one thread, which other work on the machine changes little;
memory is the peak of the process, data included. Index sets are compared where both finish.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
import zlib

import imblearn.combine
import imblearn.over_sampling
import imblearn.under_sampling
import numpy as np
import pandas as pd
from sklearn.datasets import make_classification

import skauto.resample

SAMPLERS = {
    "TomekLinks": ("TomekLinks", {}),
    "EditedNearestNeighbours": ("EditedNearestNeighbours", {}),
    "mixed SMOTE": ("SMOTE", {"random_state": 0}),
    "SMOTE": ("SMOTE", {"random_state": 0}),
    "SMOTEENN 0.1": ("SMOTEENN", {"random_state": 0, "sampling_strategy": 0.1}),
    "TomekLinks all": ("TomekLinks", {"sampling_strategy": "all"}),
    "SVMSMOTE": ("SVMSMOTE", {"random_state": 0}),
}


def table(rows, rare, mixed):
    """The made data: X and y."""
    X, y = make_classification(
        n_samples=2 * rare + rows,
        n_features=30,
        n_informative=12,
        n_redundant=4,
        weights=[(rows + rare / 2) / (2 * rare + rows)],
        flip_y=0,
        random_state=0,
    )
    keep = np.sort(np.concatenate([np.flatnonzero(y == 0)[: rows - rare], np.flatnonzero(y == 1)[:rare]]))
    X, y = X[keep], y[keep]
    if not mixed:
        return X, y
    frame = pd.DataFrame(X).add_prefix("x")
    for j, levels in zip(range(25, 30), (5, 8, 10, 20, 40), strict=True):
        codes = pd.qcut(frame[f"x{j}"], levels, labels=False)
        frame[f"x{j}"] = pd.Categorical(codes.map("level {}".format))
    return frame, y


def sampler(whose, name):
    """A fresh sampler of one of the two packages."""
    cls, params = SAMPLERS[name]
    if whose == "skauto":
        return getattr(skauto.resample, cls)(**params)
    if name == "mixed SMOTE":
        return imblearn.over_sampling.SMOTENC("auto", **params)
    modules = (imblearn.over_sampling, imblearn.under_sampling, imblearn.combine)
    return next(getattr(module, cls) for module in modules if hasattr(module, cls))(**params)


def measure(whose, name, rows, rare, limit):
    """One run: seconds, MB, shape, and a fingerprint of the rows kept; killed at the limit."""
    warnings.simplefilter("ignore")
    X, y = table(rows, rare, name.startswith("mixed"))
    made = sampler(whose, name)
    start = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(start + limit) + 1,) * 2)
    X_new, _ = made.fit_resample(X, y)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept = getattr(made, "sample_indices_", None)
    return {
        "seconds": seconds,
        "megabytes": peak / 1024,
        "rows": len(X_new),
        "kept": None if kept is None else zlib.crc32(np.sort(kept).tobytes()),
    }


def run(whose, name, args):
    """measure() in a process of its own; None where it went over the limit."""
    command = [sys.executable, __file__, "--rows", str(args.rows), "--rare", str(args.rare)]
    command += ["--limit", str(args.limit), "--one", whose, name]
    one_thread = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=one_thread, check=False)
    if done.returncode == -signal.SIGKILL:
        return None
    done.check_returncode()
    return json.loads(done.stdout)


def main():
    """Run every sampler of both packages and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=284_807)
    parser.add_argument("--rare", type=int, default=492)
    parser.add_argument("--limit", type=float, default=120, help="processor seconds after which a run is stopped")
    parser.add_argument("--only", nargs="*", default=list(SAMPLERS))
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        sys.stdout.write(json.dumps(measure(*args.one, args.rows, args.rare, args.limit)))
        return
    sys.stdout.write(
        f"{args.rows} x 30, {args.rare} rare\n| sampler | skauto s | MB | imbalanced-learn s | MB | same |\n"
    )
    for name in args.only:
        ours, theirs = run("skauto", name, args), run("imbalanced-learn", name, args)
        cells = [f"{r['seconds']:.2f} | {r['megabytes']:.0f}" if r else f"> {args.limit:.0f} |" for r in (ours, theirs)]
        both = ours and theirs and ours["kept"] is not None
        same = str(ours["kept"] == theirs["kept"]) if both else ""
        sys.stdout.write(f"| {name} | {cells[0]} | {cells[1]} | {same} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
