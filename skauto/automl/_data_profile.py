"""DataProfile: what a candidate must know of the data to size its pipelines."""

from dataclasses import dataclass, field
from functools import partial

from skauto.automl._kind import Kind, kind_named


@dataclass(frozen=True)
class DataProfile:
    """What the portfolio must know of a data set to size its pipelines.

    `shape` is that of a row, `length` the mean number of steps and `n_texts` how many columns hold no numbers.
    `seconds` is what one fit of a trial may take, None without a time limit, and `trial_seconds` what all fits of a
    trial may take together. `alone` says that nothing but networks is tried, `weighted` that rows have weights, `rare`
    that a training fold has too few rows of a class for each fold of a calibration inside it, and `refit` that what is
    built is fitted after the search, on all rows.
    """

    n_rows: int
    n_columns: int
    n_classes: int
    sparse: bool
    threads: int
    early_stopping: bool
    rare: bool = False
    weighted: bool = False
    refit: bool = False
    kind: Kind = field(default_factory=partial(kind_named, "table"))
    shape: tuple[int, ...] = ()
    length: float = 0.0
    seconds: float | None = None
    trial_seconds: float | None = None
    alone: bool = False
    seed: int = 0
    n_texts: int = 0
