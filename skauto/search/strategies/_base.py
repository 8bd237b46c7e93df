"""Strategy: the contract of everything that chooses trials."""

from skauto._seeds import child_rng
from skauto.search._trial import Status, Trial


class Strategy:
    """Chooses trials from a history; holds its settings and nothing else.

    A subclass writes `propose`: one trial, or None for "wait" (with nothing running: "finished"). It must be a pure
    function of the history: it changes nothing, draws from `rng` only, and what it has to remember rides on the tags
    of its trials. So a search can be replayed, resumed and given to any number of workers.

    Examples
    --------
    >>> from skauto.search import Space, Strategy
    >>> from skauto.search._history import History
    >>> from skauto.search.strategies._base import next_trial
    >>> class Always(Strategy):
    ...     def propose(self, history):
    ...         return next_trial(history, {"branch": 0, "values": {"C": 0}})
    >>> history = History(Space({"C": [1, 10]}), seed=0)
    >>> [trial.number for trial in Always().ask(history, 2)]
    [0, 1]
    """

    def ask(self, history, n):
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
        trials = []
        while len(trials) < n and (trial := self.propose(history.plus(trials))) is not None:
            trials.append(trial)
        return trials

    def propose(self, history):
        """The next trial, or None."""
        raise NotImplementedError(f"{type(self).__name__} must define propose")

    def __repr__(self):
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


def ask_rng(history):
    """The generator for the next ask: from the seed and the number of trials asked."""
    return child_rng(history.seed, "ask", len(history))


def next_trial(history, params, tags=None):
    """A trial that comes next in the history."""
    return Trial(len(history), params, tags=tags or {})


def sample_new(history, rng, tries=50):
    """Random params never asked before; in a space of infinite size any; None where all have been asked."""
    space = history.space
    if history.n_distinct >= space.size:
        return None
    for _ in range(tries):
        params = space.sample(rng)
        if not history.has_asked(params):
            return params
    return first_new(history) if space.size < float("inf") else params


def first_new(history):
    """The first params of the grid that were not asked, or None."""
    return next((params for params in history.space.grid() if not history.has_asked(params)), None)


def comparable(history, least):
    """Complete pairs (trial, result) of the highest fidelity that has at least so many, else of the fullest one."""
    levels = {}
    for trial, result in history.finished:
        if result.status == Status.COMPLETE:
            levels.setdefault(trial.fidelity, []).append((trial, result))
    enough = [fidelity for fidelity, pairs in levels.items() if len(pairs) >= least]
    if enough:
        return levels[max(enough)]
    return max(levels.values(), key=len, default=[])
