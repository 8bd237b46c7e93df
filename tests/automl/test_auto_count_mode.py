"""Count mode: the same leaderboard and the same model on any number of workers and in every run."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification

from skauto import AutoClassifier
from skauto.automl._progress import Progress
from skauto.automl._search_step import run_search
from skauto.automl._settings import settings_of
from skauto.automl._time_budget import Phases
from skauto.automl.selection._interrupts import Interrupts
from skauto.automl.selection._rescue import RescuePool
from skauto.search._history import History
from skauto.search._sequential import SequentialPool
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._random import Random
from tests.support.autos import SECONDS, X, Y, quick
from tests.support.clock import Clock
from tests.support.trials import small_plan

# Half of the targets here have 0 as the rarer class, which is said; one test is about that.
pytestmark = pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")

LABELS = np.array(["no", "yes"])


def outcome(X=X, y=Y, **changes):
    """What must not depend on workers: the leaderboard without its seconds, and probabilities."""
    auto = quick(n_iter=9, **changes).fit(X, y)
    return auto.leaderboard(details=True).drop(columns=SECONDS), auto.predict_proba(X), auto.threshold_


def same(one, two):
    pd.testing.assert_frame_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    assert one[2] == two[2]


def test_two_runs_are_the_same():
    same(outcome(n_jobs=1), outcome(n_jobs=1))


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["random", "genetic", "bayes", "auto"])
def test_one_and_two_workers(strategy):
    same(outcome(strategy=strategy, n_jobs=1), outcome(strategy=strategy, n_jobs=2))


@pytest.mark.slow
@pytest.mark.lightgbm
def test_one_and_two_workers_with_boosting_and_forests():
    settings = {"candidates": ["lightgbm", "extra_trees", "hist_boosting"], "strategy": "random"}
    same(outcome(**settings, n_jobs=1), outcome(**settings, n_jobs=2))


@pytest.mark.slow
def test_one_and_two_workers_under_halving():
    X, y = make_classification(1000, 5, flip_y=0.2, random_state=0)
    strategy = Halving(Random(), min_fidelity=1 / 3, n_initial=3)
    one, two = (outcome(X, y, strategy=strategy, n_jobs=n) for n in (1, 2))
    assert (one[0]["fidelity"] < 1).any()
    same(one, two)


@pytest.mark.slow
def test_another_seed_is_another_search():
    one, two = (outcome(random_state=seed)[0]["params"].tolist() for seed in (0, 1))
    assert one != two


# Loaded by Python at its start, in workers too: all clocks go ten times faster.
FAST_CLOCKS = """
import time

def sped_up(clock):
    began = clock()
    return lambda: began + 10 * (clock() - began)

for name in ("monotonic", "perf_counter", "process_time", "thread_time", "time"):
    setattr(time, name, sped_up(getattr(time, name)))
"""

# A fit that tries candidates of every sort; what it gives, as text.
A_FIT = """
from sklearn.datasets import make_classification

from skauto import AutoClassifier

if __name__ == "__main__":
    X, y = make_classification(200, 8, n_informative=5, weights=[0.7], flip_y=0.1, random_state=1)
    model = AutoClassifier(
        candidates=["lightgbm", "extra_trees", "svm", "logistic", "mlp"], time_limit=None, n_iter=6, cv=2, n_jobs=2,
        pos_label=1, random_state=3, verbose=0,
    ).fit(X, y)
    board = model.leaderboard(details=True)
    print(board.drop(columns=[name for name in board if "seconds" in name or "time" in name]).to_csv())
    print(model.predict_proba(X).tobytes().hex(), model.threshold_, model.honest_score_, model.honest_interval_)
"""


def printed(tmp_path, folder, command=()):
    """What the fit prints in a fresh interpreter, which loads what lies in a folder."""
    script = tmp_path / "fit.py"
    script.write_text(A_FIT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    run = [*command, sys.executable, str(script)]
    return subprocess.run(run, capture_output=True, text=True, check=True, env=environment).stdout


@pytest.mark.slow
def test_neither_the_clock_nor_the_number_of_cores_matters(tmp_path):
    fast = tmp_path / "fast"
    fast.mkdir()
    (fast / "sitecustomize.py").write_text(FAST_CLOCKS)
    as_it_is = printed(tmp_path, tmp_path)
    assert printed(tmp_path, fast) == as_it_is
    if hasattr(os, "sched_getaffinity"):
        core = str(min(os.sched_getaffinity(0)))
        assert printed(tmp_path, tmp_path, ["taskset", "--cpu-list", core]) == as_it_is


def test_a_timed_search_that_goes_on_from_a_journal_keeps_time_for_its_finish(monkeypatch):
    """What the journal holds is to be refitted too, though no trial of this run may end."""
    plan, clock, reserves = small_plan(), Clock(), []
    history = History(plan.space, 0)
    history.asked(Trial(0, plan.initial[0]))
    details = {"fold_scores": [0.5], "fit_seconds": 1.0, "proba": np.eye(2)}
    history.told(Result(0, Status.COMPLETE, 0.5, 3.0, details=details))

    def search(strategy, history, evaluate, pool, budget, **_):
        reserves.append(budget.reserve)
        return "time limit"

    monkeypatch.setattr("skauto.automl._search_step.search", search)
    monkeypatch.setattr("skauto.automl._search_step.begin_history", lambda *_: history)
    pool, phases = RescuePool(SequentialPool(plan.context), LABELS, 100), Phases(100, clock)
    settings = settings_of(AutoClassifier(time_limit=100).get_params(deep=False))
    runtime = SimpleNamespace(
        settings=settings, phases=phases, progress=Progress(0, 100, clock()), pool=pool, journal=None, seed=0,
        interrupts=Interrupts(), start_workers=lambda *_: None,
    )  # fmt: skip
    run_search(runtime, plan, SimpleNamespace(classes=LABELS))
    assert reserves == [phases.for_finish() + 2.0]  # for the honest scores
