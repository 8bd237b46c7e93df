"""Trials on the workers of an executor: threads, processes, and a real Dask cluster of which a worker is killed."""

import logging
import os
import signal
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import cloudpickle
import numpy as np
import psutil
import pytest
from scipy.stats import uniform

from skauto.search import SearchCV, _executor_pool
from skauto.search._executor_pool import ExecutorPool, workers_of
from skauto.search._pool import WorkersLostError
from skauto.search._remote import CANCELLED, CONTEXT, LACKS, UNWANTED, _Child, _outcome, run_task, unpacked
from skauto.search._workers import WorkerPool
from tests.support import tasks
from tests.support.shaky import Shaky, X, Y, outcome


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def run(pool, function, *args, time_limit=None):
    pool.submit("a", function, *args, time_limit=time_limit)
    (outcome,) = pool.wait(60)
    return outcome


def test_a_task_runs_in_a_child_that_is_kept(threads):
    with ExecutorPool(threads, 1, context=10) as pool:
        first, second = run(pool, tasks.pid), run(pool, tasks.pid)
        assert run(pool, tasks.add, 5).value == 15
        assert os.getpid() not in (first.value, second.value)


@pytest.mark.slow
def test_limits_and_crashes_cost_one_task(threads):
    # Room for what an idle worker that other tests have left may have loaded already, PyTorch for example.
    with ExecutorPool(threads, 1, memory_limit=1_000_000_000) as pool:
        assert run(pool, tasks.spin, time_limit=1).status == "timeout"
        assert run(pool, tasks.eat).status == "memory"
        assert run(pool, tasks.segfault).status == "crashed"
        assert run(pool, tasks.fail).reason == "ValueError: no luck"
        assert run(pool, tasks.pid).status == "complete"


@pytest.mark.slow
def test_a_second_chance(threads, tmp_path):
    with ExecutorPool(threads, 1, max_attempts=2) as pool:
        assert run(pool, tasks.die_once, str(tmp_path / "died")).value == "lived"
        assert run(pool, tasks.die, 3).status == "crashed"


def test_a_worker_that_cannot_read_the_path_says_so_and_is_sent_the_context(threads, tmp_path):
    about = {"digest": "digest", "folder": str(tmp_path / "nothing"), "threads": 1, "memory_limit": None, "caller": b""}
    assert run_task(about, 0, None, b"", None) == LACKS
    with ExecutorPool(threads, 1, context={"secret": 7}) as pool:
        os.remove(os.path.join(pool._folder, CONTEXT))
        assert run(pool, dict.get, "secret").value == 7


def test_cancelled_tasks_are_not_heard(threads):
    with ExecutorPool(threads, 1) as pool:
        pool.submit("a", tasks.sleep, 0.2)
        pool.cancel("a")
        assert (pool.running, pool.free) == ([], 1)
        assert run(pool, tasks.pid).key == "a"


def test_a_task_that_is_not_wanted_does_not_run(tmp_path):
    (tmp_path / CANCELLED.format(3)).touch()
    assert run_task({"folder": str(tmp_path)}, 3, None, b"", None) == UNWANTED


def test_a_cancelled_task_ends_on_its_worker(threads, tmp_path):
    with ExecutorPool(threads, 1) as pool:
        note = tmp_path / "child"
        pool.submit("long", tasks.leak, str(note), 600)
        end = time.monotonic() + 120
        while not (note.exists() and note.read_text()) and time.monotonic() < end:
            pool.wait(0.05)
        pool.cancel("long")
        while psutil.pid_exists(int(note.read_text())) and time.monotonic() < end:
            time.sleep(0.05)
        assert time.monotonic() < end


def test_an_executor_that_is_shut_is_an_error():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with ExecutorPool(executor) as pool, pytest.raises(RuntimeError, match="takes no more work"):
        pool.submit("a", tasks.pid)


class Broken(Executor):
    """An executor that is lost with its tasks, as it says when asked, and never ends them."""

    _broken = "its only worker died"

    def submit(self, function, *args):
        return Future()


def test_an_executor_lost_without_a_word_is_noticed_in_short_waits_too(monkeypatch):
    monkeypatch.setattr(_executor_pool, "LOOK", 0.1)
    with ExecutorPool(Broken(), 1) as pool:
        pool.submit("a", tasks.pid)
        with pytest.raises(WorkersLostError, match="its only worker died"):
            for _ in range(100):
                assert pool.wait(0.02) == []


def test_a_task_whose_child_failed_is_not_left_to_the_next_one(monkeypatch):
    """Else the next task would be answered with the value of this one."""

    def lost(timeout):
        raise WorkersLostError("workers cannot start")

    with WorkerPool(1, context=10) as pool:
        child = _Child(pool, None)
        with monkeypatch.context() as patch, pytest.raises(WorkersLostError):
            patch.setattr(pool, "wait", lost)
            _outcome(child, 0, cloudpickle.dumps((tasks.add, (1,))), None)
        assert pool.running == []
        _, fields, _ = _outcome(child, 1, cloudpickle.dumps((tasks.add, (2,))), None)
        assert fields["value"] == 12
        pool.submit(2, unpacked, cloudpickle.dumps((tasks.add, (3,))))
        assert _outcome(child, 3, cloudpickle.dumps((tasks.add, (4,))), None)[1]["value"] == 14


def search(**settings):
    space = {"threshold": uniform(-1, 2)}
    settings = {"strategy": "genetic", "n_iter": 16, "cv": 3, "random_state": 0, **settings}
    return SearchCV(Shaky(seconds=0.02), space, **settings).fit(X, Y)


@pytest.mark.slow
def test_the_same_outcome_on_every_executor(threads):
    here = outcome(search())
    assert outcome(search(executor=threads)) == here
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert workers_of(processes) == 2
        assert outcome(search(executor=processes, trial_time_limit=60)) == here


@pytest.fixture
def cluster(monkeypatch, tmp_path):
    """Two Dask workers, processes of their own, over loopback."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    made = distributed.LocalCluster(
        **settings, host="127.0.0.1", local_directory=str(tmp_path), silence_logs=logging.CRITICAL
    )
    with made, distributed.Client(made) as client:
        yield client


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what Dask warns of when a worker is killed is its own
def test_a_dask_cluster_that_loses_a_worker_loses_no_trial(cluster):
    here = outcome(search(n_iter=30))
    victim = next(iter(cluster.run(os.getpid).values()))
    killer = threading.Timer(3.0, os.kill, (victim, signal.SIGKILL))
    killer.start()
    there = search(n_iter=30, executor=cluster.get_executor())
    killer.join()
    end = time.monotonic() + 5
    while victim in cluster.run(os.getpid).values() and time.monotonic() < end:
        time.sleep(0.1)
    assert victim not in cluster.run(os.getpid).values()
    assert {result.status for result in there.history_.results.values()} == {"complete"}
    assert outcome(there) == here
    assert np.isfinite(there.best_score_)
