"""Settings: the checked parameters of one fit, and what follows from them alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from skauto._seeds import root_seed
from skauto._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from skauto.automl.evaluation._constraints import Constraints
from skauto.automl.evaluation._read_constraints import read_constraints
from skauto.search._cores import cores, count_workers
from skauto.search._memory import memory_bytes
from skauto.search.strategies._base import Strategy
from skauto.search.strategies._grid import Grid
from skauto.search.strategies._names import make_strategy

# What each parameter of AutoClassifier may be, as scikit-learn checks it.
PARAMETERS: dict[str, list[Any]] = {
    "strategy": [str, Strategy],
    "time_limit": [Interval(Real, 0, None, closed="neither"), None],
    "n_iter": [Interval(Integral, 1, None, closed="left"), None],
    "cv": ["cv_object"],
    "candidates": [str, list, tuple],
    "kind": [str],
    "cost_matrix": ["array-like", dict, None],
    "constraints": [dict, None],
    "holdout": [Interval(Real, 0, 1, closed="neither"), None],
    "ensemble": [
        StrOptions({"auto", "single"}),
        Interval(Integral, 1, None, closed="left"),
        "boolean",
    ],
    "n_jobs": [Integral, None],
    "executor": [HasMethods(["submit"]), None],
    "memory_limit": [Interval(Integral, 1, None, closed="left"), str, None],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


@dataclass(frozen=True)
class Settings:
    """The parameters of an AutoClassifier, of which the names are documented there, as one fit uses them.

    Parameters
    ----------
    scoring : str, scorer or callable
        What is maximised.
    also : dict
        Further scores by name, which are only shown.
    constraints : Constraints
    seed : int
        Drawn from `random_state`.
    n_workers : int
    threads : int
        Of one worker.
    trial_memory : int or None
        Most bytes of a trial; None where nothing bounds it.
    """

    scoring: Any
    also: dict[str, Any]
    strategy: Any
    time_limit: float | None
    n_iter: int | None
    cv: Any
    candidates: Any
    kind: str
    pos_label: Any
    cost_matrix: Any
    constraints: Constraints
    holdout: float | None
    ensemble: str | int
    journal: Any
    executor: Any
    memory_limit: int | str | None
    random_state: Any
    verbose: int
    seed: int
    n_workers: int
    threads: int
    trial_memory: int | None

    @property
    def timed(self) -> bool:
        """Whether time is limited; without a limit results do not depend on a clock or on the number of workers."""
        return self.time_limit is not None

    @property
    def finite(self) -> bool:
        """Whether the strategy needs a space that can be listed."""
        return isinstance(make_strategy(self.strategy), Grid)


def settings_of(
    parameters: dict[str, Any], name: str = "AutoClassifier", taken: Sequence[str] = ()
) -> Settings:
    """The settings of an AutoClassifier with these parameters.

    `name` is that of the class in messages, `taken` are names that a score cannot have, those of the columns of a
    leaderboard.

    Raises
    ------
    ValueError
        If parameters contradict each other, or one cannot be used.
    """
    _check(parameters, name)
    own = {name: value for name, value in parameters.items() if name != "n_jobs"}
    if not isinstance(own["candidates"], str):
        own["candidates"] = list(own["candidates"])
    own["constraints"] = read_constraints(own["constraints"])
    own["scoring"], own["also"] = first_and_others(own["scoring"])
    clash = {*taken, *own["constraints"].names} & set(own["also"])
    if clash:
        raise ValueError(
            f"scoring has a score called {min(clash)!r}, but {min(clash)!r} is a column of the leaderboard; give it "
            "another name"
        )
    n_workers = count_workers(parameters["n_jobs"])
    return Settings(
        **own,
        seed=root_seed(own["random_state"]),
        n_workers=n_workers,
        threads=_threads(own["time_limit"], n_workers),
        trial_memory=_trial_memory(own["executor"], own["memory_limit"], n_workers),
    )


def first_and_others(scoring: Any) -> tuple[Any, dict[str, Any]]:
    """The score to maximise, and the others by name.

    Parameters
    ----------
    scoring : str, scorer, callable or dict of these by name
        Of a dict the first one is maximised.

    Raises
    ------
    ValueError
        If a dict is empty.
    """
    if not isinstance(scoring, dict):
        return scoring, {}
    if not scoring:
        raise ValueError("scoring={} names no score: give one, or several by name")
    (_, first), *others = scoring.items()
    return first, dict(others)


def _check(parameters: dict[str, Any], name: str) -> None:
    """Raise for a parameter that cannot be used, and for two that contradict each other."""
    time_limit, cv = parameters["time_limit"], parameters["cv"]
    if isinstance(time_limit, str):
        raise ValueError(
            f"time_limit={time_limit!r} must be a number of seconds, for example 3600, or None"
        )
    validate_parameter_constraints(PARAMETERS, parameters, name)
    if isinstance(cv, type):
        raise ValueError(
            f"cv={cv.__name__} is a class: pass an object, for example {cv.__name__}()"
        )
    if time_limit is None and parameters["n_iter"] is None:
        raise ValueError(
            "time_limit=None needs n_iter, a number of trials, or the search would never end"
        )


def _threads(time_limit: float | None, n_workers: int) -> int:
    """Threads of a worker; always one in count mode, where results must not depend on the number of workers."""
    # Sums of many threads are added in another order, which would change results.
    return 1 if time_limit is None else max(cores() // n_workers, 1)


def _trial_memory(
    executor: Any, memory_limit: int | str | None, n_workers: int
) -> int | None:
    """Bytes of a trial; on other machines only what is asked for, since what is free there is not known here."""
    if executor is not None and memory_limit is None:
        return None
    return memory_bytes(memory_limit, n_workers)
