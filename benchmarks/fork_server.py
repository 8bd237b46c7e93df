"""How soon a fit shows its first finished row, how long a worker takes to start, and what memory all of it takes.

    python benchmarks/fork_server.py [--rows 1000] [--fits 3] [--limit 30]
    SKAUTO_FORKSERVER=0 python benchmarks/fork_server.py

One process fits `AutoClassifier` several times on made rows of 20 numbers, two workers. The memory is the greatest sum
of proportional set sizes (PSS) of this process and all its descendants, looked at twice a second: summed resident sizes
would count what forked processes share once for each of them.
"""

import argparse
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


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000, help="rows of the table (default: 1000)")
    parser.add_argument("--fits", type=int, default=3, help="fits one after the other (default: 3)")
    parser.add_argument("--limit", type=float, default=30, help="seconds of each fit (default: 30)")
    parser.add_argument("--candidates", nargs="*", default="auto", help='names of candidates (default: "auto")')
    settings = parser.parse_args()
    warnings.simplefilter("ignore")
    for number in range(settings.fits):
        first, n, seconds, peak = fit(settings.rows, settings.limit, settings.candidates)
        told = f"first row after {first:.2f} s, {n} rows in {seconds:.1f} s, {peak / 1e6:.0f} MB at most"
        sys.stdout.write(f"fit {number + 1}: {told}\n")
        sys.stdout.flush()
    sys.stdout.write(f"a worker starts and answers in {start_of_a_worker():.0f} ms\n")


if __name__ == "__main__":
    main()
