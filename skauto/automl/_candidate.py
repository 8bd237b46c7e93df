"""A candidate of AutoClassifier, the profile of the data, and the Pipeline of one configuration."""

from dataclasses import dataclass, field
from functools import partial

from sklearn.pipeline import Pipeline

from skauto.automl._imbalance import separated, treated
from skauto.automl._kind import Kind, kind_named


@dataclass(frozen=True)
class Traits:
    """What the portfolio must know of a data set to size its pipelines.

    `shape` is that of a row, `length` the mean number of steps and `n_texts` how many columns hold no numbers.
    `seconds` is what one fit of a trial may take, None without a time limit, and `trial_seconds` what all fits of a
    trial may take together. `alone` says that nothing but networks is tried.
    """

    n_rows: int
    n_columns: int
    n_classes: int
    sparse: bool
    threads: int
    stops: bool
    rare: bool = False
    weighted: bool = False
    refit: bool = False
    kind: Kind = field(default_factory=partial(kind_named, "table"))
    shape: tuple = ()
    length: float = 0.0
    seconds: float | None = None
    trial_seconds: float | None = None
    alone: bool = False
    seed: int = 0
    n_texts: int = 0


@dataclass(frozen=True)
class Candidate:
    """A kind of classifier with what belongs to it.

    `build(values, traits, seed)` makes the unfitted classifier and `prepare(values, traits)` the transformer before
    it, or None. `space` holds its parameters and `usual` a value of each; `first` are configurations evaluated before
    any search, as pairs of their place among those of all candidates and what differs from `usual`. `imbalance` are
    groups of the ways to treat the classes that suit it; `weight` is its share of the random trials. `max_rows`,
    `sparse`, `weighted` (whether it takes sample weights) and `package`, which `extra` brings, say where it can be
    used; `affords(values, traits)` is a line on why there is no time for it, or an empty one.
    """

    name: str
    build: object
    prepare: object
    space: dict
    usual: dict
    first: tuple
    imbalance: tuple = ()
    weight: float = 1.0
    max_rows: int | None = None
    sparse: bool = True
    weighted: bool = True
    package: str | None = None
    extra: str | None = None
    affords: object = None


def build_pipeline(candidate, values, traits, seed):
    """The Pipeline of one configuration of a candidate.

    Parameters
    ----------
    candidate : Candidate
    values : dict
        Its parameters, "imbalance" with its settings among them.
    traits : Traits
    seed : int

    Returns
    -------
    pipeline : Pipeline
        Steps "clean" (tables only), "prepare" (not for every candidate) and "classify".
    """
    values, treatment = separated(values)
    prepare = candidate.prepare(values, traits)
    classifier = candidate.build(values, traits, seed)
    steps = [("prepare", prepare)] if prepare is not None else []
    return Pipeline([*traits.kind.first_steps(), *steps, ("classify", treated(classifier, treatment, seed))])
