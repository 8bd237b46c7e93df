"""SearchCV: scikit-learn's search of any estimator or pipeline, with every strategy, on the one loop."""

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from numbers import Integral, Real
from typing import Any, Literal, Self

# Adds a method to scikit-learn's table of routed ones: here, where the name is fetched, and never within a fit, after
# which requests made before would lack it.
import imblearn.base  # noqa: F401
import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags, indexable

from skauto._sklearn import (
    BaseSearchCV,
    HasMethods,
    Interval,
    MultimetricScorer,
    StrOptions,
    check_method_params,
    fit_context,
)
from skauto._telling import steady_streams
from skauto.search import _front
from skauto.search._callbacks import Hooks
from skauto.search._executor_pool import UsesExecutor
from skauto.search._fidelity import Fidelity, in_full, read_fidelity, stratifies
from skauto.search._fold_scores import FoldScoring, seeded
from skauto.search._history import History
from skauto.search._rescore import fresh_folds, rescore
from skauto.search._scorers import as_given, check_names, suited, with_own
from skauto.search._search_run import SearchRun
from skauto.search._space import Branches, Space
from skauto.search._table import continued_from, evaluated, fold_outcomes, formatted, rank
from skauto.search._types import AnyPath, Data, Estimator, Fold
from skauto.search.strategies._base import Strategy
from skauto.search.strategies._names import default_fidelity

# What refit may be beside scikit-learn's bool, names of scores and callables.
CHOICES = ("one_se", "knee")


