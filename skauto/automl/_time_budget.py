"""Seconds of a fit: the deadline, what each phase may use and what it used."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import pandas as pd

from skauto.automl.evaluation._outcome import TrialOutcome
from skauto.search._budget import Budget
from skauto.search._history import View
from skauto.search._trial import Result

# The part of the time limit kept for ensemble and refit, and its bounds in seconds.
FINISH_FRACTION, FINISH_LEAST, FINISH_MOST = 0.2, 0.5, 45.0

# Once n trials are known: estimated refit time = safety factor x summed fit time of the best trials, and at least this
# fraction of the limit.
MEMBERS, FINISH_SAFETY, LEAST_FRACTION = 4, 2.5, 0.05

# The report and the thresholds at the end take as long as a trial's report, times this safety factor. The choice of the
# ensemble may take n times as long, up to this fraction of the limit.
CLOSING_SAFETY, CHOICE_SAFETY, CHOICE_FRACTION = 2.0, 50, 0.05

# The same for each trial, where these are few and nothing is refitted.
CHOICE_OF_FEW = 5

# Seconds of the honest scores at the very end, at most, and the part of the limit that they may take.
HONEST_SECONDS, HONEST_FRACTION = 2.0, 0.05

# The part of the limit that one trial may use, and the quantile of trial seconds that counts as quick.
TRIAL_FRACTION, QUICK = 0.2, 0.25

# The most that it may be on a busy machine, where seconds are worth less.
MOST_FRACTION = 0.6

# The same where one candidate alone is tried, or nothing but networks.
ALONE_FRACTION = 0.45

# The same where the network of a trial is the final one: all that the search has, since two that are trained to the end
# are better than four that are not.
LONG_TRIAL_FRACTION = 1.0

# Seconds kept free at the very end, for putting the pieces together.
MARGIN_FRACTION, MARGIN_MOST = 0.02, 1.0


class Workers(Protocol):
    """What a budget asks of the pool whose workers do the refits."""

    @property
    def n_workers(self) -> int: ...

    @property
    def start_seconds(self) -> float: ...

    @property
    def slowness(self) -> float: ...


def closing(score_seconds: Sequence[float], time_limit: float) -> float:
    """Seconds to keep for thresholds, report and honest scores at the end, from those that reports of trials took."""
    if not score_seconds:
        return 0.0
    report = CLOSING_SAFETY * float(np.median(score_seconds))
    return report + min(HONEST_SECONDS, HONEST_FRACTION * time_limit)


class SearchBudget(Budget):
    """Budget of a search that leaves time for what follows: a fraction of the limit, then what trials suggest.

    Until a trial is complete there is nothing to refit, and the first one may end late: its fold models can predict.

    Parameters
    ----------
    phases : Phases
    n_iter : int or None
    pool : WorkerPool
        Its workers do the refits; those that the end of the search kills are started anew for them.
    refits : bool, default=True
        Whether models are refitted at the end; where those of trials are final only the choice needs time.
    """

    def __init__(
        self,
        phases: "Phases",
        n_iter: int | None,
        pool: Workers,
        *,
        refits: bool = True,
    ) -> None:
        super().__init__(n_iter=n_iter)
        self.phases = phases
        self.pool = pool
        self.refits = refits
        # None as long as no trial is complete.
        self.reserve: float | None = None
        # Of the trials that are likely to be refitted: folds and score, negated, and seconds of the refit.
        self._trials: list[tuple[int, float, float]] = []
        self._seconds: list[float] = []
        self._reports: list[float] = []

    def remaining(self) -> float:
        """Seconds that the search may still use."""
        reserve = self._before_the_first() if self.reserve is None else self.reserve
        return max(self.phases.left() - reserve, 0.0)

    def _before_the_first(self) -> float:
        """What is kept free while there is nothing to refit: enough to put the pieces together, here and now."""
        least = max(
            FINISH_LEAST * self.pool.slowness, LEAST_FRACTION * self.phases.time_limit
        )
        return min(least, self.phases.for_finish())

    def _choice(self) -> float:
        """What is kept free for the choice of the ensemble, by what it takes to judge a trial."""
        safety = CHOICE_SAFETY if self.refits else CHOICE_OF_FEW * len(self._reports)
        return min(
            safety * float(np.median(self._reports)),
            CHOICE_FRACTION * self.phases.time_limit,
        )

    def _planned(self) -> float:
        """What is kept free once there is a complete trial."""
        if self.refits:
            return self.phases.for_finish()
        return min(FINISH_LEAST * self.pool.slowness, self.phases.for_finish())

    def room(self, history: View) -> float:
        """How many more trials may be asked; none where even a quick one would not end in time."""
        hopeless = self._seconds and self.remaining() < np.quantile(
            self._seconds, QUICK
        )
        return 0 if hopeless else super().room(history)

    def trial_limit(
        self, fraction: float, remaining: float, start: float = 0.0
    ) -> float:
        """Seconds of one trial: a fraction of the whole limit, so that none can eat it, and no more than is left.

        On a busy machine it has as many more as its worker must wait for a core, and those of its start on top.
        """
        stretched = max(fraction, min(fraction * self.pool.slowness, MOST_FRACTION))
        return min(
            self.phases.time_limit * stretched + start * self.pool.slowness, remaining
        )

    def learn(self, result: Result) -> None:
        """Adapt the reserve to the fits of the best full trials so far, and to how long it takes to judge one."""
        outcome = TrialOutcome.of(result)
        if outcome is not None and self.reserve is None:
            self.reserve = self._planned()
        if outcome is None or not outcome.fold_scores:
            return
        self._seconds.append(result.seconds)
        self._reports.append(outcome.score_seconds)
        reserve = self._planned()
        refit = 0.0 if outcome.model is not None else outcome.fit_seconds
        # Trials that had time for few folds are the slow ones, and left out where enough others saw more.
        entry = (-(outcome.n_folds or 0), -outcome.score, refit)
        self._trials = sorted([*self._trials, entry])[:MEMBERS]
        # With fewer trials it is not known yet how long the refit of an ensemble will take.
        if len(self._trials) == MEMBERS:
            expected = (
                FINISH_SAFETY
                * sum(seconds for *_, seconds in self._trials)
                / self.pool.n_workers
            )
            least = max(FINISH_LEAST, LEAST_FRACTION * self.phases.time_limit)
            reserve = min(
                max(expected, least) + self._choice() + self.pool.start_seconds, reserve
            )
        if not self.refits:
            reserve += self._choice()
        self.reserve = reserve + closing(self._reports, self.phases.time_limit)


class Phases:
    """Clock of one fit.

    Parameters
    ----------
    time_limit : float or None
        Seconds for everything.
    clock : callable, default=time.monotonic
    """

    def __init__(
        self, time_limit: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.time_limit = math.inf if time_limit is None else float(time_limit)
        self.clock = clock
        self.began = clock()
        self.used: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count the seconds of a phase."""
        began = self.clock()
        try:
            yield
        finally:
            self.used[name] = self.used.get(name, 0.0) + self.clock() - began

    def left(self) -> float:
        """Seconds until the work must be done, infinity without a limit."""
        margin = min(MARGIN_FRACTION * self.time_limit, MARGIN_MOST)
        return max(self.time_limit - margin - (self.clock() - self.began), 0.0)

    def for_finish(self) -> float:
        """Seconds planned for ensemble and refit."""
        return min(
            max(FINISH_FRACTION * self.time_limit, FINISH_LEAST),
            FINISH_MOST,
            self.time_limit,
        )

    def frame(self) -> pd.DataFrame:
        """Planned and used seconds of each phase, a DataFrame."""
        planned = {
            "inspect": math.nan,
            "search": math.nan,
            "ensemble": math.nan,
            "refit": math.nan,
        }
        if math.isfinite(self.time_limit):
            finish = self.for_finish()
            planned["search"], planned["refit"] = self.time_limit - finish, finish
        rows = [
            {"phase": name, "planned": seconds, "used": self.used.get(name, 0.0)}
            for name, seconds in planned.items()
        ]
        limit = self.time_limit if math.isfinite(self.time_limit) else math.nan
        rows.append(
            {"phase": "total", "planned": limit, "used": self.clock() - self.began}
        )
        return pd.DataFrame(rows).set_index("phase")
