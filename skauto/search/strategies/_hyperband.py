"""Hyperband: brackets of successive halving, from many trials at little effort to few at the full one."""

import math

from skauto.search.strategies._base import Strategy
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._tpe import TPE


class Hyperband(Halving):
    """Successive halving with brackets from many trials at low fidelity to few at full fidelity, in turn.

    With s_max + 1 rungs, bracket s = s_max, ..., 0 starts ``ceil((s_max + 1) / (s + 1) * factor ** s)`` trials of
    `base` at the fidelity from which s promotions lead to 1; then the brackets begin again.

    Parameters
    ----------
    base : Strategy
        Proposes configurations; it sees all trials, whatever their fidelity.
    factor : float, default=3
        One in `factor` trials is promoted, at `factor` times the fidelity.
    min_fidelity : float, default=1/9
        Fidelity of the first rung of the broadest bracket.
    max_brackets : int, default=None
        Brackets before it is finished; None for no limit.

    References
    ----------
    Li et al., "Hyperband: a novel bandit-based approach to hyperparameter optimization", JMLR 18(185), 2018,
    algorithm 1. Falkner, Klein and Hutter, "BOHB", ICML 2018, section 4 (`bohb`: over `TPE`).

    Examples
    --------
    >>> from skauto.search import Hyperband, Random
    >>> strategy = Hyperband(Random())
    >>> [(row["trials"], round(row["fidelity"], 2)) for row in strategy.plan(3)]
    [(9, 0.11), (3, 0.33), (1, 1.0), (5, 0.33), (1, 1.0), (3, 1.0)]
    """

    def __init__(
        self, base: Strategy, factor: float = 3, min_fidelity: float = 1 / 9, max_brackets: int | None = None
    ) -> None:
        self.base = base
        self.factor = factor
        self.min_fidelity = min_fidelity
        self.max_brackets = max_brackets

    def ladder(self, bracket: int) -> tuple[int, list[float]]:
        """Trials of the first rung of a bracket, and the fidelity of each rung."""
        levels = self.fidelities()
        s_max = len(levels) - 1
        s = s_max - bracket % len(levels)
        return math.ceil((s_max + 1) * self.factor**s / (s + 1)), levels[s_max - s :]

    def _is_past(self, bracket: int) -> bool:
        return self.max_brackets is not None and bracket >= self.max_brackets


def bohb(min_fidelity: float = 1 / 9) -> Hyperband:
    """BOHB: `Hyperband` over `TPE`.

    Parameters
    ----------
    min_fidelity : float, default=1/9
        Fidelity of the first rung of the broadest bracket.

    Returns
    -------
    strategy : Hyperband

    References
    ----------
    Falkner, Klein and Hutter, "BOHB: robust and efficient hyperparameter optimization at scale", ICML 2018, section 4.

    Examples
    --------
    >>> from skauto.search import bohb
    >>> bohb().plan(1)[0]["trials"]
    9
    """
    return Hyperband(TPE(), min_fidelity=min_fidelity)
