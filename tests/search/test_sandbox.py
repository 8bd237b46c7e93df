"""The wall around user code."""

import warnings

import pytest

from skauto.search._sandbox import attempt, describe, one_line, run
from skauto.search._trial import InfeasibleError, Status


def throw(error):
    raise error


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no words")


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (ValueError("bad\nworse"), Status.FAILED, "ValueError: bad"),
        (ValueError(), Status.FAILED, "ValueError"),
        (SystemExit(2), Status.FAILED, "SystemExit: 2"),
        (KeyboardInterrupt(), Status.FAILED, "KeyboardInterrupt"),
        (MemoryError("too much"), Status.MEMORY, "MemoryError: too much"),
        (TimeoutError("too slow"), Status.TIMEOUT, "TimeoutError: too slow"),
        (InfeasibleError("too large"), Status.INFEASIBLE, "InfeasibleError: too large"),
        (Unspeakable(), Status.FAILED, "Unspeakable: (its message cannot be shown)"),
    ],
)
def test_whatever_is_raised_is_reported(error, status, reason):
    report = run(throw, error)
    assert (report.status, report.reason, report.value) == (status, reason, None)
    assert "in throw" in report.output


def test_endless_recursion():
    def deeper():
        return deeper()

    report = run(deeper)
    assert report.reason.startswith("RecursionError: maximum recursion depth exceeded")
    assert len(report.output) < 10_000


def test_a_value_and_its_warnings():
    def warn(n):
        for number in range(n):
            warnings.warn(f"warning {number % 30}", UserWarning, stacklevel=1)
        return n

    report = run(warn, 90)
    assert (report.status, report.value, report.reason) == (Status.COMPLETE, 90, "")
    assert tuple(map(str, report.warnings[:2])) == ("UserWarning: warning 0", "UserWarning: warning 1")
    assert len(report.warnings) == 20
    assert report.seconds >= 0


def test_attempt_lets_interrupts_pass():
    assert attempt(throw, ValueError("bad")).reason == "ValueError: bad"
    assert attempt(len, "abc").value == 3
    with pytest.raises(KeyboardInterrupt):
        attempt(throw, KeyboardInterrupt())


def test_reasons_are_one_short_line():
    assert one_line("\n\n  first \nsecond") == "first"
    assert one_line("") == ""
    assert len(describe(ValueError("x" * 1000))) == 200
