"""The wall around user code: the only place that catches everything."""

import time
import traceback
import warnings
from dataclasses import dataclass

from skauto.search._trial import InfeasibleError, Status

LINE = 200  # characters of a reason or warning that are kept
MAX_WARNINGS = 20


@dataclass(frozen=True)
class Report:
    """What a call came to: its value, or why there is none."""

    status: Status
    value: object = None
    reason: str = ""
    output: str = ""
    warnings: tuple = ()
    seconds: float = 0.0
    error: BaseException | None = None  # of `attempt` only: not every exception can be pickled


def run(function, *args):
    """Call a function and report on it, whatever it raises, SystemExit and KeyboardInterrupt included.

    Warnings are collected as short strings, not shown.
    """
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            fields = {"status": Status.COMPLETE, "value": function(*args)}
        except BaseException as error:
            fields = _failure(error)
    seen = dict.fromkeys(one_line(f"{w.category.__name__}: {w.message}") for w in caught)
    return Report(**fields, warnings=tuple(seen)[:MAX_WARNINGS], seconds=time.perf_counter() - start)


def attempt(function, *args):
    """Call a function and report on any Exception; for use in the user's own process, where Ctrl-C must pass."""
    try:
        return Report(Status.COMPLETE, function(*args))
    except Exception as error:
        return Report(**_failure(error), error=error)


def _failure(error):
    kinds = {MemoryError: Status.MEMORY, TimeoutError: Status.TIMEOUT, InfeasibleError: Status.INFEASIBLE}
    status = next((status for kind, status in kinds.items() if isinstance(error, kind)), Status.FAILED)
    trace = "".join(traceback.format_exception(error, limit=-30))
    return {"status": status, "reason": describe(error), "output": trace}


def describe(error):
    """``ExceptionType: message`` on one line."""
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be shown)"
    return one_line(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def one_line(text):
    """The first line of a text, at most 200 characters."""
    line = next((line for line in text.splitlines() if line.strip()), "").strip()
    return line if len(line) <= LINE else line[: LINE - 3] + "..."
