"""Learn the portfolio from a measured pool: an ordered list whose blended, thresholded answer does best on the tables.

    python benchmarks/portfolio/learn.py --pool POOL --out skauto/data/tables_portfolio.json
    python benchmarks/portfolio/learn.py --pool POOL --leave-out 8 --figures figures.json

Greedy: the configuration is appended that gains most, in the mean over tables and time limits, of the mean of F1, AP
and AUC on rows held back. A table sees of a list what two cores finish within the limit, by the seconds measured, for
all of its rows. Its answer is what AutoClassifier would make of these trials: the ensemble, weights and threshold
chosen on out-of-fold probabilities.

With --leave-out the sources are dealt into parts; for each a list is learnt from the others and judged on it, beside
the hand-set list and a random one, so that no list is judged on what it was fitted to.
"""

import argparse
import json
import sys
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]
from skauto.automl.evaluation._ranking import ap_of, auc_of
from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._select import Scored, choose_members
from skauto.resample._label_scores import CONFUSION_METRICS

LIMITS = (15.0, 60.0, 300.0)

# Of a time limit, what the search may use, and what workers take to start.
SEARCH_FRACTION, START_SECONDS, N_CORES = 0.75, 2.0, 2

# Rows that a list is judged on while it is learnt: more would take longer.
MOST_ROWS = 1_200

# Entries that are tried at each place: those that gained most at the place before.
TRIED = 16

# Tables of one source, which leave together.
RELATIVES = [
    {"column3c", "ad_vertebral"},
    {"waveform5000", "ad_waveform"},
    {"ad_annthyroid", "sick"},
    {"ad_breastw", "ad_wdbc"},
    {"heart_h", "heart_statlog"},
    {"german_credit", "credit_scoring"},
]

# The hand-set first configurations before there was a learnt list, in their order.
HAND_SET = [
    "lightgbm-0", "logistic-0", "hist_boosting-0", "extra_trees-0", "svm-0", "lightgbm-1", "random_forest-0",
    "lightgbm-2", "mlp-0", "logistic-1", "lightgbm-3", "extra_trees-1", "random_forest-2", "knn-0", "naive_bayes-0",
]  # fmt: skip


@dataclass
class Table:
    """What is known of one table with one seed."""

    name: str
    y: np.ndarray
    y_test: np.ndarray
    scoring: Scoring
    scale: float
    oof: dict
    test: dict
    seconds: dict
    score: dict


def source_of(name):
    """The name of a source: that of the first of its relatives."""
    for group in RELATIVES:
        if name in group:
            return min(group)
    return name


def thinned(y, most, seed):
    """Row numbers of a stratified sample."""
    if len(y) <= most:
        return np.arange(len(y))
    rng = np.random.default_rng(seed)
    parts = []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        parts.append(rows[: max(round(len(rows) * most / len(y)), min(len(rows), 40))])
    return np.sort(np.concatenate(parts))


def load(pool, full_rows, wanted=None):
    """The tables of a pool, with the configurations that were measured on most of them."""
    lines = [json.loads(line) for line in (pool / "pool.jsonl").read_text().splitlines()]
    by_table = defaultdict(list)
    for line in lines:
        if "error" not in line:
            by_table[line["table"], line["seed"]].append(line)
    return [
        load_table(pool, *key, some, full_rows) for key, some in by_table.items() if wanted is None or key[0] in wanted
    ]


