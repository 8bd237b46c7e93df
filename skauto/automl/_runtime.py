"""Runtime: what one fit works with, its clock, journal, workers and line of progress."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from skauto._telling import steady_streams
from skauto.automl._kind import kind_named
from skauto.automl._progress import Progress
from skauto.automl._settings import Settings
from skauto.automl._time_budget import Phases
from skauto.automl.evaluation._context import Evaluation
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._interrupts import Interrupts
from skauto.automl.selection._rescue import RescuePool
from skauto.inputs._data import Data
from skauto.search._caller import settings as caller_settings
from skauto.search._executor_pool import ExecutorPool
from skauto.search._history import History
from skauto.search._journal import Journal
from skauto.search._servers import SERVERS, can_fork
from skauto.search._workers import MAX_ATTEMPTS, WorkerPool

if TYPE_CHECKING:
    from skauto.automl._plan import Plan


# What every worker needs, imported before its first trial.
PRELOAD = ("skauto.automl._make_plan", "lightgbm")

# What workers that train networks need too, whose trials would otherwise begin with seconds of imports. The first
# optimiser of a process imports torch._dynamo, a second and 66 MB: forked workers share them.
NETS = ("skauto.estimators.neural._trainer", "torch._dynamo")


def _always(task: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether a task runs in a worker with PyTorch: each one."""
    return True


class Runtime:
    """A context in which a fit runs; what it opened is closed at its end.

    Parameters
    ----------
    settings : Settings

    Attributes
    ----------
    phases : Phases
        Runs from the start.
    progress : Progress
    journal : Journal or None
    seed : int
        That of the settings, or of the journal.
    pool : RescuePool
        Once workers are started.
    interrupts : Interrupts
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.phases = Phases(settings.time_limit)
        self.interrupts = Interrupts()
        self.journal: Journal | None = None
        self.seed: int = settings.seed
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(steady_streams())
        self.progress = Progress(
            self.settings.verbose, self.settings.time_limit, self.phases.began
        )
        return self

    def __exit__(self, *error: Any) -> bool | None:
        return self._stack.__exit__(*error)

    def prepare(self, kind: str) -> None:
        """Open and read the journal, and have a fork server import while the plan is made.

        Parameters
        ----------
        kind : str
            Of the data.
        """
        settings = self.settings
        if settings.journal is not None:
            self.journal = self._stack.enter_context(
                Journal(settings.journal).open(settings.seed)
            )
            self.seed = self.journal.seed
        # It takes about two seconds, as does the plan: both at once.
        if settings.executor is not None:
            return
        # Where networks have nearly all of the time, nothing runs without PyTorch, and no other server is needed.
        keeps_networks = kind_named(kind).effort.keeps_networks
        deep = settings.timed and keeps_networks and settings.candidates == "auto"
        SERVERS.warm(PRELOAD + NETS if deep else PRELOAD, deep)

    def start_workers(self, context: Evaluation, labels: np.ndarray) -> None:
        """Start the workers: processes of this machine, or those of an executor.

        What the portfolio's own pipelines warn of is kept with their trials, so no filter makes a failure of it.

        Parameters
        ----------
        context : Evaluation
            Sent to each worker once.
        labels : ndarray of shape (n_classes,)
        """
        make: Callable[[Evaluation], WorkerPool | ExecutorPool] = (
            self._local_workers
            if self.settings.executor is None
            else self._workers_of_executor
        )
        pool = cast(WorkerPool | ExecutorPool, self._stack.enter_context(make(context)))
        self.pool = RescuePool(pool, labels, self.settings.time_limit)

    def finishing(self, plan: "Plan", history: History, data: Data) -> Finishing:
        """What the stages after the search work with."""
        return Finishing(
            plan,
            history,
            data.classes,
            data.pos_label,
            self.pool,
            self.phases,
            self.progress,
            data.mean_costs,
            here=self.settings.memory_limit is None,
            groups=data.groups,
            interrupts=self.interrupts,
        )

    def _workers_of_executor(self, context: Evaluation) -> ExecutorPool:
        settings = self.settings
        return ExecutorPool(
            settings.executor,
            None,
            settings.threads,
            context,
            settings.trial_memory,
            MAX_ATTEMPTS,
            heed_filters=False,
        )

    def _local_workers(self, context: Evaluation) -> WorkerPool:
        settings, build = self.settings, context.build
        nets_alone = build.nets == set(build.candidates)
        # A fresh interpreter, where workers cannot be forked, runs whatever comes.
        imported = PRELOAD + NETS if nets_alone and not can_fork() else PRELOAD
        return WorkerPool(
            settings.n_workers,
            settings.threads,
            context,
            settings.trial_memory,
            imported,
            MAX_ATTEMPTS,
            caller_settings(heed_filters=False),
            deep_preload=NETS,
            is_deep=_always if build.profile.holds_out else context.trains_net,
        )
