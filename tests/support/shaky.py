"""A classifier that fails in a chosen way, for the tests of SearchCV; imported by workers and scripts."""

import contextlib
import ctypes
import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification

X, Y = make_classification(60, 4, random_state=0)


class Shaky(ClassifierMixin, BaseEstimator):
    """Compares the first column with `threshold`, so that scores differ; on the way does what `fault` says."""

    def __init__(self, threshold=0.0, fault=None, note=None, seconds=0.0, random_state=None):
        self.threshold = threshold
        self.fault = fault
        self.note = note
        self.seconds = seconds
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        time.sleep(self.seconds)
        if self.fault is not None:
            getattr(self, f"_{self.fault}")()
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > self.threshold).astype(int)]

    def _raise(self):
        raise ValueError("out of luck")

    def _hang(self):
        time.sleep(600)

    def _spin(self):
        """A loop in C that never gives the interpreter lock back."""
        return 10 ** (10**9)

    def _segfault(self):
        ctypes.string_at(0)

    def _leave(self):
        os._exit(3)

    def _leave_once(self):
        """End the process the first time only; `note` is a file that remembers."""
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.note, os.O_CREAT | os.O_EXCL))  # one of all processes succeeds
            os._exit(3)

    def _eat(self):
        hoard = []
        while True:
            hoard.append(b"x" * 50_000_000)
            time.sleep(0.01)

    def _ask_too_much(self):
        bytearray(2**60)

    def _leak(self):
        """Start a process that outlives the task, and write down which."""
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open(self.note, "w") as file:
            file.write(str(child.pid))
        child.returncode = 0  # no warning that it still runs

    def _odd_error(self):
        raise OddError(threading.Lock())


class Homebound(Shaky):
    """Works, but cannot be pickled."""

    def __reduce__(self):
        raise TypeError("this one stays at home")


class OddError(RuntimeError):
    """An exception that cannot be pickled."""


def nan_score(estimator, X, y):
    """NaN above a threshold of 0.5."""
    return float("nan") if estimator.threshold > 0.5 else float(np.mean(estimator.predict(X) == y))


def broken_score(estimator, X, y):
    """Raises above a threshold of 0.5."""
    if estimator.threshold > 0.5:
        raise ValueError("cannot score this")
    return float(np.mean(estimator.predict(X) == y))


def outcome(search):
    """All of a search that must not depend on workers, kills and executors, as bytes: numbers to their last digit."""
    kept = {name: part for name, part in search.cv_results_.items() if not name.endswith("_time")}
    plain = {name: part if isinstance(part, list) else part.tolist() for name, part in kept.items()}
    return json.dumps([plain, search.best_params_, float(search.best_score_)]).encode()
