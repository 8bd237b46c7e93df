"""A pytest plugin: puts SearchCV in the place of scikit-learn's searches before their own tests are collected.

    pytest -p tests.upstream.scikit_learn.rebind --pyargs sklearn.model_selection.tests.test_search

The classes here rename parameters and set racing off; every fit goes through skauto's loop. Tests that cannot hold are
skipped, each with its reason (see EXCEPTIONS).
"""

from math import ceil, floor, log

import numpy as np
import pytest
import sklearn.model_selection
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection._split import _yields_constant_splits

from skauto.search import Grid, Halving, Random, SearchCV, Space

EXCEPTIONS = {
    "test_grid_search_bad_param_grid": "the same errors for the same input, in other words",
    "test_custom_run_search": "demands that a BaseSearchCV written for the test has every attribute that ours has",
    "test_search_cv_results_rank_tie_breaking": "expects a random search of a finite space in the order of the grid; "
    "the part on grid search holds",
    "test_search_cv_timing": "the same: its first row must be the one that fails; the part on grid search holds",
    "test_search_with_2d_array": "expects the order that scikit-learn's generator draws; the part on grid search holds",
    "test_base_estimator_inputs": "demands that a rung scores on a fraction of the held-out rows; ours scores on all",
    "test_select_best_index": "a private helper of scikit-learn's halving",
    "test_random_search_discrete_distributions": "expects a configuration of two to be evaluated ten times",
}


class _Renamed(SearchCV):
    """What scikit-learn's constructors cannot say keeps its default, racing is off."""

    n_iter = time_limit = constraints = fidelity = min_class_rows = trial_time_limit = memory_limit = None
    journal = executor = random_state = None
    racing = rescore = False

    def _keep_settings(self, given):
        for name in given.keys() - {"self", "__class__"}:
            setattr(self, name, given[name])


class GridSearchCV(_Renamed):
    strategy = "grid"
    _parameter_constraints = sklearn.model_selection.GridSearchCV._parameter_constraints

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
    ):
        self._keep_settings(locals())

    @property
    def space(self):
        return self.param_grid


class RandomizedSearchCV(_Renamed):
    strategy = "random"
    _parameter_constraints = sklearn.model_selection.RandomizedSearchCV._parameter_constraints

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
    ):
        self._keep_settings(locals())

    @property
    def space(self):
        return self.param_distributions


class RoundsUp(Halving):
    """Halving that keeps, like scikit-learn, the fraction of a rung rounded up."""

    def __init__(self, base, rungs, factor, n_initial):
        super().__init__(base, factor=factor, n_initial=n_initial, max_brackets=1, rungs=rungs)

    def _kept(self, n):
        return ceil(n / self.factor)


class _Halving(_Renamed):
    """scikit-learn's names for rungs: resources instead of fidelities, computed from them before the fit."""

    @property
    def space(self):
        return self.param_grid if hasattr(self, "param_grid") else self.param_distributions

    def fit(self, X, y=None, **params):
        self._validate_params()
        rows = len(X) if hasattr(X, "__len__") else X.shape[0]
        self._plan(X, y, rows, params.get("groups"))
        super().fit(X, y, **params)
        results, rung = self.cv_results_, [trial.tags["halving"]["rung"] for trial in self.history_.trials]
        self.n_candidates_ = [rung.count(k) for k in range(self.n_iterations_)]
        self.n_remaining_candidates_ = ceil(self.n_candidates_[-1] / self.factor)
        results["iter"] = np.array(rung)
        results["n_resources"] = np.array(self.n_resources_)[rung]
        del results["fidelity"], results["continued_from"]
        return self

    def _plan(self, X, y, rows, groups):
        by_rows = self.resource == "n_samples"
        if not by_rows and self.resource not in self.estimator.get_params():
            raise ValueError(
                f"Cannot use resource={self.resource} which is not supported by estimator "
                f"{type(self.estimator).__name__}"
            )
        space = Space(self.space)
        if any(self.resource in branch for branch in space.branches):
            raise ValueError(
                f"Cannot use parameter {self.resource} as the resource since it is part of the searched parameters."
            )
        cv = sklearn.model_selection.check_cv(self.cv, y, classifier=sklearn.base.is_classifier(self.estimator))
        if not _yields_constant_splits(cv):
            raise ValueError("The cv parameter must yield consistent folds across calls to split().")
        smallest = cv.get_n_splits(X, y, groups) * 2 if by_rows else 1
        if by_rows and sklearn.base.is_classifier(self.estimator):
            smallest *= len(np.unique(y))
        least = smallest if self.min_resources in ("smallest", "exhaust") else self.min_resources
        if self.max_resources == "auto" and not by_rows:
            raise ValueError("resource can only be 'n_samples' when max_resources='auto'")
        most = rows if self.max_resources == "auto" else self.max_resources
        if least > most:
            raise ValueError(f"min_resources_={least} is greater than max_resources_={most}.")
        if least == 0:
            raise ValueError(f"min_resources_={least}: you might have passed an empty dataset X.")
        n = self._n_first(space, least, most)
        required = 1 + floor(log(n, self.factor))
        if self.min_resources == "exhaust":
            least = max(least, most // self.factor ** (required - 1))
        possible = 1 + floor(log(most // least, self.factor))
        self.n_iterations_ = required if self.aggressive_elimination else min(possible, required)
        late = required - possible if self.aggressive_elimination else 0
        powers = [max(0, k - late) for k in range(self.n_iterations_)]
        self.n_resources_ = [min(int(self.factor**power * least), most) for power in powers]
        self.min_resources_, self.max_resources_ = least, most
        self.n_required_iterations_, self.n_possible_iterations_ = required, possible
        rungs = tuple(amount / self.n_resources_[-1] for amount in self.n_resources_)
        self.strategy = RoundsUp(self._base, rungs, self.factor, n)
        self.fidelity = ("rows" if by_rows else self.resource, 1, int(self.n_resources_[-1]))
        self.n_iter, self.min_class_rows = 10**6, 1


class HalvingGridSearchCV(_Halving):
    _base = Grid()
    _parameter_constraints = sklearn.model_selection.HalvingGridSearchCV._parameter_constraints

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        factor=3,
        resource="n_samples",
        max_resources="auto",
        min_resources="exhaust",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self._keep_settings(locals())

    def _n_first(self, space, least, most):
        return space.size


class HalvingRandomSearchCV(_Halving):
    _base = Random()
    _parameter_constraints = sklearn.model_selection.HalvingRandomSearchCV._parameter_constraints

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_candidates="exhaust",
        factor=3,
        resource="n_samples",
        max_resources="auto",
        min_resources="smallest",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self._keep_settings(locals())

    def _n_first(self, space, least, most):
        if self.n_candidates == "exhaust" and self.min_resources == "exhaust":
            raise ValueError("n_candidates and min_resources cannot be both set to 'exhaust'.")
        return min(most // least if self.n_candidates == "exhaust" else self.n_candidates, space.size)


def pytest_configure(config):
    """Rebind the names."""
    for ours in (GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV, HalvingRandomSearchCV):
        setattr(sklearn.model_selection, ours.__name__, ours)


def pytest_collection_modifyitems(items):
    """Skip what cannot hold, saying why."""
    for item in items:
        reason = EXCEPTIONS.get(getattr(item, "originalname", item.name))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
