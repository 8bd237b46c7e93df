"""Strategies by name."""

from difflib import get_close_matches

from skauto.search.strategies._bayes import Bayes
from skauto.search.strategies._genetic import Genetic
from skauto.search.strategies._grid import Grid
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._random import Random


def _random_under_halving():
    return Halving(Random())


STRATEGIES = {
    "auto": _random_under_halving,
    "bayes": Bayes,
    "genetic": Genetic,
    "grid": Grid,
    "halving": _random_under_halving,
    "random": Random,
}


def make_strategy(strategy):
    """The strategy of a name with its default settings; a strategy object is passed through.

    Parameters
    ----------
    strategy : str or Strategy

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
        return strategy
    if not isinstance(strategy, str):
        raise TypeError(f"strategy must be a name or an object with ask(history, n), got {strategy!r}")
    if strategy not in STRATEGIES:
        close = get_close_matches(strategy, STRATEGIES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"strategy {strategy!r} is not known.{hint} Allowed are {', '.join(map(repr, STRATEGIES))}.")
    return STRATEGIES[strategy]()
