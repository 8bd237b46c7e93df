"""AutoClassifier: inspect the data, search over pipelines, build the ensemble, cut, refit."""

import os
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skauto._finish import Finish
from skauto._inputs import align, inspect, rarest_class
from skauto._leaderboard import cv_results, leaderboard
from skauto._memory import memory_bytes
from skauto._progress import Progress
from skauto._scoring import own_pos_label, resolve_metric
from skauto._seeds import root_seed
from skauto._sklearn import HasMethods, Interval, validate_parameter_constraints
from skauto._timing import Phases, SearchBudget
from skauto.resample._threshold import confusion_of, cut_labels
from skauto.search._evaluate import evaluate
from skauto.search._history import History
from skauto.search._loop import search
from skauto.search._spares import SPARES
from skauto.search._workers import WorkerPool
from skauto.search.strategies._base import Strategy
from skauto.search.strategies._grid import Grid
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._names import make_strategy
from skauto.search.strategies._random import Random
from skauto.search.strategies._warm_start import WarmStart

# Count mode: an ask sees the results of all trials but the last few.
LAG = 3

# The fewest training rows of a first rung: "auto" halves only where rows are many.
ROWS_TO_HALVE, ROWS_OF_A_RUNG = 1_500, 200

# What every worker needs, imported before its first trial.
PRELOAD = ("skauto._plan", "lightgbm")

# Trials of the first rung.
RUNG = 9

# Workers that import in advance, to step in at once for one that was killed.
SPARE_WORKERS = 1


