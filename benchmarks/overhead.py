"""What a search costs beside its fits: 200 trials of a 10 ms fit on two workers, with a journal.

    python benchmarks/overhead.py

The ideal is the fits alone, shared evenly: trials * folds * seconds / workers. Start-up (workers, imports, first
fold) is told apart: it is the time until a search of one trial per worker is through, on workers that are not warm; a
ratio is that of the trials beyond those, on warm workers. scikit-learn's RandomizedSearchCV on the same folds takes its
turn after each search, its own start-up left out in the same way; it has no journal.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import RandomizedSearchCV

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from skauto.search import SearchCV


class TenMilliseconds(ClassifierMixin, BaseEstimator):
    """Sleeps for `seconds`, so that what the machine does beside changes nothing."""

    def __init__(self, threshold=0.0, seconds=0.01):
        self.threshold = threshold
        self.seconds = seconds

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        time.sleep(self.seconds)
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > self.threshold).astype(int)]


def say(line):
    """A line on standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def ours(n_trials, folder, args):
    """Wall seconds of one search."""
    search = SearchCV(
        TenMilliseconds(), {"threshold": uniform(-1, 2)}, strategy="random", n_iter=n_trials, cv=args.cv, refit=False,
        n_jobs=args.workers, journal=folder, random_state=0, scoring="accuracy",
    )  # fmt: skip
    return _seconds(search)


def theirs(n_trials, args):
    """Wall seconds of scikit-learn's search."""
    search = RandomizedSearchCV(
        TenMilliseconds(), {"threshold": uniform(-1, 2)}, n_iter=n_trials, cv=args.cv, refit=False, n_jobs=args.workers,
        random_state=0, scoring="accuracy",
    )  # fmt: skip
    return _seconds(search)


def _seconds(search):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), np.arange(200) % 2
    began = time.perf_counter()
    search.fit(X, y)
    return time.perf_counter() - began


def main():
    """Print start-up, and each repeat's ratio to the ideal with the fraction of it that is start-up on warm workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--cv", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    ideal = (args.trials - args.workers) * args.cv * 0.01 / args.workers
    ratios, others = [], []
    with tempfile.TemporaryDirectory() as folder:
        say(f"start-up, workers cold: {ours(args.workers, f'{folder}/cold', args):.2f} s")
        theirs(args.workers, args)
        for repeat in range(args.repeats):
            warm = ours(args.workers, f"{folder}/warm{repeat}", args)
            whole = ours(args.trials, f"{folder}/whole{repeat}", args)
            other = theirs(args.trials, args) - theirs(args.workers, args)
            ratios.append((whole - warm) / ideal)
            others.append(other / ideal)
            say(
                f"start-up, workers warm: {warm:.2f} s; {args.trials} trials: {whole:.2f} s, {ratios[-1]:.2f} x ideal; "
                f"RandomizedSearchCV {others[-1]:.2f} x ideal"
            )
    say(f"ideal {ideal:.2f} s; median ratio {np.median(ratios):.2f}, least {min(ratios):.2f}")
    say(f"RandomizedSearchCV: median ratio {np.median(others):.2f}, least {min(others):.2f}")


if __name__ == "__main__":
    main()
