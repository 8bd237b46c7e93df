"""Classifiers that raise, hang, eat memory or kill their process, as candidates of the portfolio."""

import contextlib
import os
import signal
import time
from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from skauto.automl._candidate import Candidate
from skauto.automl._kind import kind_named
from skauto.automl.tables._candidates import TABLES


class Faulty(ClassifierMixin, BaseEstimator):
    """Predicts the fractions of the classes in y, unless it fails in its own way."""

    def __init__(self, fault="raise"):
        self.fault = fault

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.priors_ = counts / counts.sum()
        self.n_features_in_ = X.shape[1]
        getattr(self, f"_{self.fault}")(y)
        return self

    def predict_proba(self, X):
        proba = self.priors_ * (np.nan if self.fault == "nan" else 1.0)
        return np.tile(proba, (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _raise(self, y):
        raise ValueError("out of luck")

    def _hang(self, y):
        time.sleep(600)

    def _eat(self, y):
        hoard = []
        while True:
            hoard.append(b"x" * 50_000_000)
            time.sleep(0.01)

    def _kill(self, y):
        os.kill(os.getpid(), signal.SIGKILL)

    def _leave(self, y):
        os._exit(3)

    def _leave_once(self, y):
        """Ends the process the first time only; a file named in the environment remembers."""
        with contextlib.suppress(FileExistsError):
            os.close(os.open(os.environ["SKAUTO_TEST_NOTE"], os.O_CREAT | os.O_EXCL))
            os._exit(3)

    def _refit(self, y):
        """Fine in the folds, where labels are codes; fails on the labels of the user."""
        if y.dtype.kind == "U":
            raise ValueError("not on all rows")

    def _nan(self, y):
        pass


def build(values, profile, seed):
    return Faulty(values["fault"])


def prepare(values, profile):
    return None


def candidate(fault):
    """A portfolio entry that is tried first of all."""
    return Candidate(
        name=fault,
        build=build,
        prepare=prepare,
        space={"fault": [fault]},
        defaults={"fault": fault},
        initial=({},),
        ranks=(-1,),
    )


def with_faults(*faults):
    """The kind of tables, whose portfolio has these entries too."""
    return replace(kind_named("table"), candidates=partial(_portfolio, faults))


def _portfolio(faults):
    return (*TABLES, *map(candidate, faults))
