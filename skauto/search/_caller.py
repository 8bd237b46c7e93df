"""What holds in the process of the caller, taken along to workers: the same call is the same there."""

import os
import sys
import warnings
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


def process_state() -> tuple[list[str], str | None, dict[str, str]]:
    """Import path, working directory (None where it was removed) and environment of this process."""
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    return import_path(), working_folder(), environment | waiting() | for_workers()


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


def enter(path: list[str], folder: str | None, environment: dict[str, str]) -> None:
    """Apply the caller's process state, in a worker."""
    sys.path[:] = path
    if folder is not None:
        attempt(os.chdir, folder)
    for name in set(os.environ) - set(environment) - set(THREAD_VARIABLES):
        del os.environ[name]
    os.environ.update(environment)


def take_over(configuration: dict[str, Any]) -> None:
    """Set scikit-learn's configuration, in a worker."""
    set_config(**configuration)
