"""How soon a fit shows its first finished row, how long a worker takes to start, and what memory all of it takes.

    python benchmarks/fork_server.py [--rows 1000] [--fits 3] [--limit 30]
    SKAUTO_FORKSERVER=0 python benchmarks/fork_server.py
    python benchmarks/fork_server.py --fits 0 --stress 1000

One process fits `AutoClassifier` several times on made rows of 20 numbers, two workers. The memory is the greatest sum
of proportional set sizes (PSS) of this process and all its descendants, looked at twice a second: summed resident sizes
would count what forked processes share once for each of them.

`--stress` starts so many workers one after the other, after this process ran the same as each of them: a fit of
LightGBM, a singular value decomposition and a step of PyTorch on two threads. None may hang.
"""

import argparse
import os
import sys
import threading
import time
import warnings
from contextlib import suppress

import psutil


def pss(pid):
    """Proportional set size of a process in bytes, 0 where it has ended."""
    with suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as lines:
        return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


class Watch:
    """Notes the greatest PSS of this process with its descendants, twice a second, while it is entered."""

    def __enter__(self):
        self.peak, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self):
        here = psutil.Process()
        while not self._over.wait(0.5):
            with suppress(psutil.Error):
                family = [here, *here.children(recursive=True)]
                self.peak = max(self.peak, sum(pss(process.pid) for process in family))

    def __exit__(self, *error):
        self._over.set()
        self._thread.join()


def fit(rows, limit, candidates):
    """Seconds from the call of one fit until its first row, the rows finished, and the peak of memory in bytes."""
    from sklearn.datasets import make_classification

    from skauto import AutoClassifier
    from skauto.automl._progress import Progress

    X, y = make_classification(rows, 20, weights=[0.85], flip_y=0.1, random_state=0)
    came, on_result = [], Progress.on_result

    def noting(self, history, trial, result):
        if result.status == "complete":
            came.append(time.perf_counter())
        return on_result(self, history, trial, result)

    Progress.on_result = noting
    with Watch() as watch:
        began = time.perf_counter()
        AutoClassifier(time_limit=limit, n_jobs=2, verbose=0, candidates=candidates, random_state=0).fit(X, y)
        seconds = time.perf_counter() - began
    Progress.on_result = on_result
    return came[0] - began, len(came), seconds, watch.peak


def start_of_a_worker():
    """Milliseconds until a worker has answered a first task, the server there, medians of ten."""
    from skauto.search._workers import WorkerPool

    found = []
    for _ in range(10):
        began = time.perf_counter()
        with WorkerPool(1, context=1) as pool:
            pool.submit("a", lambda context: context)
            pool.wait(60)
            found.append(1000 * (time.perf_counter() - began))
    return sorted(found)[5]


def step(context):
    """What hangs in a process that was forked after its parent ran the same."""
    import lightgbm
    import numpy as np
    import torch

    X = np.random.default_rng(0).normal(size=(300, 8))
    lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=2).fit(X, X[:, 0] > 0)
    np.linalg.svd(X @ X.T)
    weight = torch.nn.Linear(8, 8)
    weight(torch.tensor(X, dtype=torch.float32)).sum().backward()
    return os.getppid(), torch.get_num_threads()


def stress(count):
    """How many workers did as they should, and the seconds of all of them."""
    from skauto.search._servers import SERVERS
    from skauto.search._workers import WorkerPool

    step(None)
    began, good = time.perf_counter(), 0
    for _ in range(count):
        with WorkerPool(1, threads=2, preload=("lightgbm", "torch")) as pool:
            pool.submit("a", step, time_limit=60)
            outcomes = []
            while not outcomes:
                outcomes = pool.wait(60)
            good += outcomes[0].value == (SERVERS.server(False).process.pid, 2)
    return good, time.perf_counter() - began


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000, help="rows of the table (default: 1000)")
    parser.add_argument("--fits", type=int, default=3, help="fits one after the other (default: 3)")
    parser.add_argument("--limit", type=float, default=30, help="seconds of each fit (default: 30)")
    parser.add_argument("--candidates", nargs="*", default="auto", help='names of candidates (default: "auto")')
    parser.add_argument("--stress", type=int, default=0, help="workers to start one after the other (default: none)")
    settings = parser.parse_args()
    warnings.simplefilter("ignore")
    for number in range(settings.fits):
        first, n, seconds, peak = fit(settings.rows, settings.limit, settings.candidates)
        told = f"first row after {first:.2f} s, {n} rows in {seconds:.1f} s, {peak / 1e6:.0f} MB at most"
        sys.stdout.write(f"fit {number + 1}: {told}\n")
        sys.stdout.flush()
    if settings.stress:
        good, seconds = stress(settings.stress)
        sys.stdout.write(f"{good} of {settings.stress} forked workers did as they should, in {seconds:.0f} s\n")
    sys.stdout.write(f"a worker starts and answers in {start_of_a_worker():.0f} ms\n")


if __name__ == "__main__":
    main()
