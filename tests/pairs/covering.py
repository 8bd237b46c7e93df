"""Covering arrays: rows of settings in which every two values of different parameters meet at least once."""

import datetime
import logging
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from allpairspy import AllPairs
from distributed import Client, LocalCluster

# Parts of the rows that a run without SKAUTO_PAIRS takes in turn, one a day.
PARTS = 20


@dataclass(frozen=True)
class Refusal:
    """Settings that a search refuses together.

    Attributes
    ----------
    settings : dict of str to tuple of str
        Names of the values that clash, of each parameter. One row of the array has the first of each.
    message : str
        A regular expression that the error must match.
    """

    settings: dict
    message: str

    def applies(self, row):
        """Whether a row, perhaps a partial one, holds one of the values of each parameter."""
        return all(row.get(name) in clashing for name, clashing in self.settings.items())


def expected_refusal(row, refusals):
    """What the error of a row must match, or None for a row that must succeed."""
    return next((refusal.message for refusal in refusals if refusal.applies(row)), None)


def covering_rows(values, refusals):
    """Dicts of parameter to name of value: one for each refusal, then those in which all other pairs meet.

    Parameters
    ----------
    values : dict of str to collection of str
        Names of the documented values of each parameter.
    refusals : list of Refusal
        A row that is refused tells nothing of its other values, so each refusal has a row of its own, the first value
        of every parameter beside those that clash.
    """
    names = list(values)
    first = {name: next(iter(values[name])) for name in names}

    def allowed(row):
        return expected_refusal(dict(zip(names, row, strict=False)), refusals) is None

    covering = AllPairs([list(values[name]) for name in names], filter_func=allowed)
    refused = [first | {name: clashing[0] for name, clashing in refusal.settings.items()} for refusal in refusals]
    return refused + [dict(zip(names, row, strict=True)) for row in covering]


def rows_of_today(rows):
    """All rows with SKAUTO_PAIRS=all, those of one part with SKAUTO_PAIRS=PART, else the part whose day it is."""
    asked = os.environ.get("SKAUTO_PAIRS", "")
    if asked == "all":
        return rows
    part = int(asked) if asked else datetime.datetime.now(datetime.UTC).toordinal()
    return rows[part % PARTS :: PARTS]


def row_id(row):
    """The row as the name of its test."""
    return "-".join(str(value) for value in row.values())


def executor(name, stack):
    """A pool of threads, of processes or of Dask's workers that ends with the stack."""
    if name == "dask":
        settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
        cluster = stack.enter_context(LocalCluster(**settings, host="127.0.0.1", silence_logs=logging.CRITICAL))
        return stack.enter_context(Client(cluster)).get_executor()
    if name == "threads":
        return stack.enter_context(ThreadPoolExecutor(2))
    return stack.enter_context(ProcessPoolExecutor(2, mp_context=get_context("spawn")))