class AutoClassifier(ClassifierMixin, BaseEstimator):
    """Finds, ensembles and cuts classifiers for a table.

    Parameters
    ----------
    scoring : str or scorer, default="f1"
        What to maximise. "f1" is F1 of `pos_label` for two classes and macro F1 for more, "roc_auc" one-vs-rest for
        more than two; other names are scikit-learn's. Label metrics are scored on pooled out-of-fold probabilities,
        each fold cut where the other folds like it best.
    strategy : str or Strategy, default="auto"
        "random", "genetic", "bayes", "halving", "auto", or an object of `skauto.search`.
    time_limit : float or None, default=300
        Seconds for everything, refit and ensemble included. A search of a small table may end sooner.
    n_iter : int or None, default=None
        Most trials. With `time_limit=None` the result is the same on any number of workers, and nothing stops a
        trial that hangs.
    cv : int or splitter, default=5
        Folds. An integer means stratified folds, drawn up to three times on small tables.
    candidates : "auto", str or list of str, default="auto"
        Which kinds of classifier to try: "lightgbm", "hist_boosting", "extra_trees", "random_forest", "logistic",
        "svm", "knn", "naive_bayes", "mlp".
    pos_label : label or None, default=None
        The positive class of two; None is the rarer one, on a tie the second.
    ensemble : bool, default=True
        Whether `predict` uses a weighted ensemble of the models tried; False uses the best one alone.
    n_jobs : int or None, default=-1
        Worker processes; -1 is one a core, None one.
    memory_limit : int, str or None, default=None
        Most resident memory of a trial, in bytes or as "4GB". None is an equal share of four fifths of what is free.
    random_state : int, RandomState or None, default=None
        Seed.
    verbose : int, default=1
        1 shows a line of progress on standard error, 0 nothing.

    Attributes
    ----------
    best_estimator_ : Pipeline
        The best single model, refitted on all rows, with its threshold in the last step.
    ensemble_ : WeightedEnsembleClassifier
        What predicts.
    leaderboard_ : DataFrame
        A row a trial and one for the ensemble, the best on top: `chosen`, `candidate`, `score` (what `scoring` says,
        over pooled folds), `F1`, `AUC`, `AP`, `fold_spread` (standard deviation of the score over folds), `seconds`,
        `status`, `reason` (what went wrong), `fidelity` (share of the rows), `trial` (its number) and `params`.
    best_params_ : dict
    best_score_ : float
        Score of the best single model over the pooled folds.
    cv_results_ : dict
        As in scikit-learn's searches.
    threshold_ : float or ndarray of shape (n_classes,)
        Cut of the probability of `pos_label_`; for more than two classes the factor of each column.
    kind_ : str
        "table".
    pos_label_ : label or None
        The positive class, None for more than two classes.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where X had column names.
    budget_ : DataFrame
        Planned and used seconds of each phase.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skauto import AutoClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> auto = AutoClassifier(n_iter=3, time_limit=None, cv=3, pos_label=0, n_jobs=1, random_state=0, verbose=0)
    >>> auto = auto.fit(X, y)
    >>> auto.predict_proba(X).shape
    (569, 2)
    >>> auto.leaderboard_["candidate"].nunique()
    4
    """

    _parameter_constraints = {
        "strategy": [str, Strategy],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split", "get_n_splits"])],
        "candidates": [str, list, tuple],
        "ensemble": ["boolean"],
        "n_jobs": [Integral, None],
        "memory_limit": [Interval(Integral, 1, None, closed="left"), str, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        scoring="f1",
        *,
        strategy="auto",
        time_limit=300,
        n_iter=None,
        cv=5,
        candidates="auto",
        pos_label=None,
        ensemble=True,
        n_jobs=-1,
        memory_limit=None,
        random_state=None,
        verbose=1,
    ):
        self.scoring = scoring
        self.strategy = strategy
        self.time_limit = time_limit
        self.n_iter = n_iter
        self.cv = cv
        self.candidates = candidates
        self.pos_label = pos_label
        self.ensemble = ensemble
        self.n_jobs = n_jobs
        self.memory_limit = memory_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, groups=None):
        """Search, ensemble, cut and refit.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix of shape (n, n_features)
            Numbers, booleans, categories, strings and dates; missing values are welcome.
        y : array-like of shape (n,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows, in fitting and scoring.
        groups : array-like of shape (n,), default=None
            Rows of one group are never on both sides of a fold.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter cannot be used; the message says which and what would do.
        """
        phases = Phases(self.time_limit)
        self._check()
        seed, n_workers, threads = root_seed(self.random_state), self._n_workers(), self._threads()
        with phases("inspect"):
            data = inspect(X, y, sample_weight, groups)
            self._learn(data)
            resolve_metric(self.scoring, self.classes_)
            SPARES.warm(threads, n_workers + SPARE_WORKERS)  # they import while the plan is made
            memory_limit = memory_bytes(self.memory_limit, n_workers)
            plan = self._plan(data, seed, threads, memory_limit)
        progress = Progress(self.verbose, self.time_limit, phases.began)
        for line in plan.missing:
            progress.say(line)
        with WorkerPool(n_workers, threads, plan.context, memory_limit, PRELOAD) as pool:
            with phases("search"):
                history, interrupted = self._search(plan, seed, pool, phases, progress)
            finish = Finish(plan, data.classes, self.pos_label_, pool, phases, progress)
            finish.run(history, self.ensemble, interrupted)
        self._keep(history, finish)
        progress.show("finished", end=True)
        self.budget_ = phases.frame()
        return self

    def predict_proba(self, X):
        """Probabilities of the ensemble, never moved by the threshold.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix of shape (n, n_features)
            A DataFrame may have its columns in another order, unseen categories and new missing values.

        Returns
        -------
        proba : ndarray of shape (n, n_classes)
            Columns in the order of `classes_`.
        """
        check_is_fitted(self, "ensemble_")
        X = align(X, getattr(self, "feature_names_in_", None), self.n_features_in_)
        return self.ensemble_.predict_proba(X)

    def predict(self, X):
        """Labels of the ensemble at `threshold_`, shape (n,)."""
        proba = self.predict_proba(X)
        if len(self.classes_) > 2:
            return self.classes_[cut_labels(proba, self.threshold_)]
        positive = int(self.pos_label_ == self.classes_[1])
        return self.classes_[np.where(proba[:, positive] >= self.threshold_, positive, 1 - positive)]

    def score(self, X, y, sample_weight=None):
        """The score that the search maximised, of given rows.

        Raises
        ------
        ValueError
            If y has another length than X, or labels that fit never saw.
        """
        proba, classes = self.predict_proba(X), self.classes_
        codes = self._codes(y, len(proba))
        if len(classes) == 2 and self.pos_label_ == classes[0]:
            codes, proba, classes = 1 - codes, proba[:, ::-1], classes[::-1]
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        _, kind, metric = resolve_metric(self.scoring, classes)
        if kind == "proba":
            return float(metric(codes, proba, weight))
        labels = cut_labels(proba, self.threshold_)
        return float(metric(confusion_of(codes, labels, len(classes), weight)))

    def _codes(self, y, n_rows):
        """Labels of rows to score as codes."""
        labels = column_or_1d(y)
        if len(labels) != n_rows:
            raise ValueError(f"X has {n_rows} rows, but y has {len(labels)}")
        unknown = sorted(set(labels.tolist()) - set(self.classes_.tolist()), key=str)
        if unknown:
            raise ValueError(f"y has labels that fit never saw: {unknown[:5]}; known are {self.classes_.tolist()}")
        return np.searchsorted(self.classes_, labels)

    def _check(self):
        validate_parameter_constraints(self._parameter_constraints, self.get_params(deep=False), type(self).__name__)
        if self.time_limit is None and self.n_iter is None:
            raise ValueError("time_limit=None needs n_iter, a number of trials, or the search would never end")

    def _learn(self, data):
        """What the input alone tells; what an earlier fit left no longer goes with it."""
        vars(self).pop("ensemble_", None)
        self.kind_, self.classes_, self.n_features_in_ = data.kind, data.classes, data.n_features
        if data.feature_names is not None:
            self.feature_names_in_ = np.asarray(data.feature_names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.pos_label_ = self._positive(data)

    def _positive(self, data):
        given = own_pos_label(self.scoring) if self.pos_label is None else self.pos_label
        if len(data.classes) > 2:
            if self.pos_label is not None:
                raise ValueError(f"pos_label={given!r} is for two classes, but y has {len(data.classes)}")
            return None
        if given is None:
            chosen = rarest_class(data.classes, data.y)
            if data.classes.dtype.kind != "b" and set(data.classes) == {0, 1} and chosen == 0:
                message = f"pos_label=None takes the rarer class as positive, which is {chosen} here; "
                message += f"pass pos_label={data.classes[1]} if the other is meant"
                warnings.warn(message, UserWarning, stacklevel=4)
            return chosen
        if given not in data.classes.tolist():
            raise ValueError(f"pos_label={given!r} is not among the classes {data.classes.tolist()}")
        return data.classes[data.classes.tolist().index(given)]

    def _n_workers(self):
        if self.n_jobs is None:
            return 1
        if self.n_jobs == 0:
            raise ValueError("n_jobs=0 has no meaning; it must be None, a positive number, or negative to count back")
        return self.n_jobs if self.n_jobs > 0 else max(_cores() + 1 + self.n_jobs, 1)

    def _threads(self):
        """Threads of a worker; always one in count mode, where results must not depend on the number of workers."""
        if self.time_limit is None:
            return 1
        return max(_cores() // self._n_workers(), 1)

    def _plan(self, data, seed, threads, memory_limit):
        from skauto._plan import make_plan  # loads the portfolio's packages, which importing skauto must not

        candidates = self.candidates if isinstance(self.candidates, str) else list(self.candidates)
        return make_plan(
            data, scoring=self.scoring, cv=self.cv, candidates=candidates, pos_label=self.pos_label_, seed=seed,
            threads=threads, memory_limit=memory_limit, finite=isinstance(make_strategy(self.strategy), Grid),
        )  # fmt: skip

    def _search(self, plan, seed, pool, phases, progress):
        """The history of the search, and whether Ctrl-C ended it."""
        history = History(plan.space, seed)
        strategy = WarmStart(plan.first, self._make_strategy(plan))
        timed = self.time_limit is not None
        budget = SearchBudget(phases, self.n_iter or (plan.n_trials if timed else None), pool.n_workers)

        def on_result(history, trial, result):
            budget.learn(result)
            progress.on_result(history, trial, result)

        reason = search(
            strategy,
            history,
            evaluate,
            pool,
            budget,
            lag=None if timed else LAG,
            trial_limit=budget.trial_limit if timed else None,
            on_result=on_result,
        )
        return history, reason == "interrupted"

    def _make_strategy(self, plan):
        """The strategy; halving begins at a share of the rows that still says something."""
        if self.strategy in ("auto", "halving"):
            small = plan.min_fidelity(ROWS_TO_HALVE if self.strategy == "auto" else ROWS_OF_A_RUNG)
            return Random() if small >= 1 else Halving(Random(), min_fidelity=small, n_initial=RUNG)
        return make_strategy(self.strategy)

    def _keep(self, history, finish):
        best = finish.best
        self.best_estimator_, self.ensemble_, self.threshold_ = finish.best_estimator, finish.ensemble, finish.cut
        self.best_params_ = best.values if best else {}
        self.best_score_ = best.score if best else np.nan
        self.cv_results_ = cv_results(history)
        self.leaderboard_ = leaderboard(history, best.number if best else None, finish.report)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        tags.input_tags.string = tags.input_tags.categorical = True
        return tags


def _cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
