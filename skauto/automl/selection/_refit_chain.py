"""Models of chosen trials within the time that is left: refitted by workers, else in this process, else fold models."""

import importlib
import math
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from skauto.automl.evaluation._context import Evaluation
from skauto.automl.evaluation._fold_models import bagged, unpack
from skauto.automl.selection._interrupts import Interrupts
from skauto.automl.selection._refit import as_final, refit
from skauto.automl.selection._rescue import RescuePool
from skauto.automl.selection._select import Scored
from skauto.inputs._types import Left
from skauto.search._pool import WorkersLostError
from skauto.search._sandbox import attempt

# Seconds of a refit over those of a fold, with a safety factor.
REFIT_FACTOR = 1.6

# A refit in this process cannot be ended: it may take this part of what is left, and waits for the workers, which may
# come first, until there are just HERE_WAIT times its seconds, and HERE_MORE more.
HERE_PART, HERE_WAIT, HERE_MORE = 1 / 3, 4.0, 1.0

# Seconds between looks at the deadline.
WAIT = 0.5

# What a network that a worker sends is made of.
NET_MODULE = "skauto.estimators.neural._trainer"

# How often refits are handed to workers: once more where those were lost, as others come in their place.
TRIES = 2


def import_nets() -> None:
    """Begin to import what a network needs to be read here.

    It takes seconds, in which this thread must go on to hand out tasks and to hear of those that have ended: a worker
    whose answer nobody reads waits, and its limit passes.
    """
    if NET_MODULE not in sys.modules:
        threading.Thread(
            target=attempt,
            args=(importlib.import_module, NET_MODULE),
            name="import of networks",
        ).start()


def refit_seconds(trial: Scored) -> float:
    """What a refit may take; none where the model of the trial is the final one."""
    return (
        trial.fit_seconds / trial.fidelity * REFIT_FACTOR
        if trial.model is None
        else 0.0
    )


