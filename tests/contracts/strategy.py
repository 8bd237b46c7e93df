"""What every strategy must do; a strategy's test class inherits these and says how to make one."""

import copy
import heapq
import math

import numpy as np
import pytest
from scipy.stats import loguniform, randint, uniform

from skauto.search._budget import Budget
from skauto.search._history import History
from skauto.search._loop import search
from skauto.search._maximize import maximize
from skauto.search._pool import Outcome
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search._workers import WorkerPool
from skauto.search.strategies._base import parent

CHOICES = [None, "passthrough", (1, 2), {"deep": 1}]
FINITE = {"a": [1, 2, 3], "b": CHOICES}
BOWL = {name: uniform(0, 1) for name in "abcd"}
MIXED = [{"C": loguniform(1e-3, 1e3), "n": randint(1, 50), "kind": CHOICES}, {"x": uniform(0, 1)}, {}]


def score(params):
    """A smooth score with a best point in each branch."""
    values = params["values"]
    total = sum(math.sin(3 * value + index) for index, value in enumerate(values.values()))
    return total / (1 + len(values)) - 0.1 * params["branch"]


def evaluate(context, trial):
    """What the loop submits; every seventh trial fails."""
    if trial.number % 7 == 6:
        raise ValueError("unlucky number")
    return {"score": score(trial.params) + context * trial.fidelity}


class SimulatedPool:
    """As many workers as asked for on a simulated clock; how long a trial takes is random, so any may end first."""

    def __init__(self, n_workers, seed):
        self.n_workers = n_workers
        self.rng = np.random.default_rng(seed)
        self.now = 0.0
        self._heap = []

    @property
    def running(self):
        return [outcome.key for _, _, outcome in self._heap]

    @property
    def free(self):
        return self.n_workers - len(self._heap)

    def submit(self, key, function, trial, time_limit=None):
        seconds = float(self.rng.exponential())
        try:
            outcome = Outcome(key, Status.COMPLETE, function(0.1, trial), seconds=seconds)
        except ValueError as error:
            outcome = Outcome(key, Status.FAILED, reason=str(error), seconds=seconds)
        heapq.heappush(self._heap, (self.now + seconds, key, outcome))

    def wait(self, timeout):
        end, _, outcome = self._heap[0]
        if end > self.now + timeout:
            self.now += timeout
            return []
        heapq.heappop(self._heap)
        self.now = end
        return [outcome]

    def cancel(self, key):
        self._heap = [entry for entry in self._heap if entry[1] != key]
        heapq.heapify(self._heap)


def run(strategy, space, n_iter, *, pool=None, lag=None, seed=0):
    """The history of a search."""
    history = History(Space(space), seed)
    search(strategy, history, evaluate, pool or SimulatedPool(1, seed=0), Budget(n_iter=n_iter), lag=lag)
    return history


def bowl(params):
    """Highest where all parameters are 0.7."""
    return -sum((value - 0.7) ** 2 for value in params.values())


def mean_best(strategy, function, space, *, n_iter=100, n_seeds=4, **settings):
    """The mean over seeds of the best score that a strategy finds of a function."""
    found = [
        maximize(function, space, strategy=strategy, n_iter=n_iter, random_state=seed, **settings)
        for seed in range(n_seeds)
    ]
    return np.mean([history.best()[1].score for history in found])


def snapshot(history):
    """All that a history holds, as a copy."""
    results = {number: result.to_json() for number, result in history.results.items()}
    return copy.deepcopy(([trial.to_json() for trial in history.trials], results, history.seed, len(history)))


