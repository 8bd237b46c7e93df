"""The learnt portfolio of tables: configurations in the order in which they are tried, read from plain data."""

import json
from importlib import resources
from typing import Any

from skauto.automl._types import Values

# An ordered list that `benchmarks/portfolio/learn.py` wrote: what it is made from stands in decision 808.
FILE = "tables_portfolio.json"


def _read() -> list[Values]:
    text = resources.files("skauto").joinpath("data", FILE).read_text(encoding="utf-8")
    return json.loads(text)


PORTFOLIO = _read()


def learnt(name: str) -> dict[str, Any]:
    """The initial configurations of a candidate and their ranks, as `Candidate` takes them.

    One that the list has not is tried after it, as its defaults are.

    Examples
    --------
    >>> from skauto.automl.tables._portfolio import learnt
    >>> sorted(learnt("lightgbm"))
    ['initial', 'ranks']
    """
    found = [
        (rank, {key: value for key, value in entry.items() if key != "candidate"})
        for rank, entry in enumerate(PORTFOLIO)
        if entry["candidate"] == name
    ]
    ranks, initial = zip(*found or [(len(PORTFOLIO), {})], strict=True)
    return {"initial": initial, "ranks": ranks}