class SearchCV(UsesExecutor, BaseSearchCV):
    """Searches the parameters of any estimator or Pipeline by cross-validation.

    It is scikit-learn's ``GridSearchCV`` in contract (scoring, metadata, callbacks, ``cv_results_``, delegation of
    ``predict`` and the others to ``best_estimator_``), with any strategy, limits, fold racing, fidelities, several
    objectives, and a journal from which it resumes after any interruption.

    Parameters
    ----------
    estimator : estimator
        Never changed.
    space : dict or list of dict
        Names to lists of choices, scipy distributions or scikit-optimize dimensions; each dict is a branch.
    strategy : str or Strategy, default="auto"
        A name such as "grid", "random", "genetic", "bayes", "halving", or an object of `skauto.search`. "auto" is a
        Gaussian process, under Hyperband first where there is a fidelity, in turn with evolution after 150 trials
        (`Auto`); with neither limit the whole grid where the space is finite and small.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in scikit-learn; where neither of two classes is called 1, "f1", "average_precision" and the like take the
        rarer one as the positive class. Several scores are several objectives; greater is better. A callable
        ``(estimator, X, y)`` may measure the fitted model itself, its size for example.
    n_iter : int or None, default=None
        Maximum number of trials of any fidelity; schedules are sized so that full fidelity is reached. With neither
        limit: the whole grid where the space is finite and small, else 50. With ``time_limit=None`` the outcome is the
        same on any number of workers.
    time_limit : float or None, default=None
        Seconds for everything, the refit included.
    cv : int, splitter, iterable or None, default=None
        As in scikit-learn; split once, so that every trial sees the same folds.
    refit : bool, str or callable, default=True
        As in scikit-learn, and "one_se": the cheapest trial within one standard error of the best; "knee": of the
        non-dominated trials of several scores the one nearest to the best of each.
    constraints : dict or None, default=None
        Name of a score ("score" if there is only one) to the minimum mean that a winner must have.
    racing : bool or "auto", default="auto"
        Whether a trial stops once its mean is below the worst fold of the best one so far. "auto" races except for
        "grid" and "random" without a time limit, and with several scores.
    fidelity : "rows", "epochs", (str, int, int) or None, default=None
        The resource of strategies such as "halving": rows, the last step's epochs or rounds, or any integer parameter
        with its bounds (``("rows", low, high)`` bounds the rows). Promoted trials continue training, if
        the last step can.
    min_class_rows : int or None, default=None
        Minimum rows of each class in a fraction of the rows; None is 6, or one more than a resampler's neighbours.
    error_score : "raise" or float, default=nan
        Score of a fold that raises.
    return_train_score : bool, default=False
    rescore : bool, default=False
        Whether the winner is scored again on fresh folds, giving `rescored_score_`.
    trial_time_limit : float or None, default=None
        Seconds of one trial, all folds together; beyond it is killed.
    memory_limit : int, str or None, default=None
        Resident memory of one trial above its worker's at the start, in bytes or as "4GB".
    journal : str, path or None, default=None
        Folder in which the search records all trials, and from which it resumes.
    n_jobs : int or None, default=None
        Worker processes; -1 is one per core. None: this process itself, unless a limit needs a worker to kill.
    executor : concurrent.futures.Executor or None, default=None
        Where trials run instead, for example ``dask.distributed.Client(...).get_executor()``.
    random_state : int, RandomState or None, default=None
        Seed of the strategy. With one, every ``random_state`` of the estimator that is None gets a seed of its trial.
    verbose : int, default=0
        1 prints a line before and after the search; more as in scikit-learn.

    Attributes
    ----------
    cv_results_ : dict
        As in scikit-learn, in the order asked; with racing also "pruned", with a fidelity also "fidelity" and
        "continued_from", the row whose models a trial continued, -1 for one trained from scratch.
    best_index_, best_params_, best_score_, best_estimator_, refit_time_, scorer_, n_splits_, multimetric_
        As in scikit-learn; where a time limit stopped the search before a trial at full fidelity, `best_params_` and
        the refit are at full fidelity nevertheless, with a warning. `best_score_` is the mean that the trial was
        selected for, and so optimistically biased.
    rescored_score_ : float
        Mean of the winner on fresh folds; with ``rescore=True``.
    pareto_front_ : ndarray of int
        Rows of `cv_results_` that no other row dominates.
    history_ : History
        All trials and results, cancelled ones too.
    stop_reason_ : {"n_iter", "time limit", "finished", "interrupted", "workers lost"}

    Raises
    ------
    ValueError
        From fit, if a parameter cannot be used or all fits failed.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skauto.search import SearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = SearchCV(SVC(), {"C": loguniform(0.1, 10)}, strategy="random", n_iter=5, random_state=0).fit(X, y)
    >>> len(search.cv_results_["params"]), bool(search.score(X, y) > 0.9)
    (5, True)
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "space": [dict, list],
        "strategy": [str, HasMethods(["ask"])],
        "scoring": [str, callable, list, tuple, dict, set, None],
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "cv": ["cv_object"],
        "refit": ["boolean", str, callable],
        "constraints": [dict, None],
        "racing": ["boolean", StrOptions({"auto"})],
        "fidelity": [str, tuple, list, None],
        "min_class_rows": [Interval(Integral, 1, None, closed="left"), None],
        "error_score": BaseSearchCV._parameter_constraints["error_score"],
        "return_train_score": ["boolean"],
        "rescore": ["boolean"],
        "trial_time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "memory_limit": [Interval(Integral, 1, None, closed="left"), str, None],
        "n_jobs": [Integral, None],
        "executor": [HasMethods(["submit"]), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Estimator,
        space: Branches,
        *,
        strategy: str | Strategy = "auto",
        scoring: str | Callable[..., Any] | list[str] | tuple[str, ...] | dict[str, Any] | None = None,
        n_iter: int | None = None,
        time_limit: float | None = None,
        cv: Any = None,
        refit: bool | str | Callable[[dict[str, Any]], int] = True,
        constraints: dict[str, float] | None = None,
        racing: bool | Literal["auto"] = "auto",
        fidelity: str | tuple[str, int, int] | None = None,
        min_class_rows: int | None = None,
        error_score: float | Literal["raise"] = np.nan,
        return_train_score: bool = False,
        rescore: bool = False,
        trial_time_limit: float | None = None,
        memory_limit: int | str | None = None,
        journal: AnyPath | None = None,
        n_jobs: int | None = None,
        executor: Executor | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.strategy = strategy
        self.scoring = scoring
        self.n_iter = n_iter
        self.time_limit = time_limit
        self.cv = cv
        self.refit = refit
        self.constraints = constraints
        self.racing = racing
        self.fidelity = fidelity
        self.min_class_rows = min_class_rows
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.rescore = rescore
        self.trial_time_limit = trial_time_limit
        self.memory_limit = memory_limit
        self.journal = journal
        self.n_jobs = n_jobs
        self.executor = executor
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Data, y: Data = None, **params: Any) -> Self:
        """Search, choose and refit.

        Parameters
        ----------
        X : array-like of shape (n, n_features), or (n, n) where the estimator takes distances or kernels
        y : array-like of shape (n,) or (n, n_outputs), default=None
        **params : dict
            ``sample_weight``, ``groups`` and whatever else the estimator, the scorer or the splitter takes, as in
            scikit-learn with and without metadata routing.

        Returns
        -------
        self
        """
        began = time.monotonic()
        check_names(self.scoring, self.refit, CHOICES)
        self._check_one_chooser()
        scorers, _ = self._get_scorers()
        X, y = indexable(X, y)
        if y is not None and is_classifier(self.estimator):
            scorers = suited(scorers, self.scoring, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        hooks = Hooks(self, X, y, params.get("sample_weight"))
        folds = self._freeze_folds(X, y, routed.splitter.split)
        context = self._context(X, y, folds, scorers, routed, hooks)
        run = SearchRun(self, context, hooks, began, self._metric())
        with steady_streams():
            run.say_before(len(folds))
            history = run.search()
            self._tabulate(history, run, scorers)
            self._choose(context.fidelity)
            run.say_after(history, getattr(self, "best_score_", None))
            if self.refit:
                self._refit(run, history, hooks, routed)
        self.scorer_ = as_given(scorers)
        hooks.end()
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = get_tags(self.estimator).target_tags.multi_output
        return tags

    def _get_scorers(self) -> tuple[Any, Any]:
        scorers, metric = super()._get_scorers()
        return with_own(scorers), metric

    def _check_one_chooser(self) -> None:
        """Refuse before the search what could not be heeded after it."""
        if callable(self.refit) and self.constraints:
            raise ValueError(
                f"constraints={self.constraints!r} and refit={self.refit!r} both choose the winner: leave one out"
            )

    def _metric(self) -> str | None:
        """The name of the score to maximise where there are several and it is known; else None."""
        if isinstance(self.refit, str) and self.refit not in CHOICES:
            return self.refit
        return next(iter(self.scoring), None) if isinstance(self.scoring, (list, tuple, dict)) else None

    def _check_refit_for_multimetric(self, scores: dict[str, Any]) -> None:
        if self.refit not in CHOICES:
            super()._check_refit_for_multimetric(scores)

    def _freeze_folds(self, X: Data, y: Data, split_params: dict[str, Any]) -> list[Fold]:
        self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self.n_splits_ = self._checked_cv_orig.get_n_splits(X, y, **split_params)
        folds = list(self._checked_cv_orig.split(X, y, **split_params))
        if len(folds) != self.n_splits_:
            raise ValueError(
                f"cv.split and cv.get_n_splits return inconsistent results. Expected {self.n_splits_} splits, got "
                f"{len(folds)}"
            )
        if not folds:
            raise ValueError("No fits were performed. Was the CV iterator empty? Were there no candidates?")
        return folds

    def _context(self, X: Data, y: Data, folds: list[Fold], scorers: Any, routed: Any, hooks: Hooks) -> FoldScoring:
        space = Space(self.space)
        options = {
            "scorer": scorers,
            "fit_params": routed.estimator.fit,
            "score_params": routed.scorer.score,
            "return_train_score": self.return_train_score,
            "return_n_test_samples": True,
            "return_times": True,
            "error_score": self.error_score,
            "verbose": self.verbose,
        }
        return FoldScoring(
            estimator=clone(self.estimator),
            X=X,
            y=y,
            folds=folds,
            space=space,
            options=options,
            fidelity=read_fidelity(
                default_fidelity(self.strategy) if self.fidelity is None else self.fidelity,
                self.estimator,
                space,
                self.min_class_rows,
            ),
            stratify=stratifies(self.estimator, y),
            caller=self if hooks.active else None,
        )

    def _tabulate(self, history: History, run: SearchRun, scorers: Any) -> None:
        pairs = evaluated(history)
        if not pairs:
            why = "no trial ended in time. Raise time_limit"
            if run.reason != "time limit":
                why = f"the search ended with {len(history)} trials asked and none evaluated, by: {run.reason}"
            raise ValueError(f"No fits were performed: {why}")
        names = list(scorers._scorers) if isinstance(scorers, MultimetricScorer) else None
        outcomes = fold_outcomes(pairs, self.error_score, self.return_train_score, names)
        self.multimetric_ = isinstance(outcomes[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(outcomes[0]["test_scores"])
        more: dict[str, Any] = {}
        params = [run.context.values(trial) for trial, _ in pairs]
        if run.races:
            more["pruned"] = [result.details["pruned"] for _, result in pairs]
        if run.context.fidelity is not None:
            more["fidelity"] = [trial.fidelity for trial, _ in pairs]
            more["continued_from"] = continued_from(pairs)
        results = formatted(self, params, self.n_splits_, outcomes, more, quiet=any(more.get("pruned", ())))
        rank(results, [trial.fidelity for trial, _ in pairs])
        self.cv_results_, self.history_, self.stop_reason_ = results, history, run.reason
        self._numbers = [trial.number for trial, _ in pairs]

    def _choose(self, fidelity: Fidelity | None) -> None:
        """best_index_ and what follows from it; no parameter of the winner is that of a little effort."""
        results = self.cv_results_
        metric = (self._metric() or next(iter(_front.metric_names(results)))) if self.multimetric_ else "score"
        rows = _front.candidates(results, self.constraints)
        self.pareto_front_ = _front.pareto_front(results, rows)
        if not self.refit and self.multimetric_:
            return
        self.best_index_ = self._best_row(results, metric, rows)
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]
        self.best_params_ = in_full(results, self.best_index_, fidelity)

    def _best_row(self, results: dict[str, Any], metric: str, rows: np.ndarray) -> int:
        if callable(self.refit):
            return self._select_best_index(self.refit, metric, results)
        if self.refit == "one_se":
            return _front.one_standard_error(results, metric, rows, self.n_splits_)
        if self.refit == "knee":
            return _front.knee(results, rows)
        if self.constraints:
            return _front.best(results, metric, rows)
        return self._select_best_index(self.refit, metric, results)

    def _refit(self, run: SearchRun, history: History, hooks: Hooks, routed: Any) -> None:
        context = run.context
        trial = history.trials[self._numbers[self.best_index_]]
        best = clone(context.estimator).set_params(**clone(self.best_params_, safe=False))
        if seeds := seeded(best, {}, context.seed, trial.number):
            best.set_params(**seeds)
        args = (context.X,) if context.y is None else (context.X, context.y)
        start = time.time()
        self.best_estimator_ = best
        hooks.refit(best, lambda: best.fit(*args, **routed.estimator.fit))
        self.refit_time_ = time.time() - start
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_
        if self.rescore:
            folds = fresh_folds(
                self._checked_cv_orig, self.cv, history.seed, context.X, context.y, routed.splitter.split
            )
            self.rescored_score_ = math.nan if folds is None else rescore(context, trial, folds, run.score)
