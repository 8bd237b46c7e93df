"""A candidate of AutoClassifier, the profile of the data, and the Pipeline of one configuration."""

from dataclasses import dataclass, field
from functools import partial

from sklearn.pipeline import Pipeline

from skauto.automl._imbalance import separated, with_imbalance_strategy
from skauto.automl._kind import Kind, kind_named


@dataclass(frozen=True)
class DataProfile:
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
    early_stopping: bool
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

    Parameters
    ----------
    name : str
    build : callable
        ``build(values, profile, seed)``: the unfitted classifier of a configuration.
    prepare : callable
        ``prepare(values, profile)``: the transformer before it, or None.
    space : dict
        Its parameters, as SearchCV takes them.
    defaults : dict
        A value of each parameter.
    first : tuple of (float, dict)
        Configurations that are evaluated before any search: their rank among those of all candidates, and what differs
        from the defaults.
    imbalance : tuple of tuples of str
        Groups of the imbalance strategies that suit it.
    weight : float
        How often random trials take it, relative to the others.
    max_rows : int or None
        Training rows beyond which it is left out.
    sparse, weighted : bool
        Whether it takes sparse tables, and sample weights.
    package, extra : str or None
        The packages that it needs, separated by spaces, and the extra that brings them.
    time_budget_reason : callable or None
        ``time_budget_reason(values, profile)``: one line on why there is no time for it, or an empty one.
    """

    name: str
    build: object
    prepare: object
    space: dict
    defaults: dict
    first: tuple
    imbalance: tuple = ()
    weight: float = 1.0
    max_rows: int | None = None
    sparse: bool = True
    weighted: bool = True
    package: str | None = None
    extra: str | None = None
    time_budget_reason: object = None


def build_pipeline(candidate, values, profile, seed):
    """The Pipeline of one configuration of a candidate.

    Parameters
    ----------
    candidate : Candidate
    values : dict
        Its parameters, "imbalance" with its settings among them.
    profile : Traits
    seed : int

    Returns
    -------
    pipeline : Pipeline
        Steps "clean" (tables only), "prepare" (not for every candidate) and "classify".
    """
    values, strategy = separated(values)
    prepare = candidate.prepare(values, profile)
    classifier = candidate.build(values, profile, seed)
    steps = [("prepare", prepare)] if prepare is not None else []
    classifier = with_imbalance_strategy(classifier, strategy, seed)
    return Pipeline([*profile.kind.first_steps(), *steps, ("classify", classifier)])
