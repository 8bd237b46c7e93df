"""Measure the pool of configurations on many tables: out-of-fold probabilities, those of held-back rows, and seconds.

    python benchmarks/portfolio/pool.py --data DIR --data DIR/corpus --out POOL
    python benchmarks/portfolio/learn.py --pool POOL

For each table and configuration one line of JSON is appended to POOL/pool.jsonl and one file of arrays is written; what
is there is not measured again. Tables beyond a number of rows are sampled, so that a pool is measured in hours; a
table with few rows of a class keeps more. Seconds are those of one core.
"""

import argparse
import functools
import json
import os
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from sklearn.model_selection import StratifiedKFold

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]
from tables import read_table, split_rows, table_names

from skauto import AutoClassifier
from skauto.automl._kind import kind_named
from skauto.automl._make_plan import make_plan
from skauto.automl._reading import read
from skauto.automl._settings import settings_of
from skauto.automl.evaluation._evaluate import evaluate
from skauto.automl.evaluation._fold_models import pack, unpack
from skauto.search._trial import Trial

# Rows of a table at most: more where the rarest class has less than a fraction of them.
ROWS, ROWS_WHERE_RARE, RARE = 4_000, 9_000, 0.04

N_FOLDS = 5


class AsGiven:
    """A space whose points are configurations as they are."""

    def decode(self, params):
        """The configuration itself."""
        return params


def sampled(y, seed):
    """Row numbers of a stratified sample: at least half of what each class has up to a hundred rows."""
    labels, counts = np.unique(y, return_counts=True)
    most = ROWS_WHERE_RARE if counts.min() < RARE * len(y) else ROWS
    if len(y) <= most:
        return np.arange(len(y))
    rng = np.random.default_rng(seed)
    parts = []
    for label, count in zip(labels, counts, strict=True):
        size = max(round(count * most / len(y)), min(count, 60))
        parts.append(rng.permutation(np.flatnonzero(y == label))[:size])
    return np.sort(np.concatenate(parts))


def prepared(root, name, seed):
    """What trials of one table need: their context, the form of X and the rows held back."""
    X, y, positive = read_table(root, name)
    rows = sampled(y, seed)
    X, y = X.iloc[rows].reset_index(drop=True), y[rows]
    train, test = split_rows(y, seed)
    cv = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    auto = AutoClassifier(time_limit=None, n_iter=1, cv=cv, n_jobs=1, random_state=seed, verbose=0, pos_label=positive)
    settings = settings_of(auto.get_params(deep=False))
    data = read(settings, X.iloc[train].reset_index(drop=True), y[train], None, None)
    plan = make_plan(data, settings, seed)
    context = replace(plan.context, space=AsGiven(), bag=functools.partial(pack, most_bytes=1 << 31), report=no_report)
    held = kind_named("table").same_form(X.iloc[test].reset_index(drop=True), data.form)
    codes = np.searchsorted(data.classes, y[test])
    facts = {"rows": len(train), "columns": data.n_features, "classes": len(data.classes)}
    return context, plan, held, codes, data, facts


def no_report(proba):
    """Scores are computed from the arrays."""
    return {"score": 0.0}


def measure(context, values, held, classes):
    """Arrays and seconds of one configuration."""
    context.record = ()
    began = time.process_time()
    outcome = evaluate(context, Trial(0, values))
    seconds = time.process_time() - began
    model = unpack(outcome.bag.content, classes)
    began = time.process_time()
    proba = model.predict_proba(held)
    predict_seconds = time.process_time() - began
    return outcome, proba, seconds, predict_seconds


def measure_table(args, root, name, wanted, done):
    """Measure the configurations of one table that are not known."""
    missing = [key for key in wanted if (name, key, args.seed) not in done]
    if not missing:
        return
    context, plan, held, codes, data, facts = prepared(root, name, args.seed)
    table = args.out / f"{name}-{args.seed}.npz"
    if not table.exists():
        rows = np.concatenate([valid for _, valid in context.folds])
        positive = -1 if data.pos_label is None else int(np.searchsorted(data.classes, data.pos_label))
        np.savez(table, y=data.y[rows], fold=plan.scoring.fold, y_test=codes, positive=positive)
    for key in missing:
        values = wanted[key]
        line = {"table": name, "config": key, "seed": args.seed, **facts}
        if values["candidate"] not in context.build.candidates:
            line["error"] = "cannot be used on this table"
        else:
            try:
                outcome, proba, seconds, predict_seconds = measure(context, values, held, data.classes)
            except Exception as error:  # one that fails must not end a campaign of hours
                line["error"] = f"{type(error).__name__}: {error}"[:200]
            else:
                arrays = args.out / f"{name}-{args.seed}-{key}.npz"
                np.savez(arrays, oof=outcome.proba.astype(np.float32), test=proba.astype(np.float32))
                line |= {"seconds": round(seconds, 3), "predict": round(predict_seconds, 4)}
                line |= {"bytes": len(outcome.bag.content), "rounds": outcome.best_iteration}
        with open(args.out / "pool.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")


def configurations(names):
    """What each name of a configuration stands for, in the order in which they are measured.

    Hand-set ones come first, with what the literature found good: AutoGluon's zero-shot portfolios of 2025 and the
    tuned defaults of pytabkit (Holzmüller et al. 2024) in LightGBM's names; then some that were drawn from the spaces.
    A name never changes its meaning: new configurations are added at the end.
    """
    defaults = {candidate.name: candidate.defaults for candidate in kind_named("table").built_in}
    listed = json.loads((HERE / "configurations.json").read_text())
    return {
        key: {**defaults[values["candidate"]], "imbalance": "none", **values}
        for key, values in listed.items()
        if values["candidate"] in names
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", nargs="+")
    parser.add_argument("--candidates", nargs="+")
    parser.add_argument("--most", type=int, help="configurations at most, the first ones")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    names = args.candidates or [candidate.name for candidate in kind_named("table").candidates()]
    wanted = dict(list(configurations(names).items())[: args.most])
    file = args.out / "pool.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(line["table"], line["config"], line["seed"]) for line in lines}
    tables = [(root, name) for root in args.data for name in table_names(root)]
    tables = [entry for entry in tables if not args.tables or entry[1] in args.tables]
    # A part of the pool on all tables before the next part, so that an interrupted campaign can be used.
    step = 12
    for first in range(0, len(wanted), step):
        part = {key: wanted[key] for key in list(wanted)[first : first + step]}
        for root, name in tables:
            measure_table(args, root, name, part, done)


if __name__ == "__main__":
    main()
