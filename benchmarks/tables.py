"""skauto on a folder of tables beside the floors: F1, AUC, AP, used seconds and peak memory.

    python benchmarks/tables.py --data DIR --time-limit 60 --out tables.jsonl --resume
    python benchmarks/tables.py --out tables.jsonl --report

Each fit runs in a process of its own. Results are appended to a JSON-lines file, so an interrupted run goes on
with --resume and what is known is not run again. benchmarks/README.md says where the tables come from.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parent))
from children import watch
from floors import FLOORS, fit_floor

TEST_FRACTION = 0.3
SYSTEMS = ("skauto", *FLOORS)
MEASURES = ("f1", "auc", "ap")


def table_names(root):
    """Names of all tables in a data folder."""
    index = json.loads((root / "index.json").read_text())
    return sorted(name for name, entry in index.items() if entry["kind"] == "tabular")


def read_table(root, name):
    """X, y and the positive label (None for many classes) of one table."""
    meta = json.loads((root / "index.json").read_text())[name]
    frame = pd.read_csv(
        root / meta["file"],
        keep_default_na=False,
        na_values=[""],
        dtype=dict.fromkeys(meta["categorical"], "str"),
        parse_dates=meta.get("datetime") or False,
    )
    return frame.drop(columns="target"), frame["target"].to_numpy(), meta.get("positive")


def split_rows(y, seed):
    """Row numbers of the training and the test part: stratified, classes too rare to split stay in training."""
    rng = np.random.default_rng(seed)
    test = []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        n_test = round(TEST_FRACTION * len(rows))
        test.append(rows[: n_test if TEST_FRACTION * len(rows) >= 1 else 0])
    test = np.sort(np.concatenate(test))
    return np.setdiff1d(np.arange(len(y)), test), test


def scores(y, predicted, probability, classes, positive):
    """F1, AUC and AP: of the positive class, or macro one-vs-rest over the classes present in y."""
    labels = [positive] if positive is not None else list(np.unique(y))
    columns = [list(classes).index(label) for label in labels]
    truths = [y == label for label in labels]
    return {
        "f1": f1_score(y, predicted, labels=labels, average="macro", zero_division=0),
        "auc": np.mean([roc_auc_score(t, probability[:, c]) for t, c in zip(truths, columns, strict=True)]),
        "ap": np.mean([average_precision_score(t, probability[:, c]) for t, c in zip(truths, columns, strict=True)]),
    }


def fit_skauto(X, y, time_limit, seed, n_jobs, **settings):
    """Fit AutoClassifier; return it and what to record of the search."""
    from skauto import AutoClassifier

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = AutoClassifier(time_limit=time_limit, random_state=seed, n_jobs=n_jobs, verbose=0, **settings).fit(X, y)
    board = model.leaderboard(details=True)
    full = board[(board["status"] == "complete") & (board["fidelity"] >= 1) & (board["trial"] >= 0)]
    notes = {
        "statuses": {str(k): int(v) for k, v in board["status"].value_counts().items()},
        "full_candidates": sorted(full["candidate"].unique()),
        "reasons": sorted({str(r)[:200] for r in board["reason"] if r})[:10],
        "inner": {name: float(board[name].iloc[0]) for name in ("F1", "AUC", "AP")},
        "honest": [model.honest_score_, *model.honest_interval_],
        "members": len(model.ensemble_.estimators_),
        "budget": json.loads(model.budget_.to_json()),
        "warnings": sorted({str(w.message)[:200] for w in caught})[:5],
    }
    return model, notes


def fit_one(args):
    """Fit one system on one split of one table; the row for the results file."""
    X, y, positive = read_table(args.data, args.tables[0])
    seed, system = args.seed, args.systems[0]
    train, test = split_rows(y, seed)
    X_train = X.iloc[train].reset_index(drop=True)
    if system == "skauto":
        importlib.import_module("skauto.automl._classifier")  # what importing takes is measured by import_time.py
    started, notes = time.perf_counter(), {}
    if system == "skauto":
        model, notes = fit_skauto(X_train, y[train], args.time_limit, seed, args.n_jobs)
        predict, predict_proba, classes = model.predict, model.predict_proba, model.classes_
    else:
        predict, predict_proba, classes = fit_floor(system, X_train, y[train], positive)
    seconds = time.perf_counter() - started
    X_test = X.iloc[test].reset_index(drop=True)
    measured = scores(y[test], predict(X_test), predict_proba(X_test), classes, positive)
    predict_seconds = time.perf_counter() - started - seconds
    return {**measured, "seconds": seconds, "predict_seconds": predict_seconds, **notes}


def run_child(system, table, seed, args):
    """One fit in a process of its own: its row, with the peak memory of the process tree or the error."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as answer:
        command = [sys.executable, __file__, "--one", answer.name, "--data", args.data, "--systems", system]
        command += ["--tables", table, "--seed", seed, "--time-limit", args.time_limit, "--n-jobs", args.n_jobs]
        code, text, peak = watch(command, args.patience)
        row = json.loads(answer.read() or "{}") if code == 0 else {"error": f"exit {code}: {text[-1000:]}"}
    return {**row, "peak_mb": peak / 2**20}