class StrategyContract:
    """Tests shared by all strategies."""

    spaces = (FINITE, MIXED)
    n_iter = 40

    def make(self):
        """The strategy, with settings that let `n_iter` trials reach all that it does."""
        raise NotImplementedError

    def test_proposals_lie_in_the_space(self):
        for space in self.spaces:
            history = run(self.make(), space, self.n_iter)
            assert len(history) > 0
            for number, trial in enumerate(history.trials):
                assert trial.number == number
                assert history.space.contains(trial.params)
                assert 0 < trial.fidelity <= 1

    def test_trials_survive_json(self):
        import json

        for trial in run(self.make(), self.spaces[-1], self.n_iter).trials:
            assert Trial.from_json(json.loads(json.dumps(trial.to_json()))) == trial

    def test_ask_changes_nothing_and_repeats_itself(self):
        strategy = self.make()
        history = run(strategy, self.spaces[-1], self.n_iter - 5)
        before, settings = snapshot(history), copy.deepcopy(vars(strategy))
        first = strategy.ask(history, 3)
        assert strategy.ask(history, 3) == first
        assert snapshot(history) == before
        assert str(vars(strategy)) == str(settings)

    def test_many_at_once_are_the_same_as_one_after_another(self):
        strategy = self.make()
        history = run(strategy, self.spaces[-1], self.n_iter - 5)
        together = strategy.ask(history, 3)
        single = []
        for _ in range(3):
            for trial in strategy.ask(history, 1):
                history.asked(trial)
                single.append(trial)
        assert together == single

    def test_replay_gives_the_same_next_ask(self):
        history = run(self.make(), self.spaces[-1], self.n_iter - 5)
        replayed = History(Space(self.spaces[-1]), history.seed)
        for trial in history.trials:
            replayed.asked(Trial.from_json(trial.to_json()))
        for number in reversed(range(len(history))):
            replayed.told(Result.from_json(history.results[number].to_json()))
        assert self.make().ask(replayed, 3) == self.make().ask(history, 3)

    def test_another_seed_or_none_at_all(self):
        """The seed is the only source of randomness."""
        params = [
            [t.params for t in run(self.make(), self.spaces[-1], min(self.n_iter, 15), seed=s).trials]
            for s in (0, 0, 1)
        ]
        assert params[0] == params[1]
        self.check_other_seed(params[0], params[2])

    def check_other_seed(self, one, other):
        assert one != other

    def test_a_finite_space_is_tried_once_and_ends(self):
        history = History(Space(FINITE), seed=0)
        reason = search(self.make(), history, evaluate, SimulatedPool(2, seed=0), Budget(n_iter=500))
        full = [history.space.key(trial.params) for trial in history.trials if parent(trial) is None]
        assert reason == "finished"
        assert len(full) == len(set(full))
        assert history.n_distinct <= history.space.size

    def test_survives_when_everything_fails(self):
        """It goes on asking, and never for what has failed already."""
        strategy, history = self.make(), History(Space(self.spaces[-1]), seed=0)
        for _ in range(self.n_iter):
            for trial in strategy.ask(history, 1):
                history.asked(trial)
                history.told(Result(trial.number, Status.FAILED, reason="always"))
        keys = [history.space.key(trial.params) for trial in history.trials if parent(trial) is None]
        assert history.best() is None
        assert len(set(keys)) >= min(self.n_iter, 5)
        assert len(set(keys)) >= 0.9 * len(keys)

    @pytest.mark.parametrize("finishing_order", [1, 2])
    def test_count_mode_is_the_same_on_any_number_of_workers(self, finishing_order):
        reference = snapshot(run(self.make(), self.spaces[-1], self.n_iter, lag=3))
        for n_workers in (2, 4):
            pool = SimulatedPool(n_workers, seed=finishing_order)
            trials, results, *_ = snapshot(run(self.make(), self.spaces[-1], self.n_iter, pool=pool, lag=3))
            assert trials == reference[0]
            assert {n: r["score"] for n, r in results.items()} == {n: r["score"] for n, r in reference[1].items()}

    def test_count_mode_in_real_workers(self):
        simulated = run(self.make(), self.spaces[-1], 12, lag=3)
        with WorkerPool(2, context=0.1) as pool:
            real = run(self.make(), self.spaces[-1], 12, pool=pool, lag=3)
        assert real.trials == simulated.trials
        assert {n: r.score for n, r in real.results.items() if r.status == "complete"} == {
            n: r.score for n, r in simulated.results.items() if r.status == "complete"
        }

    def test_resumes_after_any_kill_as_if_nothing_had_happened(self):
        whole = run(self.make(), self.spaces[-1], self.n_iter, lag=3)
        for n_kept in (self.n_iter // 4, self.n_iter // 2):
            resumed = History(Space(self.spaces[-1]), whole.seed)
            for trial in whole.trials[:n_kept]:
                resumed.asked(trial)
            for number in range(n_kept - 2):
                resumed.told(whole.results[number])
            search(self.make(), resumed, evaluate, SimulatedPool(2, seed=5), Budget(n_iter=self.n_iter), lag=3)
            assert resumed.trials == whole.trials