def load_table(pool, name, seed, lines, full_rows):
    known = np.load(pool / f"{name}-{seed}.npz")
    y, y_test = known["y"], known["y_test"]
    rows, test_rows = thinned(y, MOST_ROWS, 1), thinned(y_test, MOST_ROWS, 2)
    arrays = {line["config"]: np.load(pool / f"{name}-{seed}-{line['config']}.npz") for line in lines}
    n_classes = next(iter(arrays.values()))["oof"].shape[1]
    positive = max(int(known["positive"]), 0) if n_classes == 2 else 1
    metric = "f1" if n_classes == 2 else "f1_macro"
    scoring = Scoring(
        metric,
        "labels",
        CONFUSION_METRICS[metric],
        y[rows],
        known["fold"][rows],
        np.zeros(len(rows)),
        positive=positive,
    )
    oof = {key: found["oof"][rows].astype(np.float64) for key, found in arrays.items()}
    # Trials are ordered by a smooth score: that of labels takes a threshold for each, and decides nothing here.
    score = {key: scoring.select(proba) for key, proba in oof.items()}
    scale = max(full_rows.get(name, 0) * 0.7 / max(line["rows"] for line in lines), 1.0)
    return Table(
        name, y[rows], y_test[test_rows], scoring, scale, oof,
        {key: found["test"][test_rows].astype(np.float64) for key, found in arrays.items()},
        {line["config"]: line["seconds"] for line in lines}, score,
    )  # fmt: skip


def finished(table, entries, limit):
    """The entries of a list that two cores finish within a limit, the first one in any case."""
    room = N_CORES * (SEARCH_FRACTION * limit - START_SECONDS)
    done = []
    for key in entries:
        if key not in table.seconds:
            continue
        room -= table.seconds[key] * table.scale
        if room < 0 and done:
            break
        done.append(key)
    return tuple(done)


class Judge:
    """Answers of lists on tables within time limits, remembered."""

    def __init__(self, limits=LIMITS):
        self.limits = limits
        self.known = {}

    def measures(self, table, done):
        """F1, AP and AUC on the rows held back, of what was finished."""
        key = table.name, id(table), done
        if key not in self.known:
            self.known[key] = self._measured(table, done)
        return self.known[key]

    def _measured(self, table, done):
        if not done:
            return 0.0, 0.0, 0.5
        scoring = table.scoring
        trials = [
            Scored(
                number, {"candidate": key.split("-")[0]}, table.score[key], np.zeros(1), table.oof[key], 0.0, None, True
            )
            for number, key in enumerate(done)
        ]
        trials.sort(key=lambda trial: -trial.score)
        members = choose_members(trials, scoring)
        oof = sum(weight * trial.proba for trial, weight in members)
        test = sum(weight * table.test[done[trial.number]] for trial, weight in members)
        threshold = scoring.threshold(oof)
        held = Scoring(
            scoring.name, "labels", scoring.metric, table.y_test, np.zeros(len(test)), np.zeros(len(test)),
            positive=scoring.positive,
        )  # fmt: skip
        f1 = held.of_labels(test, held.labels_at(test, threshold))(np.arange(len(test)))
        y, oriented = held.oriented(test)
        return float(f1), ap_of(y, oriented), auc_of(y, oriented)

    def value(self, tables, entries):
        """The mean over sources and limits of the mean of the three measures."""
        by_source = defaultdict(list)
        for table in tables:
            values = [np.nanmean(self.measures(table, finished(table, entries, limit))) for limit in self.limits]
            by_source[source_of(table.name)].append(np.mean(values))
        return float(np.mean([np.mean(values) for values in by_source.values()]))