def key_of(row):
    """What makes two rows the same fit: floors know no time limit."""
    limit = row["time_limit"] if row["system"] == "skauto" else None
    return row["system"], row["table"], row["seed"], limit


def read_rows(path):
    """All rows of a results file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def run_all(args):
    """Every fit asked for that the results file does not have yet, one after the other."""
    known = {key_of(row) for row in read_rows(args.out) if "error" not in row} if args.resume else set()
    for table in args.tables or table_names(args.data):
        for seed in range(args.seeds):
            for system in args.systems:
                row = {"system": system, "table": table, "seed": seed, "time_limit": args.time_limit}
                if key_of(row) in known:
                    continue
                row.update(run_child(system, table, seed, args))
                with args.out.open("a") as file:
                    file.write(json.dumps(row, default=float) + "\n")
                sys.stdout.write(line_of(row) + "\n")
                sys.stdout.flush()


def line_of(row):
    """One row for the screen."""
    name = f"{row['table']:<16} {row['seed']} {row['system']:<15}"
    if "error" in row:
        return f"{name} failed: {row['error'][-200:]}"
    measures = "  ".join(f"{m} {row[m]:.3f}" for m in MEASURES)
    return f"{name} {measures}  {row['seconds']:6.1f} s  {row['peak_mb']:6.0f} MB"


def report(rows, time_limit):
    """The tables of the results in markdown: means over all tables, then each table."""
    frame = pd.DataFrame([r for r in rows if r["system"] != "skauto" or r["time_limit"] == time_limit])
    if "error" not in frame:
        frame["error"] = None
    failed = frame[frame["error"].notna()]
    frame = frame[frame["error"].isna()].drop_duplicates(["system", "table", "seed"], keep="last")
    n_systems = frame.groupby(["table", "seed"])["system"].transform("nunique")
    frame = frame[n_systems == frame["system"].nunique()]
    per_table = frame.groupby(["system", "table"])[[*MEASURES, "seconds", "peak_mb"]].mean()
    means = per_table.groupby("system").mean()
    n_tables, n_splits = frame["table"].nunique(), len(frame[["table", "seed"]].drop_duplicates())
    parts = [f"Means over {n_tables} tables ({n_splits} splits that every system has):", markdown(means)]
    ours = frame[frame["system"] == "skauto"]
    if len(ours):
        ratio = ours["seconds"] / time_limit
        fewest = ours["full_candidates"].map(len).min()
        parts.append(
            f"used/limit: 95th percentile {ratio.quantile(0.95):.3f}, worst {ratio.max():.3f}; "
            f"fewest candidates fully evaluated: {fewest}"
        )
    for measure in (*MEASURES, "seconds", "peak_mb"):
        parts += [f"{measure} per table:", markdown(per_table[measure].unstack("system"))]
    if len(failed):
        parts.append("Failed: " + ", ".join(f"{r.system}/{r.table}/{r.seed}" for r in failed.itertuples()))
    return "\n\n".join(parts)


def markdown(frame):
    """A DataFrame of numbers as a markdown table: scores to three decimals, seconds and megabytes to one."""
    lines = [[frame.index.name or "", *map(str, frame.columns)], ["---"] * (frame.shape[1] + 1)]
    for name, row in frame.iterrows():
        lines.append([str(name), *(f"{v:.3f}" if v <= 1 else f"{v:.1f}" for v in row)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def parse(argv=None):
    """Arguments of the command line."""
    names = lambda text: text.split(",")  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of tables with an index.json")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for each fit of skauto")
    parser.add_argument("--seeds", type=int, default=3, help="number of splits of each table")
    parser.add_argument("--tables", type=names, help="comma-separated names (default: all)")
    parser.add_argument("--systems", type=names, default=list(SYSTEMS), help=f"of {','.join(SYSTEMS)}")
    parser.add_argument("--n-jobs", type=int, default=-1, help="workers of skauto")
    parser.add_argument("--patience", type=float, default=1_800.0, help="seconds after which a fit is killed")
    parser.add_argument("--out", type=Path, default=Path("tables.jsonl"), help="JSON-lines file to append to")
    parser.add_argument("--resume", action="store_true", help="skip what the file already has")
    parser.add_argument("--report", action="store_true", help="print the tables of the file and fit nothing")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    unknown = set(args.systems) - set(SYSTEMS)
    if unknown:
        parser.error(f"unknown system {', '.join(sorted(unknown))}; there are {', '.join(SYSTEMS)}")
    if args.data is None and not args.report:
        parser.error("--data DIR is needed")
    return args


def main():
    """Run, or report."""
    args = parse()
    if args.one:
        args.one.write_text(json.dumps(fit_one(args), default=float))
        return
    if not args.report:
        run_all(args)
    sys.stdout.write(report(read_rows(args.out), args.time_limit) + "\n")


if __name__ == "__main__":
    main()
