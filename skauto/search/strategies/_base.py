"""Strategy: the contract of everything that chooses trials."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, TypeVar

import numpy as np

from skauto._seeds import child_rng
from skauto.inputs._closest import did_you_mean
from skauto.search._history import View
from skauto.search._trial import Trial
from skauto.search._types import Bounds, Levels, Pair, Params

Chosen = TypeVar("Chosen")


class Strategy:
    """Chooses trials from a history; holds its settings and nothing else.

    A subclass writes `propose`: one trial, or None for "wait" (with nothing running: "finished"). It must be a pure
    function of the history: it changes nothing, draws from `rng` only, and stores its state in the tags of its
    trials. So a search can be replayed, resumed and run on any number of workers.

    Examples
    --------
    >>> from skauto.search import History, Space, Strategy
    >>> class Always(Strategy):
    ...     def propose(self, history):
    ...         return self.next_trial(history, {"branch": 0, "values": {"C": 0}})
    >>> history = History(Space({"C": [1, 10]}), seed=0)
    >>> [trial.number for trial in Always().ask(history, 2)]
    [0, 1]
    """

    def ask(self, history: View, n: int) -> list[Trial]:
        """Up to n new trials, each chosen as if the ones before it were asked already.

        Parameters
        ----------
        history : View
            All trials asked, and the results known.
        n : int
            How many trials are wanted.

        Returns
        -------
        trials : list of Trial
            Fewer than n where the strategy has to wait for results, or has finished.
        """
        trials: list[Trial] = []
        while len(trials) < n and (trial := proposed_by(self, history.plus(trials))) is not None:
            trials.append(trial)
        return trials

    def propose(self, history: View) -> Trial | None:
        """The next trial, or None."""
        raise NotImplementedError(f"{type(self).__name__} must define propose")

    @staticmethod
    def rng(history: View) -> np.random.Generator:
        """The numpy Generator of the next ask: from the seed and the number of trials asked.

        Parameters
        ----------
        history : View

        Returns
        -------
        rng : Generator
        """
        return child_rng(history.seed, "ask", len(history))

    @staticmethod
    def next_trial(history: View, params: Params, tags: dict[str, Any] | None = None, fidelity: float = 1.0) -> Trial:
        """The trial that comes next in the history.

        Parameters
        ----------
        history : View
        params : dict
            As `Space.sample` and `Space.encode` give them.
        tags : dict, default=None
            The state that the strategy stores, as plain JSON.
        fidelity : float, default=1.0
            Fraction of the full effort, in (0, 1]; what it is of, `SearchCV(fidelity=)` says.

        Returns
        -------
        trial : Trial
        """
        return Trial(len(history), params, fidelity, tags or {})

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


# What a strategy must give, for the errors of one that gives something else.
TRIALS = (
    "ask must return a list of up to n Trial, empty to wait for results, and propose one Trial or None, each made by "
    "Strategy.next_trial(history, params)"
)


def proposed_by(strategy: Strategy, history: View) -> Trial | None:
    """The next trial of a strategy, which may have `ask` alone, or None.

    Raises
    ------
    TypeError, ValueError
        If it gives something else than a trial, or one that lies outside of the space.
    """
    if not hasattr(strategy, "propose"):
        return next(iter(asked_of(strategy, history, 1)), None)
    trial = strategy.propose(history)
    if trial is not None:
        _check_trial(strategy, trial, history)
    return trial


def asked_of(strategy: Strategy, history: View, n: int) -> list[Trial]:
    """Up to n new trials of a strategy.

    Raises
    ------
    TypeError, ValueError
        If it gives something else, more of them, or trials that lie outside of the space.
    """
    given = strategy.ask(history, n)
    name = type(strategy).__name__
    if not isinstance(given, (list, tuple)):
        raise TypeError(f"ask of strategy {name} gave {given!r:.200}: {TRIALS}")
    if len(given) > n:
        raise ValueError(f"ask of strategy {name} gave {len(given)} trials where n={n}: {TRIALS}")
    for place, trial in enumerate(given):
        _check_trial(strategy, trial, history, place)
    return list(given)


def _check_trial(strategy: Strategy, trial: Any, history: View, place: int = 0) -> None:
    """Refuse what a strategy gives as the next trial, or as one `place` after it, where it is none."""
    name = type(strategy).__name__
    if not isinstance(trial, Trial):
        raise TypeError(f"strategy {name} gave {trial!r:.200} as a trial: {TRIALS}")
    if trial.number != len(history) + place:
        raise ValueError(f"strategy {name} gave trial {trial.number}, where {len(history) + place} is next: {TRIALS}")
    if not 0 < trial.fidelity <= 1:
        raise ValueError(f"strategy {name} gave a trial of fidelity {trial.fidelity!r}, which must be in (0, 1]")
    if not _is_within(history, trial.params):
        raise ValueError(
            f"strategy {name} gave a trial with params {trial.params!r:.200}, which are none of the space: take them "
            "from history.space.sample(rng) or history.space.encode({name: value})"
        )


def _is_within(history: View, params: Any) -> bool:
    try:
        return history.space.contains(params)
    except (TypeError, LookupError):
        return False


def within(strategy: Chosen, n_trials: int | None) -> Chosen:
    """A strategy for a search of `n_trials` trials, None for any number; most do not depend on it."""
    return strategy.within(n_trials) if n_trials is not None and hasattr(strategy, "within") else strategy


def sample_new(history: View, rng: np.random.Generator, tries: int = 50) -> Params | None:
    """Random params never asked before; in a space of infinite size any; None where all have been asked."""
    space = history.space
    if history.n_distinct >= space.size:
        return None
    for _ in range(tries):
        params = space.sample(rng)
        if not history.has_asked(params):
            return params
    return first_new(history) if space.size < float("inf") else params


def first_new(history: View) -> Params | None:
    """The first params of the grid that were not asked, or None."""
    return next((params for params in history.space.grid() if not history.has_asked(params)), None)


def comparable(history: View, least: int) -> list[Pair]:
    """Complete pairs (trial, result) of the highest fidelity with at least `least` of them, else of that with most."""
    levels = history.complete()
    return levels[level] if (level := comparable_fidelity(levels, least)) is not None else []


def comparable_fidelity(levels: Levels, least: int) -> float | None:
    """The fidelity that `comparable` takes; None without any."""
    enough = [fidelity for fidelity, pairs in levels.items() if len(pairs) >= least]
    return max(enough) if enough else max(levels, key=lambda fidelity: len(levels[fidelity]), default=None)


def parent(trial: Trial) -> int | None:
    """The number of the trial whose training a trial continues; None for one that starts from scratch."""
    states = (state for state in trial.tags.values() if isinstance(state, dict))
    return next((state["parent"] for state in states if "parent" in state), None)


def bounded(units: float | np.ndarray, bounds: Bounds) -> Any:
    """Positions brought back into the unit interval: put on its ends ("clip"), or turned back there ("reflect")."""
    return np.clip(units, 0.0, 1.0) if bounds == "clip" else 1.0 - np.abs(1.0 - units % 2.0)


def check_choice(strategy: Strategy, name: str, allowed: Sequence[str]) -> None:
    """Raise ValueError for a setting that is not among the allowed words.

    Raises
    ------
    ValueError
    """
    value = getattr(strategy, name)
    if value not in allowed:
        hint = did_you_mean(value, allowed)
        listed = ", ".join(map(repr, allowed[:-1])) + f" or {allowed[-1]!r}"
        raise ValueError(f"{name} of {type(strategy).__name__} must be {listed}, got {value!r}{hint}")


def check_count(strategy: Strategy, name: str, least: int) -> None:
    """Raise ValueError for a setting that is no integer of at least a minimum.

    Raises
    ------
    ValueError
    """
    value = getattr(strategy, name)
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} of {type(strategy).__name__} must be an integer of at least {least}, got {value!r}")
