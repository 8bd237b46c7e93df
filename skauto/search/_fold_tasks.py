"""FoldTasks: takes trials from the loop and gives their folds to workers, the next fold only where the race goes on."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skauto.search._checkpoints import ModelStore
from skauto.search._fold_scores import FoldScoring
from skauto.search._history import History
from skauto.search._pool import Outcome, Pool
from skauto.search._racing import Race
from skauto.search._sandbox import Warned, number_of
from skauto.search._trial import Result, Status, Trial
from skauto.search._types import Record


@dataclass
class _Active:
    """A trial under way."""

    trial: Trial
    function: Callable[..., Record]
    time_limit: float | None
    race: Race
    origin: Trial | None = None
    records: dict[int, Record] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    seconds: float = 0.0
    peak_memory: int = 0


class FoldTasks:
    """What the loop takes for a pool: its tasks are trials, which it splits into folds for the pool inside.

    Each active trial has one fold running; workers that would be idle take further folds of the oldest trial. Whether
    a trial is stopped is decided fold after fold, so it does not depend on which fold ended first. Where nothing can
    stop a trial (`ahead` above 1), all folds of the oldest come first, and some wait in the pool, so that no worker
    waits for the next one to be made ready.

    Parameters
    ----------
    pool : WorkerPool, SequentialPool or ExecutorPool
        With a FoldScoring as context.
    context : FoldScoring
    history : History
    metric : callable
        Turns the record of a fold into the number to race on, and to maximise.
    race : callable, default=None
        Gives the Race of a trial; None for no racing.
    models : ModelStore, default=None
        Keeps models of trials that may be promoted.
    callback_ctx : callable, default=None
        Gives the callback context of (trial, fold).
    ahead : int, default=1
        Folds that the pool is given for each of its workers, the running one included.
    """

    models: ModelStore | Any  # or None; a trial with an origin has one

    def __init__(
        self,
        pool: Pool,
        context: FoldScoring,
        history: History,
        metric: Callable[[Record], Any],
        race: Callable[[Trial], Race] | None = None,
        models: ModelStore | None = None,
        callback_ctx: Callable[[Trial, int], Any] | None = None,
        ahead: int = 1,
    ) -> None:
        self.pool = pool
        self.context = context
        self.history = history
        self.metric = metric
        self.race = race
        self.models = models
        self.callback_ctx = callback_ctx
        self.ahead = ahead
        self._active: dict[int, _Active] = {}
        self._done: list[Result] = []
        self._warned: set[tuple[type[Warning], str]] = set()

    @property
    def n_workers(self) -> int:
        return self.pool.n_workers

    @property
    def running(self) -> list[int]:
        """Numbers of the trials whose results were not given out."""
        return list(self._active)

    @property
    def free(self) -> int:
        """How many more trials can have a fold running, or waiting where some may wait."""
        if self.ahead == 1:
            return max(0, self.pool.n_workers - len(self._active))
        n_folds = len(self.context.folds)
        waiting = sum(n_folds - len(active.records) - len(active.running) for active in self._active.values())
        return max(0, math.ceil((self._room() - waiting) / n_folds))

    def submit(
        self, number: int, function: Callable[..., Record], trial: Trial, time_limit: float | None = None
    ) -> None:
        """Start a trial: ``function(context, trial, fold, origin, model, callback_ctx)`` gives the record of a fold."""
        if trial.fidelity < 1 and self.context.fidelity is None:
            raise ValueError(
                f"the strategy asks for fidelity {trial.fidelity:.3g} of a trial, but fidelity=None does not define "
                f"any; pass fidelity='rows', 'epochs' or (parameter, low, high), or another strategy"
            )
        race = Race() if self.race is None else self.race(trial)
        origin = None if self.models is None else self.models.origin(self.history, trial)
        if origin is not None and not self.models.has_all(origin, len(self.context.folds)):
            origin = None
        self._active[number] = active = _Active(trial, function, time_limit, race, origin)
        if self.ahead == 1:
            self._start(active)
        else:
            self._fill()

    def wait(self, timeout: float | None = None) -> list[Result]:
        """Results of trials that have ended; empty where none has within `timeout` seconds."""
        self._fill()
        for outcome in self.pool.wait(timeout):
            number, fold = outcome.key
            if number in self._active:
                self._hear(self._active[number], fold, outcome)
        done, self._done = self._done, []
        return done

    def cancel(self, number: int) -> None:
        """Forget a trial and end its folds."""
        active = self._active.pop(number, None)
        for fold in active.running if active else ():
            self.pool.cancel((number, fold))

    def _start(self, active: _Active) -> bool:
        """Run the first fold of a trial that was not; False where all have been started."""
        n_folds = len(self.context.folds)
        fold = next((k for k in range(n_folds) if k not in active.records and k not in active.running), None)
        if fold is None:
            return False
        trial = active.trial
        model = None if active.origin is None else self.models.get(active.origin, fold)
        callback_ctx = None if self.callback_ctx is None else self.callback_ctx(trial, fold)
        limit = None if active.time_limit is None else max(active.time_limit - active.seconds, 0.01)
        active.running.add(fold)
        origin = None if model is None else active.origin
        of_fold = (trial, fold, origin, model, callback_ctx)
        self.pool.submit((trial.number, fold), active.function, *of_fold, time_limit=limit)
        return True

    def _fill(self) -> None:
        """Start folds, the oldest trial's first, as long as the pool has room."""
        for active in self._active.values():
            while self._room() > 0 and self._start(active):
                pass

    def _room(self) -> int:
        """How many more folds the pool may be given."""
        return self.ahead * self.pool.n_workers - len(self.pool.running)

    def _hear(self, active: _Active, fold: int, outcome: Outcome) -> None:
        """Take the outcome of a fold; end the trial, or run its next fold."""
        active.running.discard(fold)
        active.seconds += outcome.seconds
        active.peak_memory = max(active.peak_memory, outcome.peak_memory)
        if outcome.status != Status.COMPLETE:
            self._finish(active, outcome.status, outcome.reason, outcome.output)
        elif "raised" in outcome.value:
            raise outcome.value["raised"]
        else:
            self._warn(outcome.warnings)
            self._take(active, fold, outcome.value)

    def _warn(self, warnings: Iterable[Warned]) -> None:
        """Warn here of what workers were warned of, once a search of what is the same."""
        for seen in warnings:
            if (seen.category, seen.text) not in self._warned:
                self._warned.add((seen.category, seen.text))
                seen.raise_again()

    def _take(self, active: _Active, fold: int, record: Record) -> None:
        model = record.pop("model", None)
        if model is not None and self.models is not None:
            self.models.put(active.trial, fold, model)
        active.records[fold] = record
        stop = None if self.race is None else self._stop(active)
        if stop is not None:
            active.records = {k: active.records[k] for k in range(stop)}
            self._finish(active, Status.COMPLETE, pruned=True)
        elif len(active.records) == len(self.context.folds):
            self._finish(active, Status.COMPLETE)
        elif not active.running:
            self._start(active)

    def _stop(self, active: _Active) -> int | None:
        """The number of folds after which the race stops a trial, None if it goes on."""
        scores = self._in_order(active)
        return next((k for k in range(1, len(scores)) if active.race.stops(scores[:k])), None)

    def _in_order(self, active: _Active) -> list[float]:
        """Scores of the folds known with none missing before them; one more than a race may judge at the end."""
        scores: list[float] = []
        while len(scores) in active.records:
            scores.append(self._score(active.records[len(scores)]))
        return [*scores, math.nan] if len(scores) < len(self.context.folds) else scores

    def _score(self, record: Record) -> float:
        return number_of(self.metric(record))

    def _finish(
        self, active: _Active, status: Status, reason: str = "", output: str = "", pruned: bool = False
    ) -> None:
        self.cancel(active.trial.number)
        records = [active.records.get(k) for k in range(len(self.context.folds))]
        details = {"folds": records, "pruned": pruned, "peak_memory": active.peak_memory, "output": output}
        scores = [self._score(record) for record in records if record is not None]
        details["fold_scores"] = scores
        if status == Status.COMPLETE and not np.isfinite(scores).all():
            errors = [record["fit_error"] for record in records if record and record["fit_error"]]
            reason = errors[0].strip().splitlines()[-1] if errors else "the score is not a finite number"
            status = Status.FAILED
        score = math.nan
        if status == Status.COMPLETE:
            score = active.race.shrunk(scores) if pruned else float(np.mean(scores))
        self._done.append(Result(active.trial.number, status, score, active.seconds, reason, details))
