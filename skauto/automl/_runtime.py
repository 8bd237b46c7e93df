"""Where an AutoClassifier works: its workers and what they may use."""

from skauto.search._caller import settings
from skauto.search._executor_pool import ExecutorPool
from skauto.search._idle_workers import IDLE_WORKERS
from skauto.search._memory import memory_bytes
from skauto.search._workers import MAX_ATTEMPTS, WorkerPool

# What every worker needs, imported before its first trial.
PRELOAD = ("skauto.automl._plan", "lightgbm")

# The same where nothing but networks is tried, whose trials would otherwise begin with seconds of imports.
NETS = ("skauto.estimators.neural._trainer",)

# Workers that import in advance, to step in at once for one that was killed.
N_IDLE_WORKERS = 1


def memory_of_a_trial(auto, n_workers):
    """Bytes of a trial; on other machines only what is asked for, since what is free there is not known here."""
    if auto.executor is not None and auto.memory_limit is None:
        return None
    return memory_bytes(auto.memory_limit, n_workers)


def warm(auto, n_workers, threads):
    """Have workers import while the plan is made."""
    if auto.executor is None:
        IDLE_WORKERS.warm(threads, n_workers, PRELOAD)


def make_pool(auto, n_workers, threads, context, memory_limit):
    """The workers: processes of this machine, or those of an executor.

    What the portfolio's own pipelines warn of is kept with their trials, so no filter makes a failure of it.
    """
    if auto.executor is not None:
        return ExecutorPool(auto.executor, None, threads, context, memory_limit, MAX_ATTEMPTS, heed_filters=False)
    build = context.build
    preload = PRELOAD + (NETS if build.nets == set(build.candidates) else ())
    n_idle = 0 if auto.time_limit is None else N_IDLE_WORKERS
    caller = settings(heed_filters=False)
    return WorkerPool(n_workers, threads, context, memory_limit, preload, MAX_ATTEMPTS, n_idle, caller)
