"""Covering arrays: rows of settings in which every two values of different parameters meet at least once."""

import datetime
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

from allpairspy import AllPairs

# Parts of the rows that a run without SKAUTO_PAIRS takes in turn, one a day.
PARTS = 20


def covering_rows(values, excluded=()):
    """Dicts of parameter to name of value.

    Parameters
    ----------
    values : dict of str to collection of str
        Names of the documented values of each parameter.
    excluded : list of dict
        Combinations that no row holds: each a dict of parameters to the names of values that do not go together.
    """
    names = list(values)

    def allowed(row):
        row = dict(zip(names, row, strict=False))
        return not any(all(row.get(name) in some for name, some in rule.items()) for rule in excluded)

    return [
        dict(zip(names, row, strict=True)) for row in AllPairs([list(values[n]) for n in names], filter_func=allowed)
    ]


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
    """A pool of threads or of processes that ends with the stack."""
    if name == "threads":
        return stack.enter_context(ThreadPoolExecutor(2))
    return stack.enter_context(ProcessPoolExecutor(2, mp_context=get_context("spawn")))
