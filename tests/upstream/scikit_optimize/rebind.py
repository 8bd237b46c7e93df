"""A pytest plugin: puts SearchCV in the place of scikit-optimize's BayesSearchCV before its own tests are collected.

    pytest -p tests.upstream.scikit_optimize.rebind test_searchcv.py

The class here renames parameters and sets racing off; every fit goes through skauto's loop. Subspaces that have their
own number of trials are a strategy of its own. Tests that cannot hold are skipped, each with its reason.
"""

import numpy as np
import pytest
import skopt
from scipy.optimize import OptimizeResult

from skauto.search import Bayes, SearchCV, Space

EXCEPTIONS = {
    "test_raise_errors": "an empty dict is one configuration, as in scikit-learn; a bad dimension is a TypeError",
    "test_searchcv_callback": "passes a callback of scikit-optimize's own form; here callbacks are scikit-learn's",
    "test_searchcv_rank": "demands ranks of the training scores, which scikit-learn's table has not",
}


class InTurn(Bayes):
    """Bayesian optimisation of one branch after another, each with its number of trials."""

    def __init__(self, counts):
        super().__init__()
        self.counts = counts

    def propose(self, history):
        done = [trial.params["branch"] for trial in history.trials]
        due = next((branch for branch, count in enumerate(self.counts) if done.count(branch) < count), None)
        if due is None:
            return None
        if done.count(due) < self.n_initial:
            return self.next_trial(history, history.space.sample_branch(due, self.rng(history)))
        return _OneBranch(due).propose(history)


class _OneBranch(Bayes):
    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def _candidates(self, history, branch, points, rng):
        return super()._candidates(history, branch, points, rng) if branch == self.branch else []


class BayesSearchCV(SearchCV):
    time_limit = constraints = fidelity = min_class_rows = trial_time_limit = memory_limit = journal = executor = None
    racing = rescore = False

    def __init__(
        self,
        estimator,
        search_spaces,
        optimizer_kwargs=None,
        n_iter=50,
        scoring=None,
        fit_params=None,
        n_jobs=1,
        n_points=1,
        iid="deprecated",
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score="raise",
        return_train_score=False,
    ):
        given = locals()
        for name in given.keys() - {"self", "__class__"}:
            setattr(self, name, given[name])
        Space(self.space)  # says at once what is wrong with it, as theirs does

    @property
    def space(self):
        return [space for space, _ in self._parts()]

    @property
    def strategy(self):
        return InTurn([count for _, count in self._parts()])

    @property
    def total_iterations(self):
        return sum(count for _, count in self._parts())

    @property
    def optimizer_results_(self):
        """The best point of each subspace, its values in the order of their names."""
        branches = [trial.params["branch"] for trial in self.history_.trials]
        found = []
        for branch in range(len(self.space)):
            rows = np.flatnonzero(np.array(branches) == branch)
            best = rows[np.argmax(self.cv_results_["mean_test_score"][rows])]
            params = self.cv_results_["params"][best]
            found.append(OptimizeResult(x=[params[name] for name in sorted(params)]))
        return found

    def _parts(self):
        """Pairs of a subspace and its number of trials."""
        given = self.search_spaces if isinstance(self.search_spaces, list) else [self.search_spaces]
        each = vars(self).get("_each", self.n_iter)
        return [part if isinstance(part, tuple) else (part, each) for part in given]

    def fit(self, X, y=None, **params):
        """Their n_iter is of each subspace, ours of the whole search."""
        self._each, self.n_iter = self.n_iter, self.total_iterations
        try:
            return super().fit(X, y, **params)
        finally:
            self.n_iter = self._each
            del self._each


def pytest_configure(config):
    """Rebind the name."""
    skopt.BayesSearchCV = BayesSearchCV
    for mark in ("slow_test", "fast_test"):
        config.addinivalue_line("markers", f"{mark}: of scikit-optimize")


def pytest_collection_modifyitems(items):
    """Skip what cannot hold, saying why."""
    for item in items:
        reason = EXCEPTIONS.get(getattr(item, "originalname", item.name))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
