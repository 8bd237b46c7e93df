"""What a fitted model costs to use: ms of one row, s of 10,000 rows, MB, s to load; and what its distilled model keeps.

    python benchmarks/light.py --data DIR --time-limit 30 --out light.jsonl
    python benchmarks/light.py --out light.jsonl --report

One JSON line a table and seed; what the file has is skipped, so an interrupted run goes on. Times are the median and
the least of some calls in a process that has predicted before; beside other work only the least says something.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tables import MEASURES, read_rows, read_table, scores, split_rows, table_names

MANY = 10_000


def seconds_of(call, least, most=2.0):
    """The median and the least of the seconds of some calls, after one that does not count."""
    call()
    times = []
    while len(times) < least or (sum(times) < most and len(times) < 50):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times), min(times)


def used(model, X, folder):
    """What a fitted model costs to use."""
    from skauto import load_model, save_model

    many = pd.concat([X] * (MANY // len(X) + 1), ignore_index=True)[:MANY]
    row = X.iloc[:1]
    path = save_model(model, Path(folder) / "model")
    load = seconds_of(lambda: load_model(path), 3)
    one, ten_thousand = (seconds_of(lambda rows=rows: model.predict_proba(rows), 3) for rows in (row, many))
    return {
        "mb": path.stat().st_size / 1e6,
        "load_s": load[0],
        "load_least_s": load[1],
        "row_ms": one[0] * 1e3,
        "row_least_ms": one[1] * 1e3,
        "many_s": ten_thousand[0],
        "many_least_s": ten_thousand[1],
    }


def fit_one(root, name, seed, time_limit):
    """The row of one table and seed."""
    from skauto import AutoClassifier

    X, y, positive = read_table(root, name)
    train, test = split_rows(y, seed)
    X_train, X_test = (X.iloc[rows].reset_index(drop=True) for rows in (train, test))
    model = AutoClassifier(time_limit=time_limit, random_state=seed, verbose=0).fit(X_train, y[train])
    began = time.perf_counter()
    small = model.distill(X_train, random_state=seed)
    seconds = time.perf_counter() - began
    row = {"distill_s": seconds, "student": small.distillation_.student, "student_bytes": small.distillation_.bytes}
    for kind, answers in (("ensemble", model), ("single", model.best_estimator_), ("distilled", small)):
        proba = answers.predict_proba(X_test)
        of_kind = scores(y[test], answers.predict(X_test), proba, model.classes_, positive)
        row |= {f"{kind}_{measure}": of_kind[measure] for measure in MEASURES}
    with tempfile.TemporaryDirectory() as folder:
        return {**row, **used(model, X_test, folder)}


def run_all(args):
    """Every table and seed that the file does not have yet."""
    known = {(row["table"], row["seed"], row["time_limit"]) for row in read_rows(args.out)}
    for name in args.tables or table_names(args.data):
        for seed in range(args.seeds):
            if (name, seed, args.time_limit) in known:
                continue
            row = {"table": name, "seed": seed, "time_limit": args.time_limit}
            row |= fit_one(args.data, name, seed, args.time_limit)
            with args.out.open("a") as file:
                file.write(json.dumps(row, default=float) + "\n")
            sys.stdout.write(f"{name} {seed}: {row['row_ms']:.1f} ms, {row['many_s']:.2f} s, {row['mb']:.1f} MB\n")
            sys.stdout.flush()


def report(rows):
    """Costs by table, and the part of the ensemble's lead over the best single model that the distilled one keeps."""
    frame = pd.DataFrame(rows)
    costs = ["row_ms", "row_least_ms", "many_s", "many_least_s", "mb", "load_s"]
    parts = [frame.groupby("table")[costs].mean().round(3).to_string()]
    for measure in MEASURES:
        lead = frame[f"ensemble_{measure}"] - frame[f"single_{measure}"]
        kept = frame[f"distilled_{measure}"] - frame[f"single_{measure}"]
        parts.append(
            f"{measure}: the ensemble leads by {lead.mean():+.4f}, the distilled model by {kept.mean():+.4f} "
            f"± {kept.std() / np.sqrt(len(kept)):.4f}"
        )
    sizes = frame["student_bytes"]
    parts.append(f"distilled models have {sizes.mean() / 1e3:.0f} kB, at most {sizes.max() / 1e3:.0f}")
    return "\n".join(parts)


def main():
    """Run what is missing, or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=30)
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    if not args.report:
        run_all(args)
    sys.stdout.write(report(read_rows(args.out)) + "\n")


if __name__ == "__main__":
    main()
