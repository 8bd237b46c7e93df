"""The loop: budgets, failures, interrupts."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from scipy.stats import uniform

from skauto.search._budget import Budget
from skauto.search._history import History
from skauto.search._loop import search
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search._workers import WorkerPool
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._random import Random
from tests.contracts.strategy import SimulatedPool, evaluate

SPACE = Space({"x": uniform(0, 1)})


@pytest.fixture
def history():
    return History(SPACE, seed=0)


class Recorder(Random):
    """Random search that notes how many results each ask could see."""

    def __init__(self):
        self.seen = []

    def propose(self, history):
        self.seen.append((len(history), len(history.finished)))
        return super().propose(history)


def simulated(n_workers=2, time_limit=None, n_iter=None):
    """A pool and a budget on one simulated clock."""
    pool = SimulatedPool(n_workers, seed=0)
    return pool, Budget(time_limit, n_iter, clock=lambda: pool.now)


def test_stops_after_n_iter(history):
    assert search(Random(), history, evaluate, *simulated(n_iter=10)) == "n_iter"
    assert len(history.results) == 10


def test_stops_at_the_time_limit_and_cancels_what_runs(history):
    pool, budget = simulated(time_limit=5.0)
    assert search(Random(), history, evaluate, pool, budget) == "time limit"
    assert pool.now == 5.0
    assert history.pending == []
    cancelled = [result for result in history.results.values() if result.status == Status.CANCELLED]
    assert [result.reason for result in cancelled] == ["time limit of the search"] * 2
    assert pool.running == []


def test_whichever_comes_first(history):
    assert search(Random(), history, evaluate, *simulated(time_limit=1e9, n_iter=3)) == "n_iter"


def test_finishes_with_its_strategy():
    history = History(Space({"x": [1, 2, 3]}), seed=0)
    assert search(Random(), history, evaluate, *simulated()) == "finished"
    assert len(history) == 3


def test_a_failed_trial_is_a_result(history):
    search(Random(), history, evaluate, *simulated(n_iter=8))
    assert history.results[6].status == Status.FAILED
    assert history.results[6].reason == "unlucky number"
    assert history.results[7].status == Status.COMPLETE


def test_count_mode_hides_what_lies_within_the_lag(history):
    strategy = Recorder()
    search(strategy, history, evaluate, *simulated(n_workers=4, n_iter=20), lag=3)
    assert strategy.seen == [(number, max(0, number - 3)) for number in range(20)]


def test_time_mode_sees_all_that_is_finished(history):
    strategy = Recorder()
    search(strategy, history, evaluate, *simulated(n_workers=1, n_iter=20))
    assert strategy.seen == [(number, number) for number in range(20)]


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_count_mode_waits_for_a_rung_in_order(n_workers):
    """An empty ask shows one more result at a time, so the rung's end comes at the same ask for all."""
    asked = []
    for workers in (1, n_workers):
        history = History(SPACE, seed=0)
        search(Halving(Random(), n_initial=9), history, evaluate, *simulated(workers, n_iter=30), lag=2)
        asked.append(history.trials)
    assert asked[0] == asked[1]
    assert {trial.tags["halving"]["rung"] for trial in asked[0]} == {0, 1, 2}


def test_what_was_asked_but_never_told_runs_first(history):
    for number in range(3):
        history.asked(Trial(number, {"branch": 0, "values": {"x": 0.5}}))
    history.told(Result(1, Status.COMPLETE, 0.0))
    search(Random(), history, evaluate, *simulated(n_workers=1, n_iter=4))
    assert sorted(history.results) == [0, 1, 2, 3]
    assert list(history.results) == [1, 0, 2, 3]


def test_the_hook_hears_of_every_result(history):
    heard = []
    search(
        Random(), history, evaluate, *simulated(time_limit=3.0),
        on_result=lambda history, trial, result: heard.append((trial.number, result.number, len(history.results))),
    )  # fmt: skip
    assert len(heard) == len(history)
    assert all(trial == result for trial, result, _ in heard)
    assert [count for *_, count in heard] == list(range(1, len(heard) + 1))


def test_each_trial_has_a_limit_from_the_seconds_left(history):
    limits = []

    class Pool(SimulatedPool):
        def submit(self, key, function, trial, time_limit=None):
            limits.append(time_limit)
            super().submit(key, function, trial)

    pool = Pool(1, seed=0)
    budget = Budget(time_limit=10, clock=lambda: pool.now)
    search(Random(), history, evaluate, pool, budget, trial_limit=lambda trial, remaining: remaining / 5)
    assert limits[0] == 2.0
    assert limits == sorted(limits, reverse=True)


def test_an_interrupt_keeps_the_results_and_a_second_one_passes(history):
    def interrupt(history, trial, result):
        if trial.number == 4 or (twice and result.status == Status.CANCELLED):
            raise KeyboardInterrupt

    twice = False
    pool, budget = simulated(n_workers=3)
    assert search(Random(), history, evaluate, pool, budget, on_result=interrupt) == "interrupted"
    assert history.pending == []
    assert history.results[4].status == Status.COMPLETE
    cancelled = [result for result in history.results.values() if result.status == Status.CANCELLED]
    assert {result.reason for result in cancelled} == {"interrupted"}
    twice = True
    with pytest.raises(KeyboardInterrupt):
        search(Random(), History(SPACE, seed=0), evaluate, *simulated(n_workers=3), on_result=interrupt)


def hang_or_score(context, trial):
    """One trial hangs, one kills its worker, the others score."""
    if trial.number == 1:
        while True:
            pass
    if trial.number == 2:
        os._exit(9)
    return {"score": trial.params["values"]["x"], "number": trial.number}


def test_bad_trials_do_not_end_a_search_in_real_workers(history):
    with WorkerPool(2) as pool:
        reason = search(
            Random(), history, hang_or_score, pool, Budget(n_iter=6), trial_limit=lambda trial, remaining: 4.0
        )
    assert reason == "n_iter"
    statuses = [history.results[number].status for number in range(6)]
    assert statuses == ["complete", "timeout", "crashed", "complete", "complete", "complete"]
    assert history.results[5].details["number"] == 5


SCRIPT = """
    import signal
    import time
    from scipy.stats import uniform
    from skauto.search._budget import Budget
    from skauto.search._history import History
    from skauto.search._loop import search
    from skauto.search._space import Space
    from skauto.search._workers import WorkerPool
    from skauto.search.strategies._random import Random

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start us deaf to it

    def evaluate(context, trial):
        if trial.number > 2:
            time.sleep(600)
        return {"score": trial.params["values"]["x"]}

    def show(history, trial, result):
        print(trial.number, result.status, flush=True)

    history = History(Space({"x": uniform(0, 1)}), seed=0)
    with WorkerPool(2) as pool:
        reason = search(Random(), history, evaluate, pool, Budget(time_limit=300), on_result=show)
    print(reason, history.best() is not None, len(history.pending))
"""


@pytest.mark.slow
def test_ctrl_c_on_a_running_script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(folder for folder in sys.path if folder)}
    command = [sys.executable, "-W", "error", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    first = sorted(process.stdout.readline().split() for _ in range(3))
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert first == [["0", "complete"], ["1", "complete"], ["2", "complete"]]
    assert output.splitlines()[-1] == "interrupted True 0"
    assert {line.split()[1] for line in output.splitlines()[:-1]} == {"cancelled"}
    assert (process.returncode, errors) == (0, "")
