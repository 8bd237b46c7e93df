"""Strategies by name."""

from collections.abc import Callable
from typing import cast

from skauto.inputs._closest import did_you_mean
from skauto.search.strategies._annealing import Annealing
from skauto.search.strategies._ants import Ants
from skauto.search.strategies._auto import Auto
from skauto.search.strategies._base import Strategy
from skauto.search.strategies._bayes import Bayes
from skauto.search.strategies._gaussian_process import GaussianProcess
from skauto.search.strategies._genetic import Genetic
from skauto.search.strategies._grid import Grid
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._hyperband import Hyperband, bohb
from skauto.search.strategies._pbt import PBT
from skauto.search.strategies._random import Random
from skauto.search.strategies._reinforce import Reinforce
from skauto.search.strategies._swarm import Swarm
from skauto.search.strategies._tpe import TPE
from skauto.search.strategies._warm_start import WarmStart

# Strategies that may use less than the full effort, made from the least that says something.
SCHEDULES: dict[str, Callable[[float], Strategy]] = {
    "auto": Auto,
    "bohb": bohb,
    "halving": lambda min_fidelity: Halving(Random(), min_fidelity=min_fidelity),
    "hyperband": lambda min_fidelity: Hyperband(Random(), min_fidelity=min_fidelity),
    "pbt": lambda min_fidelity: PBT(steps=min(5, max(2, round(1 / min_fidelity)))),
}
STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "annealing": Annealing,
    "ants": Ants,
    "auto": Auto,
    "bayes": Bayes,
    "bohb": bohb,
    "genetic": Genetic,
    "gp": GaussianProcess,
    "grid": Grid,
    "halving": lambda: Halving(Random()),
    "hyperband": lambda: Hyperband(Random()),
    "pbt": PBT,
    "random": Random,
    "reinforce": Reinforce,
    "swarm": Swarm,
    "tpe": TPE,
}


def make_strategy(strategy: str | Strategy, min_fidelity: float | None = None) -> Strategy:
    """The strategy of a name with its default settings; a strategy object is passed through.

    Parameters
    ----------
    strategy : str or Strategy
    min_fidelity : float, default=None
        The smallest fraction of the full effort at which a score is informative, in (0, 1]: where strategies that use
        less than all begin. None for their own default; then ``"auto"`` asks for full trials only.

    Raises
    ------
    ValueError
        If the name is not known.
    TypeError
        If it is neither a name nor has a method ``ask(history, n)``.

    Examples
    --------
    >>> from skauto.search.strategies._names import make_strategy
    >>> make_strategy("random")
    Random()
    """
    if callable(getattr(strategy, "ask", None)) and not isinstance(strategy, type):
        return cast(Strategy, strategy)
    if not isinstance(strategy, str):
        raise TypeError(f"strategy must be a name or an object with ask(history, n), got {strategy!r}")
    if strategy not in STRATEGIES:
        hint = did_you_mean(strategy, STRATEGIES, before=". ") or "."
        raise ValueError(f"strategy {strategy!r} is not known{hint} Allowed are {', '.join(map(repr, STRATEGIES))}.")
    if min_fidelity is not None and strategy in SCHEDULES:
        return SCHEDULES[strategy](min_fidelity)
    return STRATEGIES[strategy]()


def default_fidelity(strategy: str | Strategy) -> str | None:
    """What a search takes for the fidelity where the user names none: rows for schedules of halving, else None.

    Parameters
    ----------
    strategy : str or Strategy
    """
    if isinstance(strategy, str):
        return "rows" if strategy in ("halving", "hyperband", "bohb") else None
    schedule = strategy.base if isinstance(strategy, WarmStart) else strategy
    return "rows" if isinstance(schedule, Halving) and len(schedule.fidelities()) > 1 else None
