"""A wrapper that asks known configurations first."""

from collections.abc import Sequence

from skauto.search._history import View
from skauto.search._trial import Trial
from skauto.search._types import Params
from skauto.search.strategies._base import Strategy, proposed_by, within


class WarmStart(Strategy):
    """Known configurations first, then another strategy, which sees their results.

    Parameters
    ----------
    first : list of dict
        Params, as `Space.encode` gives them, in the order to try.
    base : Strategy
        What asks afterwards.
    fidelity : float, default=1.0
        Fidelity of the known configurations.

    Examples
    --------
    >>> from skauto.search._history import History
    >>> from skauto.search._space import Space
    >>> from skauto.search.strategies._random import Random
    >>> from skauto.search.strategies._warm_start import WarmStart
    >>> space = Space({"C": [1, 10, 100]})
    >>> strategy = WarmStart([space.encode({"C": 10})], Random())
    >>> [space.decode(trial.params)["C"] for trial in strategy.ask(History(space, seed=0), 1)]
    [10]
    """

    def __init__(self, first: Sequence[Params], base: Strategy, fidelity: float = 1.0) -> None:
        self.first = first
        self.base = base
        self.fidelity = fidelity

    def within(self, n_trials: int | None) -> "WarmStart":
        """The same strategy for a search of `n_trials` trials."""
        return WarmStart(self.first, within(self.base, n_trials), self.fidelity)

    def propose(self, history: View) -> Trial | None:
        """The next known configuration, then what the base proposes."""
        n_asked = sum("warm_start" in trial.tags for trial in history.trials)
        if n_asked < len(self.first):
            return Trial(len(history), self.first[n_asked], self.fidelity, {"warm_start": n_asked})
        return proposed_by(self.base, history)