class RefitChain:
    """Gets the models of trials in the best way that there is time for.

    Parameters
    ----------
    context : Evaluation
    labels : ndarray of shape (n_classes,)
    pool : RescuePool
    left : callable
        Gives the seconds until the models must be there.
    say : callable
        Takes a line for the user.
    interrupts : Interrupts
    here : bool, default=True
        Whether a model may be fitted in this process; not where its memory is bounded.
    """

    def __init__(
        self,
        context: Evaluation,
        labels: np.ndarray,
        pool: RescuePool,
        left: Left,
        say: Callable[[str], object],
        interrupts: Interrupts,
        here: bool = True,
    ) -> None:
        self.context = context
        self.labels = labels
        self.pool = pool
        self.left = left
        self.say = say
        self.interrupts = interrupts
        self.here = here
        # Trials whose refit gave no model, in a worker and here.
        self._failed: set[object] = set()
        self._failed_here: set[int] = set()

    def refitted(self, trials: list[Scored]) -> dict[int, Pipeline]:
        """Fitted pipelines by trial number; what is not done when the time is up is left out."""
        fitted = {t.number: self._kept(t) for t in trials if t.model is not None}
        rest = [trial for trial in trials if trial.number not in fitted]
        # Keep what is done, wait only for a first one.
        try:
            self._by_workers(rest, fitted)
        except KeyboardInterrupt as error:
            self.interrupts.note(error)
            for trial in rest[1:]:
                self.pool.cancel(trial.number)
            self._by_workers(
                [trial for trial in rest[:1] if trial.number in self.pool.running],
                fitted,
            )
        for trial in rest:
            self.pool.cancel(trial.number)
        return fitted

    def _kept(self, trial: Scored) -> Pipeline:
        """The model of a trial that is the final one: a network itself, another one as the model of its fold."""
        pipeline = cast(Pipeline, trial.model)
        if self.context.build.is_network(trial.values):
            return as_final(pipeline, self.labels)
        return bagged([pipeline], self.labels)

    def _by_workers(self, trials: list[Scored], fitted: dict[int, Pipeline]) -> None:
        """Refits by workers, once more where these are lost; after another loss what is done must do."""
        for _ in range(TRIES):
            try:
                self._submit(trials, fitted)
                self.collect(trials, fitted)
                return
            except WorkersLostError as error:
                self.say(f"the workers that refit were lost: {error}")

    def _submit(self, trials: list[Scored], fitted: dict[int, Pipeline]) -> None:
        """Hand workers the trials that they neither have nor have done."""
        known = {*fitted, *self.pool.running}
        rest = [trial for trial in trials if trial.number not in known]
        left = self.left()
        limit = None if math.isinf(left) else left
        build = self.context.build
        nets = [trial for trial in rest if trial.values["candidate"] in build.nets]
        of_a_net = self._seconds_of_a_net(rest, nets) if nets else None
        for trial in rest:
            task = trial.number, refit, trial, self.labels, of_a_net
            self.pool.submit(*task, time_limit=limit)
        if nets:
            import_nets()

    def collect(self, trials: list[Scored], fitted: dict[int, Pipeline]) -> None:
        """Take in refits as they end, and begin one here at the last moment if none has."""
        while self._busy(trials, fitted) and (left := self.left()) > 0:
            if not fitted and self._late(trials):
                self._fit_here(trials, fitted)
            for outcome in self.pool.wait(min(left, WAIT)):
                if outcome.status == "complete":
                    fitted.setdefault(cast(int, outcome.key), outcome.value)
                else:
                    self._failed.add(outcome.key)
                    self.say(
                        f"trial {outcome.key} could not be refitted: {outcome.reason}"
                    )

    def fold_models(self, trials: list[Scored]) -> dict[int, Pipeline]:
        """The fold models that were kept, by their trial, where it is one of these: a dict, empty or of one."""
        number = self.pool.bag_of
        if number not in {trial.number for trial in trials}:
            return {}
        made = attempt(self.interrupts.despite, unpack, self.pool.bag, self.labels)
        return {} if made.error is not None else {number: made.value}

    def refitted_here(self, trials: list[Scored]) -> dict[int, Pipeline]:
        """A refit in this process of the first trial with which it works: a dict, empty or of one."""
        fitted: dict[int, Pipeline] = {}
        while not fitted and self._first_here(trials) is not None:
            self._fit_here(trials, fitted)
        return fitted

    def _busy(self, trials: list[Scored], fitted: dict[int, Pipeline]) -> bool:
        """Whether a worker has one of the trials that may still become a model; what raised here will raise there."""
        numbers = {trial.number for trial in trials}
        done = {*fitted, *self._failed_here}
        return bool(numbers & set(self.pool.running) - done)

    def _seconds_of_a_net(
        self, trials: list[Scored], nets: list[Scored]
    ) -> float | None:
        """Seconds that the refit of a network may plan with: what the others leave it; None where nothing limits it."""
        left = self.left()
        if math.isinf(left):
            return None
        others = (
            sum(refit_seconds(trial) for trial in trials if trial not in nets)
            / self.pool.n_workers
        )
        return max(left - others, 0.0) * min(self.pool.n_workers / len(nets), 1.0)

    def _late(self, trials: list[Scored]) -> bool:
        trial = self._first_here(trials)
        return (
            trial is not None
            and self.left() < HERE_WAIT * self._seconds_here(trial) + HERE_MORE
        )

    def _fit_here(self, trials: list[Scored], fitted: dict[int, Pipeline]) -> None:
        trial = self._first_here(trials)
        if trial is None:
            return
        self.say(
            f"trial {trial.number} is refitted in this process, as no worker was ready"
        )
        made = self.interrupts.attempt(refit_here, self.context, trial, self.labels)
        if made.status == "complete":
            fitted[trial.number] = made.value
        else:
            self._failed_here.add(trial.number)
            self.say(f"trial {trial.number} could not be refitted: {made.reason}")

    def _first_here(self, trials: list[Scored]) -> Scored | None:
        """The first trial whose refit in this process is safe and short, and did not fail before."""
        if not self.here or math.isinf(self.left()):
            return None
        most = HERE_PART * self.left()
        build, failed = self.context.build, self._failed | self._failed_here
        rest = [trial for trial in trials if trial.number not in failed]
        return next(
            (
                t
                for t in rest
                if build.is_safe(t.values) and self._seconds_here(t) <= most
            ),
            None,
        )

    def _seconds_here(self, trial: Scored) -> float:
        return refit_seconds(trial) * self.context.build.profile.threads


def refit_here(context: Evaluation, trial: Scored, labels: np.ndarray) -> Pipeline:
    """`refit` in this process, on one thread."""
    build = replace(context.build, profile=replace(context.build.profile, threads=1))
    with threadpool_limits(1):
        return refit(replace(context, build=build), trial, labels)
