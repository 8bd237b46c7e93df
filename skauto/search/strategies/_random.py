"""Random search (Bergstra and Bengio 2012)."""

from skauto.search._history import View
from skauto.search._trial import Trial
from skauto.search.strategies._base import Strategy, sample_new


class Random(Strategy):
    """Independent random configurations, none of them twice; finished when a finite space is exhausted.

    References
    ----------
    Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012, section 2.

    Examples
    --------
    >>> from skauto.search._history import History
    >>> from skauto.search._space import Space
    >>> from skauto.search.strategies._random import Random
    >>> history = History(Space({"C": [1, 10]}), seed=0)
    >>> len(Random().ask(history, 5))
    2
    """

    def propose(self, history: View) -> Trial | None:
        """A configuration not asked before, or None when there is none."""
        params = sample_new(history, self.rng(history))
        return None if params is None else self.next_trial(history, params)
