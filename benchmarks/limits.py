"""Does a fit keep its time limit, and with which model: eight large shapes, quiet and beside busy processes.

One fit a run, in a process of its own; one JSON line each, appended to a file. A run that is in the file is not done
again, so a stopped benchmark goes on where it was:

    python benchmarks/limits.py --out limits.jsonl --shapes table wide --limits 5 20 --busy 0 3
"""

import argparse
import json
import multiprocessing
import subprocess
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import scipy.sparse as sp

# Seconds between looks at the memory of the process tree, and after which a run is given up.
TICK, PATIENCE = 0.2, 900


def table():
    """200,000 rows of 20 numbers, two classes."""
    return _numbers(200_000, 20, 2)


def classes():
    """20,000 rows of 20 numbers, 100 classes."""
    return _numbers(20_000, 20, 100)


def strings():
    """50,000 rows of twelve columns of words, from a few to thousands of levels, and four numbers."""
    rng = np.random.default_rng(0)
    n, levels = 50_000, np.geomspace(3, 5_000, 12).astype(int)
    words = {f"word{i}": rng.integers(0, size, n) for i, size in enumerate(levels)}
    signal = sum(np.sin(codes) for codes in words.values()) + rng.normal(size=n)
    frame = pd.DataFrame({name: pd.Series(codes).map("level {}".format) for name, codes in words.items()})
    for i in range(4):
        frame[f"number{i}"] = rng.normal(size=n) + 0.2 * signal
    return frame, np.where(signal > np.quantile(signal, 0.8), "yes", "no")


def images():
    """10,000 colour images of 32 by 32 pixels, ten classes, each a pattern of its own under noise."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 10_000)
    patterns = rng.normal(size=(10, 32, 32, 3))
    noise = rng.normal(scale=2.0, size=(10_000, 32, 32, 3))
    return np.clip(128 + 30 * (patterns[y] + noise), 0, 255).astype(np.uint8), y


def wide():
    """2,000 rows of 3,000 numbers, two classes."""
    return _numbers(2_000, 3_000, 2)


def sequences():
    """3,000 series of 100 steps of three features, four classes of frequency."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 3_000)
    steps = np.linspace(0, 6 * np.pi, 100)
    waves = np.sin(steps * (1 + 0.3 * y[:, None]) + rng.uniform(0, 6, (3_000, 1)))
    return waves[:, :, None] + rng.normal(size=(3_000, 100, 3)), y


def tall_and_wide():
    """50,000 rows of 300 numbers, two classes."""
    return _numbers(50_000, 300, 2)


def sparse():
    """50,000 rows of 5,000 columns, one cell in a hundred filled."""
    rng = np.random.default_rng(0)
    X = sp.random_array((50_000, 5_000), density=0.01, format="csr", rng=rng)
    signal = X[:, :50].sum(axis=1) + 0.2 * rng.normal(size=50_000)
    return X, (signal > np.quantile(signal, 0.7)).astype(int)


SHAPES = {
    "table": table,
    "classes": classes,
    "strings": strings,
    "images": images,
    "wide": wide,
    "sequences": sequences,
    "tall_and_wide": tall_and_wide,
    "sparse": sparse,
}


def _numbers(n_rows, n_columns, n_classes):
    """Numbers of which a tenth, at least five, tell the class; of two classes the second is the rarer."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    telling = max(n_columns // 10, 5)
    signal = X[:, :telling].sum(axis=1) / np.sqrt(telling) + rng.normal(scale=0.5, size=n_rows)
    edges = [0.8] if n_classes == 2 else np.arange(1, n_classes) / n_classes
    return X, np.digitize(signal, np.quantile(signal, edges))


def spin():
    """What a busy process does."""
    while True:
        pass


@contextmanager
def company(count):
    """A context with busy processes beside what runs inside."""
    processes = [multiprocessing.get_context("spawn").Process(target=spin, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()


class Memory(threading.Thread):
    """The most memory that a process and its children hold together, shared pages divided among them."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.peak = psutil.Process(process.pid), 0

    def run(self):
        """Look until the process has ended."""
        while self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE:
            self.peak = max(self.peak, self._now())
            time.sleep(TICK)

    def _now(self):
        try:
            family = [self.process, *self.process.children(recursive=True)]
        except psutil.Error:
            return 0
        return sum(_bytes_of(member) for member in family)


def _bytes_of(process):
    """Proportional memory of a process, resident where the system does not tell, 0 where it has ended."""
    try:
        memory = process.memory_full_info()
        return getattr(memory, "pss", 0) or memory.rss
    except psutil.Error:
        return 0


def fit_one(shape, limit, candidates):
    """One fit in this process; its figures as one JSON line."""
    from skauto import AutoClassifier

    X, y = SHAPES[shape]()
    chosen = {"candidates": candidates} if candidates else {}
    model = AutoClassifier(time_limit=limit, random_state=0, verbose=0, **chosen)
    began = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    used = time.monotonic() - began
    rows = X[:200] if not isinstance(X, pd.DataFrame) else X.iloc[:200]
    assert set(model.predict(rows)) <= set(model.classes_)
    trials = model.leaderboard(details=True).query("trial >= 0")
    figures = {
        "used": round(used, 2),
        "phases": model.budget_["used"].round(2).to_dict(),
        "statuses": trials["status"].value_counts().to_dict(),
        "complete": int((trials["status"] == "complete").sum()),
        "model": model.model_kind_,
        "candidate": model.best_params_.get("candidate"),
        "score": None if np.isnan(model.best_score_) else round(float(model.best_score_), 4),
        "said": [str(w.message)[:200] for w in caught if w.category is UserWarning],
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def measure(shape, limit, busy, candidates):
    """One run in a process of its own, as a record."""
    command = [sys.executable, __file__, "--one", shape, str(limit), *candidates]
    with company(busy):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        memory = Memory(process)
        memory.start()
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
    lines = said.splitlines()
    figures = json.loads(lines[-1]) if process.returncode == 0 and lines else {"failed": process.returncode}
    load = round(psutil.getloadavg()[0], 1)
    about = {"shape": shape, "limit": limit, "busy": busy, "candidates": candidates, "load": load}
    return about | figures | {"peak_mb": round(memory.peak / 1e6)}


def main():
    """Run what is asked for and not yet in the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path("limits.jsonl"))
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--limits", nargs="+", type=float, default=[5, 20])
    parser.add_argument("--busy", nargs="+", type=int, default=[0, 3], help="busy processes beside the fit")
    parser.add_argument("--candidates", nargs="+", default=[], help="default: all")
    args = parser.parse_args()
    if args.one:
        fit_one(args.one[0], float(args.one[1]), args.one[2:])
        return
    lines = args.out.read_text().splitlines() if args.out.exists() else []
    done = [tuple(map(str, (r["shape"], r["limit"], r["busy"], r["candidates"]))) for r in map(json.loads, lines)]
    for busy in args.busy:
        for limit in args.limits:
            for shape in args.shapes:
                if tuple(map(str, (shape, limit, busy, args.candidates))) in done:
                    continue
                line = json.dumps(measure(shape, limit, busy, args.candidates))
                with args.out.open("a") as file:
                    file.write(line + "\n")
                sys.stdout.write(line + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
