"""What holds in the process of the caller, taken along to workers: the same call is the same there."""

import importlib
import os
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
from sklearn import get_config, set_config

from skauto._kernel_folders import for_workers
from skauto.search._sandbox import attempt
from skauto.search._trial import Status

# What says how many threads a process may use: each worker has its own.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


# How often a thread of GNU's OpenMP looks whether the others are ready before it gives its core away. The default is 30
# times as often: on two cores beside three busy processes LightGBM on two threads then took twice the time, on quiet
# ones the same. With a hundredth of this fits on quiet cores take longer too.
SPINS = "10000"


def waiting() -> dict[str, str]:
    """The variables that bound how long threads wait for each other, where the user has said nothing of it."""
    if "OMP_WAIT_POLICY" in os.environ:
        return {}
    return {"GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", SPINS)}


def settings(heed_filters: bool = True) -> bytes:
    """scikit-learn's configuration and, if they are to be heeded, the filters of warnings, pickled."""
    filters = None
    if heed_filters:
        filters = [entry for entry in warnings.filters if attempt(cloudpickle.dumps, entry).status == Status.COMPLETE]
    return cloudpickle.dumps((get_config(), filters))


@dataclass(frozen=True)
class ProcessState:
    """What a process passes on to those it starts.

    Attributes
    ----------
    path : list of str
        Its import path.
    folder : str or None
        Its working directory, None where that was removed.
    environment : dict of str to str
        Without the numbers of threads, which each process has of its own.
    umask : int or None
        None where the system does not tell.
    cores : set of int or None
        Those that it may run on.
    """

    path: list[str]
    folder: str | None
    environment: dict[str, str]
    umask: int | None
    cores: set[int] | None


def process_state() -> ProcessState:
    """The state of this process."""
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return ProcessState(import_path(), working_folder(), environment | waiting() | for_workers(), _umask(), cores)


def _umask(status: str = "/proc/self/status") -> int | None:
    """The mask of new files' rights, read without setting it, as other threads may make files meanwhile."""
    lines = attempt(Path(status).read_text).value or ""
    return next((int(line.split()[1], 8) for line in lines.splitlines() if line.startswith("Umask:")), None)


def import_path() -> list[str]:
    """sys.path as a worker in another folder needs it."""
    here: Any = working_folder()
    return [path if path else here for path in sys.path if isinstance(path, str) and (path or here)]


def working_folder() -> str | None:
    """The working directory, None where it was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def enter(state: ProcessState) -> None:
    """Apply the caller's process state, in a worker."""
    sys.path[:] = state.path
    importlib.invalidate_caches()
    if state.folder is not None:
        attempt(os.chdir, state.folder)
    for name in set(os.environ) - set(state.environment) - set(THREAD_VARIABLES):
        del os.environ[name]
    os.environ.update(state.environment)
    time.tzset()
    if state.umask is not None:
        os.umask(state.umask)
    if state.cores is not None:
        attempt(os.sched_setaffinity, 0, state.cores)


def take_over(configuration: dict[str, Any]) -> None:
    """Set scikit-learn's configuration, in a worker."""
    set_config(**configuration)