def learn(judge, tables, pool, length, first=(), say=lambda line: None):
    """The ordered list, greedily, behind the entries that stand first."""
    entries, gains = [*first], dict.fromkeys(pool, np.inf)
    for place in range(len(first), length):
        left = [key for key in pool if key not in entries]
        if not left:
            break
        tried = sorted(left, key=lambda key: -gains[key])
        tried = tried if place == len(first) else tried[: max(TRIED, len(left) // 4 if place < 3 else 0)]
        values = {key: judge.value(tables, [*entries, key]) for key in tried}
        best = max(tried, key=lambda key: values[key])
        for key in tried:
            gains[key] = values[key] - values[best] + 1
        # What was not tried moves up slowly, so that it has its turn.
        for key in left:
            if key not in tried:
                gains[key] += 0.002 if np.isfinite(gains[key]) else 0
        entries.append(best)
        say(f"{place + 1:3d} {best:18s} {values[best]:.4f}")
    return entries


def write_scores(judge, tables, file):
    """Seconds of five folds on one core, and F1, AP and AUC on the rows held back, of each table and configuration."""
    lines = ["table,config,seconds,f1,ap,auc"]
    for table in sorted(tables, key=lambda table: table.name):
        for key, seconds in table.seconds.items():
            measures = ",".join(f"{value:.4f}" for value in judge.measures(table, (key,)))
            lines.append(f"{table.name},{key},{seconds:.2f},{measures}")
    file.write_text("\n".join(lines) + "\n")


def left_out(judge, tables, pool, n_parts, length, first):
    """For each part of the sources the measures of a list that was learnt from the others, beside other lists."""
    sources = sorted({source_of(table.name) for table in tables}, key=lambda name: zlib.crc32(name.encode()))
    rng = np.random.default_rng(0)
    collected = defaultdict(list)
    for part in range(n_parts):
        mine = set(sources[part::n_parts])
        others = [table for table in tables if source_of(table.name) not in mine]
        lists = {
            "learnt": learn(judge, others, pool, length, first),
            "hand-set": HAND_SET,
            "random": list(rng.permutation(pool))[:length],
        }
        for table in tables:
            if source_of(table.name) in mine:
                for name, entries in lists.items():
                    for limit in judge.limits:
                        measured = judge.measures(table, finished(table, entries, limit))
                        collected[f"{name} {limit:g} s"].append((table.name, *measured))
        sys.stdout.write(f"part {part + 1}: {' '.join(lists['learnt'][:10])}\n")
        sys.stdout.flush()
    return collected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--data", type=Path, action="append", default=[], help="folders whose index tells the rows")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--scores", type=Path, help="file that takes seconds and scores of each configuration")
    parser.add_argument("--leave-out", type=int, default=0)
    parser.add_argument("--length", type=int, default=30)
    # The first trial of a large table, or of a few seconds, must be a quick one, which the limits above do not ask for.
    parser.add_argument("--first", nargs="*", default=["lightgbm-0"], help="what stands first, not learnt")
    parser.add_argument("--without", nargs="*", default=[], help="candidates or entries left out: catboost mlp-6")
    parser.add_argument("--limits", type=float, nargs="+", default=LIMITS, help="seconds that lists are judged at")
    args = parser.parse_args()
    full_rows = {}
    for root in args.data:
        for name, entry in json.loads((root / "index.json").read_text()).items():
            full_rows[name] = entry["rows"]
    tables = load(args.pool, full_rows)
    count = defaultdict(int)
    for table in tables:
        for key in table.seconds:
            count[key] += 1
    most = max(count.values())
    configs = json.loads((HERE / "configurations.json").read_text())
    # An SVM is not fitted to many rows: such configurations are measured on fewer tables.
    pool = [
        key for key in configs if count[key] > 0.75 * most and not {key, configs[key]["candidate"]} & {*args.without}
    ]
    sys.stdout.write(f"{len(tables)} tables, {len(pool)} configurations\n")
    judge = Judge(tuple(args.limits))
    if args.scores:
        write_scores(judge, tables, args.scores)
        return
    if args.leave_out:
        collected = left_out(judge, tables, pool, args.leave_out, args.length, args.first)
        for name, rows in collected.items():
            means = np.nanmean([row[1:] for row in rows], axis=0)
            sys.stdout.write(f"{name:16s} F1 {means[0]:.4f} AP {means[1]:.4f} AUC {means[2]:.4f}\n")
        if args.figures:
            args.figures.write_text(json.dumps(collected, indent=1))
        return

    def say(line):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    entries = learn(judge, tables, pool, args.length, args.first, say)
    if args.out:
        listed = [configs[key] for key in entries]
        args.out.write_text("[\n" + ",\n".join(json.dumps(entry) for entry in listed) + "\n]\n")


if __name__ == "__main__":
    main()
