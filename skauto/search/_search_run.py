"""One run of SearchCV's loop: strategy, budget, workers, journal and race, from the settings to a history."""

import math
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from typing import Any, Protocol, cast

from skauto._seeds import root_seed
from skauto._telling import tell
from skauto.search._budget import RefitBudget
from skauto.search._callbacks import Hooks
from skauto.search._checkpoints import ModelStore
from skauto.search._cores import cores, count_workers
from skauto.search._executor_pool import ExecutorPool
from skauto.search._fingerprint import described_seed, estimator_part, fingerprint, folds_part, part, space_part
from skauto.search._fold_scores import FoldScoring, score_fold
from skauto.search._fold_tasks import FoldTasks
from skauto.search._history import History
from skauto.search._journal import Journal
from skauto.search._loop import search
from skauto.search._memory import memory_bytes
from skauto.search._pool import Pool
from skauto.search._racing import Race, races
from skauto.search._rungs import warn_of_empty_rungs
from skauto.search._sequential import SequentialPool
from skauto.search._trial import Result, Status, Trial
from skauto.search._types import AnyPath, Record
from skauto.search._workers import MAX_ATTEMPTS, WorkerPool
from skauto.search.strategies._base import Strategy, parent
from skauto.search.strategies._names import make_strategy

# Count mode: an ask sees the results of all trials but the last few.
LAG = 3

# Without limits a finite space of at most SMALL_GRID configurations is tried as a whole, of any other DEFAULT_TRIALS.
SMALL_GRID, DEFAULT_TRIALS = 100, 50

# Folds that wait for each worker beside the running one, where neither a race nor a limit can stop their trials.
WAITING = 1

# Seconds past the end of a search within which its trials end by themselves, so that interrupted ones are reported as
# such.
PAST_THE_END = 1.0

# What every worker needs, imported before its first trial.
PRELOAD = ("sklearn.metrics", "sklearn.model_selection", "skauto.search._fold_scores")


class Settings(Protocol):
    """The parameters of `SearchCV` that a run reads."""

    strategy: str | Strategy
    scoring: Any
    n_iter: int | None
    time_limit: float | None
    cv: Any
    refit: Any
    racing: bool | str
    error_score: float | str
    trial_time_limit: float | None
    memory_limit: int | str | None
    journal: AnyPath | None
    n_jobs: int | None
    executor: Executor | None
    random_state: Any
    verbose: int


