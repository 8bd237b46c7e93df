"""A recurrent controller, trained by REINFORCE, that writes configurations token by token."""

from functools import partial
from typing import cast

import numpy as np

from skauto._seeds import child_rng
from skauto.search._history import View
from skauto.search._trial import Status, Trial
from skauto.search._types import Pair, Params
from skauto.search.strategies._base import Strategy, sample_new
from skauto.search.strategies._controller import Controller, Tokens
from skauto.search.strategies._failures import Failures

TRIES = 60  # configurations written before a random one is taken instead
HEATING = 1.05  # of each that was asked before: what comes next lies a little further from the most probable
RECENT = 5  # batches whose mean reward is what a trial is compared with


class Reinforce(Strategy):
    """A small recurrent network samples the branch, then a cell of each of its dimensions; policy gradients train it.

    Ordered dimensions of more than `cells` values have `cells` cells, and the value lies anywhere in its cell. After
    each `batch` trials that are told in order the weights make one step along the policy gradient, with the trial's
    score, standardised over all trials so far and less the mean of the latest, as the reward. A configuration that was
    asked before is sampled again at a higher temperature, so that a converged controller tries the surroundings. The
    weights are a function of the seed and of these trials: they are replayed from the history, never stored, and each
    batch is learnt once for a history.

    Parameters
    ----------
    batch : int, default=10
        Trials between two updates; the first `batch` trials are random.
    cells : int, default=8
        Cells of a continuous dimension.
    hidden_size : int, default=16
        Width of the recurrent layer.
    lr : float, default=0.05
        Step size of Adam.
    entropy : float, default=0.05
        Weight of the entropy of the tokens, which keeps the controller from converging too early.

    References
    ----------
    Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement learning", Machine
    Learning 8, 1992. Zoph and Le, "Neural architecture search with reinforcement learning", ICLR 2017, section 3.

    Examples
    --------
    >>> from skauto.search import Reinforce, maximize
    >>> space = {name: ["a", "b", "c"] for name in "wxyz"}
    >>> history = maximize(lambda params: list(params.values()).count("b"), space, strategy=Reinforce(), n_iter=60,
    ...                    random_state=0)
    >>> history.best()[1].score
    4.0
    """

    def __init__(
        self, batch: int = 10, cells: int = 8, hidden_size: int = 16, lr: float = 0.05, entropy: float = 0.05
    ) -> None:
        self.batch = batch
        self.cells = cells
        self.hidden_size = hidden_size
        self.lr = lr
        self.entropy = entropy

    def propose(self, history: View) -> Trial | None:
        """What the controller samples, if it is new."""
        rng = self.rng(history)
        if history.n_distinct >= history.space.size:
            return None
        n_batches = history.n_told_in_order // self.batch
        if len(history) >= self.batch and n_batches:
            tokens = Tokens(history.space, self.cells)
            controller = self._trained(history, tokens, n_batches)
            failures = Failures(history)
            for n_known in range(TRIES):
                params = tokens.params(controller.write(tokens, rng, HEATING**n_known), rng)
                if not history.has_asked(params) and not failures.shuns(params, rng):
                    return self.next_trial(history, params)
        return self.next_trial(history, cast(Params, sample_new(history, rng)))

    def _trained(self, history: View, tokens: Tokens, n_batches: int) -> Controller:
        """The controller after some batches; what this history knows already is not learnt again."""
        rng = child_rng(history.seed, "controller")
        controller = history.remember((repr(self), 0), lambda: Controller(tokens.sizes, self.hidden_size, rng))
        for number in range(1, n_batches + 1):
            learn = partial(self._learn, history, tokens, controller, number)
            controller = history.remember((repr(self), number), learn)
        return controller

    def _learn(self, history: View, tokens: Tokens, controller: Controller, number: int) -> Controller:
        """The controller after one more batch."""
        pairs = history.finished[: number * self.batch]
        written = [tokens.of(trial.params) for trial, _ in pairs[-self.batch :]]
        rewards = _standardised(pairs)
        # What the controller writes becomes good: compared with all trials so far, all of it would be rewarded, the
        # probable ever more, until it writes a single configuration.
        rewards = rewards[-self.batch :] - rewards[-RECENT * self.batch :].mean()
        return controller.trained(written, rewards, self.lr, self.entropy)


def _standardised(pairs: list[Pair]) -> np.ndarray:
    """Scores of mean 0 and deviation 1 within each fidelity; failures are the worst of all, cancelled trials 0."""
    rewards = np.zeros(len(pairs))
    for fidelity in {trial.fidelity for trial, _ in pairs}:
        inside = [i for i, (t, r) in enumerate(pairs) if t.fidelity == fidelity and r.status == Status.COMPLETE]
        scores = np.array([pairs[i][1].score for i in inside])
        if len(inside) > 1:
            rewards[inside] = (scores - scores.mean()) / (scores.std() or 1.0)
    failed = [i for i, (_, r) in enumerate(pairs) if r.status not in (Status.COMPLETE, Status.CANCELLED)]
    rewards[failed] = min(-1.0, rewards.min())
    return rewards.clip(-3, 3)
