"""One line on standard error that tells how far a fit has come."""

import sys
import time
from collections import Counter
from typing import TextIO

from skauto._telling import UNWRITABLE, tell
from skauto.search._history import History
from skauto.search._trial import Result, Trial

# Seconds between two lines where the output is not a terminal.
QUIET_SECONDS = 10

# What empties the line that the cursor stands in.
CLEAR_LINE = "\r\x1b[2K"

# Trials without a score that are no failures.
NAMED = {"timeout": "timed out", "infeasible": "infeasible"}


class Progress:
    """Shows trials as they end: one line rewritten on a terminal, a new line now and then elsewhere.

    Parameters
    ----------
    verbose : int
        0 shows nothing.
    time_limit : float or None
        Seconds of the whole fit.
    began : float
        `time.monotonic()` at the start of the fit.
    stream : text stream, default=None
        None for standard error.
    """

    def __init__(
        self,
        verbose: int,
        time_limit: float | None,
        began: float,
        stream: TextIO | None = None,
    ) -> None:
        self.verbose = verbose
        self.time_limit = time_limit
        self.began = began
        self.stream = sys.stderr if stream is None else stream
        self.terminal = _is_terminal(self.stream)
        self.done = 0
        self.others: Counter[str] = Counter()
        self.best: float | None = None
        self.leader = ""
        self.last_line = -float("inf")

    def on_result(self, history: History, trial: Trial, result: Result) -> None:
        """Count a result and show the line."""
        if result.status == "complete":
            self.done += 1
            if trial.fidelity >= 1 and (self.best is None or result.score > self.best):
                self.best = result.score
                self.leader = history.space.decode(trial.params)["candidate"]
        elif result.status != "cancelled":
            self.others[NAMED.get(str(result.status), "failed")] += 1
        self.show("searching")

    def show(self, phase: str, end: bool = False) -> None:
        """Show where the fit is; `end` finishes the line."""
        if not self.verbose:
            return
        line = f"skauto {self._clock():>11}  {phase:<10}  {self._counts()}"
        waited = time.monotonic() - self.last_line >= QUIET_SECONDS
        if self.terminal and not end:
            tell(CLEAR_LINE + line, self.stream)
        elif self.terminal or end or waited:
            self.last_line = time.monotonic()
            self._tell_line(line)

    def say(self, text: str) -> None:
        """A line of its own."""
        if self.verbose:
            self._tell_line(f"skauto {text}")

    def _tell_line(self, line: str) -> None:
        before = CLEAR_LINE if self.terminal else ""
        tell(f"{before}{line}\n", self.stream)

    def _clock(self) -> str:
        elapsed = time.monotonic() - self.began
        if self.time_limit is None:
            return f"{elapsed:.0f} s"
        return f"{elapsed:.0f}/{self.time_limit:.0f} s"

    def _counts(self) -> str:
        counts = {"trials": self.done, **self.others}
        parts = [f"{count} {name}" for name, count in counts.items()]
        if self.best is not None:
            parts.append(f"best {self.best:.4f} ({self.leader})")
        return ", ".join(parts)


def _is_terminal(stream: TextIO) -> bool:
    """Whether a line can be rewritten there; a closed stream cannot say."""
    try:
        return stream.isatty()
    except UNWRITABLE:
        return False