class SearchRun:
    """What `SearchCV.fit` does between the frozen folds and the table.

    Parameters
    ----------
    settings : SearchCV
    context : FoldScoring
        Its seeds are set here.
    hooks : Hooks
    began : float
        When the fit began, on the monotonic clock.
    metric : str or None
        Name of the score to maximise where there are several.

    Attributes
    ----------
    races : bool
    reason : str
        What ended the search.
    """

    def __init__(
        self, settings: Settings, context: FoldScoring, hooks: Hooks, began: float, metric: str | None
    ) -> None:
        self.settings = settings
        self.context = context
        self.hooks = hooks
        self.began = began
        self.metric = metric
        self.strategy = self._make_strategy()
        self.timed = settings.time_limit is not None
        several = isinstance(settings.scoring, (list, tuple, dict))
        self.races = races(settings.racing, type(self.strategy).__name__, settings.time_limit, several)
        self.reason: str | None = None

    def search(self) -> History:
        """The history of the search, this run's and, with a journal, the earlier ones'."""
        journal: Journal | None
        settings, seed = self.settings, root_seed(self.settings.random_state)
        with ExitStack() as stack:
            if settings.journal is None:
                journal, history = None, History(self.context.space, seed)
            else:
                journal = stack.enter_context(Journal(settings.journal).open(seed).begin(self._about()))
                seed, history = journal.seed, journal.replay(self.context.space)
            self.context.row_seed = seed
            self.context.seed = None if settings.random_state is None else seed
            models = stack.enter_context(ModelStore(None if journal is None else journal.models))
            pool = stack.enter_context(self._make_pool())
            self.hooks.begin_search()
            self._run(history, pool, models)
            self.hooks.end_search()
        warn_of_empty_rungs(history)
        return history

    def say_before(self, n_folds: int) -> None:
        """One line on what will be done, where `verbose` asks for it."""
        settings, n_iter = self.settings, self._n_iter()
        limits = ["the whole grid" if n_iter is None and settings.time_limit is None else ""]
        limits += [f"at most {n_iter} trials" if n_iter is not None else ""]
        limits += [f"{settings.time_limit:g} s" if settings.time_limit is not None else ""]
        line = f"strategy {type(self.strategy).__name__}, {', '.join(filter(None, limits))}, {n_folds} folds a trial"
        self._say(f"{line}, n_jobs={settings.n_jobs}")

    def say_after(self, history: History, best: float | None) -> None:
        """One line on what was done."""
        ended = [result.status for result in history.results.values()]
        n_failed = sum(status not in (Status.COMPLETE, Status.CANCELLED) for status in ended)
        found = "" if best is None else f", best score {best:.4g}"
        self._say(f"{len(ended)} trials, {n_failed} of them failed{found}; ended by: {self.reason}")

    def _say(self, line: str) -> None:
        if self.settings.verbose > 0:
            tell(f"SearchCV: {line}\n", sys.stdout)

    def score(self, record: Record) -> Any:
        """What is maximised of a fold's record; NaN where there is none."""
        scores = record["test_scores"]
        if isinstance(scores, dict):
            return scores.get(self.metric, math.nan) if self.metric else next(iter(scores.values()), math.nan)
        return scores

    def _run(self, history: History, pool: Pool, models: ModelStore) -> None:
        lag = None if self.timed else LAG
        limit = self.settings.trial_time_limit
        tasks = FoldTasks(
            pool,
            self.context,
            history,
            self.score,
            race=(lambda trial: Race.against(history, trial, lag)) if self.races else None,
            models=models,
            callback_ctx=self.hooks.fold if self.hooks.active else None,
            ahead=1 if self.races or limit is not None else 1 + WAITING,
        )
        budget = RefitBudget(self.settings.time_limit, self._n_iter(), self.began, bool(self.settings.refit))

        def learn(trial: Trial, result: Result) -> None:
            if result.status == Status.COMPLETE:
                budget.learn(result, trial.fidelity, _went_on_from(history, trial, result))

        for trial, result in history.finished:  # of an earlier run, from its journal
            learn(trial, result)

        def on_result(history: History, trial: Trial, result: Result) -> None:
            learn(trial, result)
            models.on_result(history, trial)
            if self.settings.error_score == "raise" and result.status in ("timeout", "memory", "crashed"):
                raise RuntimeError(f"trial {trial.number}: {result.status}: {result.reason}")

        self.reason = search(
            self.strategy, history, score_fold, tasks, budget,
            lag=lag, trial_limit=self._trial_limit(), on_result=on_result,
        )  # fmt: skip
        if self.reason == "interrupted" and not history.results:
            raise KeyboardInterrupt

    def _trial_limit(self) -> Callable[[Trial, float], float | None] | None:
        """Seconds of a trial, for the loop; on an executor, which cannot be told to stop one, never past the search."""
        limit = self.settings.trial_time_limit
        if self.timed and self.settings.executor is not None:
            own = math.inf if limit is None else limit
            return lambda trial, remaining: min(own, remaining + PAST_THE_END)
        return None if limit is None else lambda trial, remaining: limit

    def _make_strategy(self) -> Strategy:
        """The strategy; "auto" uses the fidelity where there is one, and tries a small space whole."""
        fidelity = self.context.fidelity
        if self.settings.strategy == "auto" and self._is_tried_whole():
            return make_strategy("grid")
        return make_strategy(self.settings.strategy, None if fidelity is None else fidelity.least)

    def _is_tried_whole(self) -> bool:
        unlimited = self.settings.n_iter is None and self.settings.time_limit is None
        return unlimited and self.context.fidelity is None and self.context.space.size <= SMALL_GRID

    def _n_iter(self) -> int | None:
        settings = self.settings
        if settings.n_iter is not None or settings.time_limit is not None or type(self.strategy).__name__ == "Grid":
            return settings.n_iter
        return self.context.space.size if self._is_tried_whole() else DEFAULT_TRIALS

    def _make_pool(self) -> Pool:
        settings = self.settings
        limited = settings.memory_limit is not None or settings.trial_time_limit is not None or self.timed
        if settings.executor is not None:
            memory = None if settings.memory_limit is None else memory_bytes(settings.memory_limit, 1)
            return ExecutorPool(settings.executor, settings.n_jobs, 1, self.context, memory, MAX_ATTEMPTS)
        n_workers = count_workers(settings.n_jobs)
        if n_workers == 1 and not limited:
            return SequentialPool(self.context)
        memory = None if settings.memory_limit is None else memory_bytes(settings.memory_limit, n_workers)
        threads = 1 if not self.timed else max(cores() // n_workers, 1)
        return WorkerPool(n_workers, threads, self.context, memory, PRELOAD, MAX_ATTEMPTS)

    def _about(self) -> dict[str, Any]:
        """What a journal must agree on: what the workers get, and what chooses; not limits, nor where trials run."""
        settings, context = self.settings, self.context
        options = {name: value for name, value in context.options.items() if name not in ("scorer", "verbose")}
        fit_params, score_params = options.pop("fit_params"), options.pop("score_params")
        strategy = type(self.strategy).__name__ if settings.strategy == "auto" else settings.strategy
        return fingerprint(
            search="SearchCV",
            data=part((context.X, context.y), f"X of shape {getattr(context.X, 'shape', len(context.folds))}"),
            fit_params=part(fit_params, ", ".join(fit_params) or "none"),
            score_params=part(score_params, ", ".join(score_params) or "none"),
            space=space_part(context.space),
            estimator=estimator_part(context.estimator),
            scoring=settings.scoring,
            metric=self.metric,
            folds=folds_part(context.folds, settings.cv),
            strategy=strategy,
            fidelity=context.fidelity,
            stratify=context.stratify,
            racing=self.races,
            mode="time" if self.timed else "count",
            error_score=repr(options.pop("error_score")),
            return_train_score=options.pop("return_train_score"),
            options=part(options, "options of each fit"),
            random_state=described_seed(settings.random_state),
        )


def _went_on_from(history: History, trial: Trial, result: Result) -> float:
    """The fidelity that a trial went on from, 0 where it was trained from the start."""
    went_on = any(record and record.get("continued") for record in result.details["folds"])
    return history.trials[cast(int, parent(trial))].fidelity if went_on else 0.0
