"""DataProfile: what a candidate must know of the data to size its pipelines."""

from dataclasses import dataclass, field
from functools import partial

from skauto.automl._kind import Kind, kind_named
from skauto.inputs._as_given import AsGiven


@dataclass(frozen=True)
class DataProfile:
    """What the portfolio must know of a data set to size its pipelines.

    Attributes
    ----------
    n_rows : int
        Rows to learn from of the smallest fold.
    n_columns, n_classes : int
    sparse : bool
    threads : int
        Of a worker.
    early_stopping : bool
        Whether the validation rows of each fold are enough to say when boosting should stop.
    rare : bool
        Whether some fold has too few rows of a class to calibrate on.
    weighted : bool
        Whether rows have weights.
    refit : bool
        Whether the final model is built, for which there is more time than for a fold.
    kind : Kind
    shape : tuple of int
        Of a row.
    length : float
        Mean number of steps of a series.
    seconds : float or None
        What one fit of a trial may take, None without a time limit.
    trial_seconds : float or None
        What all fits of a trial may take together.
    alone : bool
        Whether nothing but networks is tried.
    holds_out : bool
        Whether one part of the rows is held back once, within a time limit, and what learns from the others is final.
    seed : int
    n_texts : int
        How many columns hold no numbers.
    as_given : AsGiven or None
        What gives a table back the form in which the user gave it.
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
    holds_out: bool = False
    seed: int = 0
    n_texts: int = 0
    as_given: AsGiven | None = None
