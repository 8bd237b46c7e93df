"""Seconds of a fit: the deadline, what each phase may use and what it used."""

import math
import time
from contextlib import contextmanager

import pandas as pd

# The part of the time limit kept for ensemble and refit, and its bounds in seconds.
FINISH_SHARE, FINISH_LEAST, FINISH_MOST = 0.2, 0.5, 45.0

# Seconds kept free at the very end, for putting the pieces together.
MARGIN_SHARE, MARGIN_MOST = 0.02, 1.0


class Phases:
    """Clock of one fit.

    Parameters
    ----------
    time_limit : float or None
        Seconds for everything.
    clock : callable, default=time.monotonic
    """

    def __init__(self, time_limit, clock=time.monotonic):
        self.time_limit = math.inf if time_limit is None else float(time_limit)
        self.clock = clock
        self.began = clock()
        self.used = {}

    @contextmanager
    def __call__(self, name):
        """Count the seconds of a phase."""
        began = self.clock()
        try:
            yield
        finally:
            self.used[name] = self.used.get(name, 0.0) + self.clock() - began

    def left(self):
        """Seconds until the work must be done, infinity without a limit."""
        margin = min(MARGIN_SHARE * self.time_limit, MARGIN_MOST)
        return max(self.time_limit - margin - (self.clock() - self.began), 0.0)

    def for_finish(self):
        """Seconds planned for ensemble and refit."""
        return min(max(FINISH_SHARE * self.time_limit, FINISH_LEAST), FINISH_MOST)

    def for_search(self):
        """Seconds that the search may use from now on, None without a limit."""
        return None if math.isinf(self.time_limit) else max(self.left() - self.for_finish(), 0.0)

    def frame(self):
        """Planned and used seconds of each phase, a DataFrame."""
        planned = {"inspect": math.nan, "search": math.nan, "ensemble": math.nan, "refit": math.nan}
        if math.isfinite(self.time_limit):
            finish = self.for_finish()
            planned["search"], planned["refit"] = self.time_limit - finish, finish
        rows = [
            {"phase": name, "planned": seconds, "used": self.used.get(name, 0.0)} for name, seconds in planned.items()
        ]
        limit = self.time_limit if math.isfinite(self.time_limit) else math.nan
        rows.append({"phase": "total", "planned": limit, "used": self.clock() - self.began})
        return pd.DataFrame(rows).set_index("phase")
