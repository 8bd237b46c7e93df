"""Grid search: every configuration once, in scikit-learn's order."""

from skauto.search._history import View
from skauto.search._trial import Trial
from skauto.search.strategies._base import Strategy


class Grid(Strategy):
    """All configurations of a finite space in the order of scikit-learn's ParameterGrid; then finished.

    Raises
    ------
    ValueError
        When asked about a space with a continuous parameter; the message names it.

    Examples
    --------
    >>> from skauto.search._history import History
    >>> from skauto.search._space import Space
    >>> from skauto.search.strategies._grid import Grid
    >>> space = Space({"C": [1, 10]})
    >>> [space.decode(trial.params) for trial in Grid().ask(History(space, seed=0), 5)]
    [{'C': 1}, {'C': 10}]
    """

    def propose(self, history: View) -> Trial | None:
        """The next configuration that was not asked, or None at the end."""
        space = history.space
        space.grid()  # refuses an infinite space
        last = next((trial.tags["grid"] for trial in reversed(history.trials) if "grid" in trial.tags), -1)
        for index in range(last + 1, space.size):
            params = space.nth(index)
            if not history.has_asked(params):
                return self.next_trial(history, params, {"grid": index})
        return None
