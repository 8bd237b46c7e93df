"""History: all trials in the order asked and their results, the only thing a strategy may read."""

from skauto.search._trial import Status


class View:
    """What a strategy may see of a history: all trials asked, the results of the first ``visible`` of them.

    Attributes
    ----------
    space : Space
        Where the trials lie.
    seed : int
        Root of all randomness; strategies derive their own with ``child_rng(seed, "ask", len(view))``.
    trials : list of Trial
        In the order asked; a trial's number is its place.
    """

    def __init__(self, space, seed, trials, results, in_order, keys, visible=None):
        self.space = space
        self.seed = seed
        self.trials = trials
        self._results = results
        self._in_order = in_order
        self._keys = keys
        self._visible = visible

    def __len__(self):
        return len(self.trials)

    def result(self, number):
        """The result of a trial, or None while it is not known."""
        if self._visible is not None and number >= self._visible:
            return None
        return self._results.get(number)

    @property
    def n_told_in_order(self):
        """How many trials have results with none missing before them."""
        return len(self._in_order) if self._visible is None else min(self._visible, len(self._in_order))

    @property
    def pending(self):
        """Trials asked whose results are not known."""
        return [trial for trial in self.trials[self.n_told_in_order :] if self.result(trial.number) is None]

    @property
    def finished(self):
        """Pairs (trial, result) of all known results, in the order asked."""
        rest = ((trial, self.result(trial.number)) for trial in self.trials[self.n_told_in_order :])
        return self._in_order[: self.n_told_in_order] + [pair for pair in rest if pair[1] is not None]

    def best(self, fidelity=1.0):
        """The pair (trial, result) of the highest score at a fidelity, the earlier on a tie; None without one."""
        complete = (
            pair for pair in self.finished if pair[1].status == Status.COMPLETE and pair[0].fidelity == fidelity
        )
        return max(complete, key=lambda pair: pair[1].score, default=None)

    @property
    def n_distinct(self):
        """Number of different configurations asked."""
        return len(self._keys)

    def has_asked(self, params):
        """Whether this configuration was asked before, at any fidelity."""
        return self.space.key(params) in self._keys

    def view(self, visible):
        """The same history as count mode shows it: results of trials 0 ... visible - 1 only."""
        return View(self.space, self.seed, self.trials, self._results, self._in_order, self._keys, visible)

    def plus(self, trials):
        """The same history as if these trials had been asked too."""
        if not trials:
            return self
        keys = self._keys | {self.space.key(trial.params) for trial in trials}
        trials = [*self.trials, *trials]
        return View(self.space, self.seed, trials, self._results, self._in_order, keys, self._visible)


class History(View):
    """All trials and results of one search.

    Parameters
    ----------
    space : Space
        Where the trials lie.
    seed : int
        Root of all randomness of the search.

    Examples
    --------
    >>> from skauto.search._history import History
    >>> from skauto.search._space import Space
    >>> from skauto.search._trial import Result, Status, Trial
    >>> space = Space({"C": [1, 10]})
    >>> history = History(space, seed=0)
    >>> history.asked(Trial(0, space.encode({"C": 10})))
    >>> history.told(Result(0, Status.COMPLETE, score=0.5))
    >>> trial, result = history.best()
    >>> space.decode(trial.params)
    {'C': 10}
    """

    def __init__(self, space, seed):
        super().__init__(space, seed, trials=[], results={}, in_order=[], keys=set())

    @property
    def results(self):
        """Results by trial number, in the order told. Not to be changed."""
        return self._results

    def asked(self, trial):
        """Add a trial."""
        if trial.number != len(self.trials):
            raise ValueError(f"trial number {trial.number} is out of order: {len(self.trials)} comes next")
        self.trials.append(trial)
        self._keys.add(self.space.key(trial.params))

    def told(self, result):
        """Add the result of a trial asked before."""
        if not 0 <= result.number < len(self.trials):
            raise ValueError(f"result for trial {result.number}, which was never asked")
        if result.number in self._results:
            raise ValueError(f"trial {result.number} has a result already")
        self._results[result.number] = result
        while (number := len(self._in_order)) in self._results:
            self._in_order.append((self.trials[number], self._results[number]))
