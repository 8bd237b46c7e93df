"""The sandbox around user code: only here all exceptions are caught."""

import math
import pickle
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, Self

import cloudpickle
import numpy as np

from skauto.search._trial import InfeasibleError, Status

LINE = 200  # characters of a reason that are kept
WARNING = 4_000  # characters of a warning that are kept
MAX_WARNINGS = 20


@dataclass(frozen=True)
class Warned:
    """A warning as it was raised elsewhere: category, text, and where, by file, line and module."""

    category: type[Warning]
    text: str
    filename: str = ""
    lineno: int = 0
    module: str = ""

    def __str__(self) -> str:
        return one_line(f"{self.category.__name__}: {self.text}")

    def raise_again(self) -> None:
        """Warn of it here, where the filters of this process decide."""
        warnings.warn_explicit(self.text, self.category, self.filename, self.lineno, self.module)


@dataclass(frozen=True)
class Report:
    """What a call came to: its value, or why there is none."""

    status: Status
    value: Any = None
    reason: str = ""
    output: str = ""
    warnings: tuple[Warned, ...] = ()
    seconds: float = 0.0
    error: BaseException | None = None  # of `attempt` only: not every exception can be pickled


class Sandbox:
    """A context manager that turns any exception, SystemExit and KeyboardInterrupt included, into a Report.

    Put what was computed into `value`, and read `report` afterwards. Warnings are collected, not shown.

    Parameters
    ----------
    filters : list of tuple, default=None
        In force meanwhile, as in `warnings.filters`: one may make an error of a warning. None collects all.

    Attributes
    ----------
    value : object
        What the block came to, which it puts here.
    report : Report
        Once the block has ended.

    Examples
    --------
    >>> from skauto.search._sandbox import Sandbox
    >>> with Sandbox() as box:
    ...     box.value = 1 / 0
    >>> box.report.reason
    'ZeroDivisionError: division by zero'
    """

    report: Report

    def __init__(self, filters: list[Any] | None = None) -> None:
        self.value: Any = None
        self._filters = filters
        self._catching = warnings.catch_warnings(record=True)

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        self._caught = self._catching.__enter__()
        if self._filters is None:
            warnings.simplefilter("default")
        else:
            warnings.resetwarnings()  # also makes Python forget what it has shown
            warnings.filters.extend(self._filters)  # type: ignore[attr-defined]  # it is a list
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        fields = {"status": Status.COMPLETE, "value": self.value} if error is None else _failure(error)
        self._catching.__exit__(None, None, None)
        seconds = time.perf_counter() - self._start
        self.report = Report(**fields, warnings=_collected(self._caught or []), seconds=seconds)
        return True


def run(function: Callable[..., Any], *args: Any) -> Report:
    """Call a function and report on it, whatever it raises, SystemExit and KeyboardInterrupt included."""
    with Sandbox() as box:
        box.value = function(*args)
    return box.report


def _collected(caught: list[warnings.WarningMessage]) -> tuple[Warned, ...]:
    """Each different warning once."""
    different: dict[tuple[type[Warning], str], warnings.WarningMessage] = {}
    for seen in caught:
        different.setdefault((seen.category, _text(seen.message)), seen)
    found = list(different.items())[:MAX_WARNINGS]
    return tuple(
        Warned(_portable(category, text), text, seen.filename, seen.lineno, _module_of(seen.filename))
        for (category, text), seen in found
    )


def _text(message: Warning | str) -> str:
    try:
        return str(message)[:WARNING]
    except Exception:
        return "(its message cannot be shown)"


def _portable(category: type[Warning], text: str) -> type[Warning]:
    """The category, or the next one above it that can be pickled and made from a text alone."""
    for kind in category.__mro__:
        made = attempt(lambda kind: (str(kind(text)), pickle.loads(cloudpickle.dumps(kind))), kind)
        if made.status == Status.COMPLETE:
            return kind
    return UserWarning


def _module_of(filename: str) -> str:
    """The name of the module in a file, by which filters may ask; what is in none came from the caller's script."""
    modules = list(sys.modules.items())
    return next((name for name, module in modules if getattr(module, "__file__", None) == filename), "__main__")


def attempt(function: Callable[..., Any], *args: Any) -> Report:
    """Call a function and report on any Exception; for use in the user's own process, where Ctrl-C must pass."""
    try:
        return Report(Status.COMPLETE, function(*args))
    except Exception as error:
        return Report(**_failure(error), error=error)


def _failure(error: BaseException) -> dict[str, Any]:
    kinds = {MemoryError: Status.MEMORY, TimeoutError: Status.TIMEOUT, InfeasibleError: Status.INFEASIBLE}
    status = next((status for kind, status in kinds.items() if isinstance(error, kind)), Status.FAILED)
    trace = "".join(traceback.format_exception(error, limit=-30))
    return {"status": status, "reason": describe(error), "output": trace}


def number_of(value: Any) -> float:
    """What a function or scorer returned as a float; NaN for what is no real number, or is too large for one.

    Examples
    --------
    >>> from decimal import Decimal
    >>> from skauto.search._sandbox import number_of
    >>> number_of(Decimal("0.5")), number_of(10**400), number_of("0.5")
    (0.5, nan, nan)
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, (Real, Decimal, np.bool_)):
        return math.nan
    found = attempt(float, value).value
    return math.nan if found is None else found


def shown(value: object) -> str:
    """One line of a value's repr; its type where the repr raises, as that of very large integers does."""
    text = attempt(repr, value).value
    return one_line(text) if isinstance(text, str) else f"a value of type {type(value).__name__}"


def describe(error: BaseException) -> str:
    """``ExceptionType: message`` on one line."""
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be shown)"
    return one_line(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def one_line(text: str) -> str:
    """The first line of a text, at most 200 characters."""
    line = next((line for line in text.splitlines() if line.strip()), "").strip()
    return line if len(line) <= LINE else line[: LINE - 3] + "..."
