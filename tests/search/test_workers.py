"""The pool, with real processes."""

import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pandas as pd
import psutil
import pytest
from scipy.sparse import csr_array

from skauto.search._channel import ready
from skauto.search._pool import Outcome, WorkersLostError
from skauto.search._trial import Status
from skauto.search._workers import WorkerPool
from tests.support import tasks

pytestmark = pytest.mark.usefixtures("way")


@pytest.fixture
def pool(way):
    with WorkerPool(1, context=10) as pool:
        yield pool


def outcome_of(pool, function, *args, **settings):
    """The outcome of one task."""
    pool.submit("key", function, *args, **settings)
    (outcome,) = pool.wait(60)
    assert outcome.key == "key"
    assert pool.running == []
    return outcome


def test_an_answer_that_waits_to_be_heard_is_no_timeout(pool):
    """The caller's process was busy with an import, and threw away what had come in time."""
    pool.submit("key", tasks.sleep, 0.5, time_limit=60)
    while not (pool._workers and pool._workers[0].task):
        assert pool.wait(0.05) == []
    worker = pool._workers[0]
    assert ready([worker.channel], 30)
    worker.task.started -= 1_000
    (outcome,) = pool.wait(30)
    assert outcome.status == Status.COMPLETE


def gone(pid, within=10):
    """Whether a process ends soon."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        process.wait(within)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_a_task_gets_the_context_and_its_arguments(pool):
    outcome = outcome_of(pool, tasks.add, 5)
    assert (outcome.status, outcome.value, outcome.reason) == (Status.COMPLETE, 15, "")
    assert outcome.seconds < 10
    assert 0 <= outcome.peak_memory < 100_000_000  # what it takes beside that with which its worker began


def test_functions_that_cannot_be_imported(pool):
    offset = 100
    assert outcome_of(pool, lambda context: context + offset).value == 110


@pytest.mark.parametrize(
    ("task", "args", "status", "reason"),
    [
        (tasks.fail, (), Status.FAILED, "ValueError: no luck"),
        (tasks.leave, (), Status.FAILED, "SystemExit: 3"),
        (tasks.lock, (), Status.FAILED, "the result cannot be pickled: TypeError: cannot pickle '_thread.lock' object"),
        (tasks.bad_return, (), Status.FAILED, "the result cannot be unpickled: OSError: the file is gone"),
        (tasks.ask_too_much, (), Status.MEMORY, "MemoryError"),
        (tasks.die, (3,), Status.CRASHED, "the worker process died (exit code 3): last words"),
        (tasks.segfault, (), Status.CRASHED, "the worker process died (signal SIGSEGV)"),
        (tasks.signal_self, (37,), Status.CRASHED, "the worker process died (signal 37)"),
    ],
)
def test_a_bad_task_is_an_outcome_with_its_reason(pool, task, args, status, reason):
    outcome = outcome_of(pool, task, *args)
    assert (outcome.status, outcome.reason, outcome.value) == (status, reason, None)
    assert outcome_of(pool, tasks.add, 1).value == 11


def test_a_second_chance(tmp_path):
    with WorkerPool(1, max_attempts=2) as pool:
        assert outcome_of(pool, tasks.die_once, str(tmp_path / "died")).value == "lived"
        assert outcome_of(pool, tasks.die, 3).reason == "the worker process died (exit code 3): last words"


def test_the_traceback_is_kept(pool):
    assert 'raise ValueError("no luck' in outcome_of(pool, tasks.fail).output


def test_a_task_that_cannot_be_pickled(pool):
    outcome = outcome_of(pool, tasks.add, threading.Lock())
    assert outcome.status == Status.FAILED
    assert outcome.reason == "the task cannot be pickled: TypeError: cannot pickle '_thread.lock' object"


@pytest.mark.parametrize(("task", "args"), [(tasks.sleep, (60,)), (tasks.spin, ())])
def test_a_task_that_hangs_is_killed_at_its_limit(pool, task, args):
    assert outcome_of(pool, tasks.add, 1).value == 11
    outcome = outcome_of(pool, task, *args, time_limit=0.3)
    assert (outcome.status, outcome.reason) == (Status.TIMEOUT, "took longer than its limit of 0.3 s")
    assert 0.3 <= outcome.seconds < 5
    assert outcome_of(pool, tasks.add, 1).value == 11


@pytest.mark.parametrize("task", [tasks.eat, tasks.eat_in_a_child])
def test_a_task_that_eats_memory_is_killed(task):
    with WorkerPool(1, memory_limit=250_000_000) as pool:
        outcome = outcome_of(pool, task)
    assert outcome.status == Status.MEMORY
    assert outcome.reason.endswith("MB of memory, the limit is 250 MB")
    assert 250e6 < outcome.peak_memory < 2e9


def test_what_a_killed_task_has_started_is_killed_too(pool, tmp_path):
    outcome = outcome_of(pool, tasks.leak, str(tmp_path / "pid"), 60, time_limit=1.0)
    assert outcome.status == Status.TIMEOUT
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_a_task_has_leaked_ends_with_the_pool(tmp_path):
    with WorkerPool(1) as pool:
        worker = outcome_of(pool, tasks.pid).value
        assert outcome_of(pool, tasks.leak, str(tmp_path / "pid")).status == Status.COMPLETE
    assert gone(int((tmp_path / "pid").read_text()))
    assert gone(worker)


@pytest.mark.filterwarnings("always")
def test_warnings_come_back_and_noise_does_not(pool, capfd):
    outcome = outcome_of(pool, tasks.warn)
    assert (outcome.value, *map(str, outcome.warnings)) == ("warned", "UserWarning: take care")
    assert (outcome.warnings[0].category, outcome.warnings[0].module) == (UserWarning, "tests.support.tasks")
    assert outcome_of(pool, tasks.shout).status == Status.COMPLETE
    assert capfd.readouterr() == ("", "")


def test_filters_of_the_caller_hold_in_workers(pool):
    outcome = outcome_of(pool, tasks.warn)  # warnings are errors in tests
    assert (outcome.status, outcome.reason) == (Status.FAILED, "UserWarning: take care")


def test_threads_of_a_worker():
    with WorkerPool(1, threads=3) as pool:
        assert outcome_of(pool, tasks.environment, "OMP_NUM_THREADS").value == "3"
        assert max(outcome_of(pool, tasks.blas_threads).value) <= 3


def test_several_at_once_and_a_queue():
    with WorkerPool(2, context=0) as pool:
        assert pool.free == 2
        for key in range(5):
            pool.submit(key, tasks.add, key)
        assert sorted(pool.running) == list(range(5))
        assert pool.free == 0
        outcomes = []
        while pool.running:
            outcomes += pool.wait(60)
    assert {outcome.key: outcome.value for outcome in outcomes} == {key: key for key in range(5)}


def test_wait_gives_up_and_has_nothing_to_wait_for(pool):
    assert pool.wait() == []
    pool.submit("long", tasks.sleep, 60)
    assert pool.wait(0.1) == []
    assert pool.running == ["long"]


def test_cancel_kills_a_running_and_a_queued_task(pool):
    process = outcome_of(pool, tasks.pid).value
    pool.submit("running", tasks.sleep, 60)
    pool.submit("queued", tasks.add, 1)
    pool.cancel("running")
    assert gone(process)
    pool.cancel("queued")
    pool.cancel("unheard of")
    assert pool.running == []
    assert outcome_of(pool, tasks.add, 1).value == 11


def test_a_worker_left_halfway_by_an_interrupt_is_replaced(pool):
    process = outcome_of(pool, tasks.pid).value
    pool.submit("lost", tasks.sleep, 60)
    pool._workers[0].state = "talking"
    (outcome,) = pool.wait(60)
    assert (outcome.key, outcome.status) == ("lost", Status.CRASHED)
    assert gone(process)
    assert outcome_of(pool, tasks.add, 1).value == 11


def test_closing_kills_what_runs():
    with WorkerPool(1) as pool:
        process = outcome_of(pool, tasks.pid).value
        pool.submit("long", tasks.sleep, 60)
    assert gone(process)


def test_each_pool_has_workers_of_its_own():
    pids, values = [], []
    for context in (1, 2):
        with WorkerPool(1, context=context) as pool:
            pids.append(outcome_of(pool, tasks.pid).value)
            values.append(outcome_of(pool, tasks.add, 0).value)
        assert gone(pids[-1])
    assert pids[0] != pids[1]
    assert values == [1, 2]


def test_a_context_that_cannot_be_loaded_fails_each_task():
    with WorkerPool(1, context=tasks.BrokenContext()) as pool:
        outcome = outcome_of(pool, tasks.add, 1)
    assert outcome.status == Status.FAILED
    assert outcome.reason == "the context cannot be loaded: OSError: the file is gone"


@pytest.mark.slow
def test_workers_that_cannot_start_end_in_an_error():
    with WorkerPool(1, context=tasks.DeadlyContext()) as pool:
        pool.submit("key", tasks.add, 1)
        with pytest.raises(WorkersLostError, match=r"workers cannot start: the worker process died \(exit code 7\)"):
            pool.wait(120)


def test_the_context_has_no_name_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with WorkerPool(1, context=1) as pool:
        assert outcome_of(pool, tasks.add, 1).value == 2
        assert os.listdir(tmp_path) == []


def scribble(context, what):
    """What a task finds in two arrays, before it spoils them."""
    found = float(context["X"].sum()), float(context["frame"]["a"].sum())
    context["X"][:] = what
    context["frame"].loc[:, "a"] = what
    return found, float(context["X"].sum()), os.getpid()


def test_a_task_that_scribbles_over_the_context_harms_no_other(way):
    context = {"X": np.ones((100, 3)), "frame": pd.DataFrame({"a": np.ones(50)})}
    with WorkerPool(2, context=context) as pool:
        for key in range(6):
            pool.submit(key, scribble, float(key + 2))
        outcomes = []
        while pool.running:
            outcomes += pool.wait(60)
    assert [outcome.value[0] for outcome in outcomes] == [(300.0, 50.0)] * 6
    assert {outcome.key: outcome.value[1] for outcome in outcomes} == {key: 300.0 * (key + 2) for key in range(6)}
    assert len({outcome.value[2] for outcome in outcomes}) <= 2  # the same workers, one task after the other
    assert (context["X"].sum(), context["frame"]["a"].sum()) == (300, 50)


def test_sparse_matrices_stay_as_a_task_has_sorted_them():
    """They note that they are sorted: to set the numbers back alone would make that untrue."""
    matrix = csr_array((np.array([1.0, 2.0]), np.array([1, 0]), np.array([0, 2])), shape=(1, 2))
    with WorkerPool(1, context=matrix) as pool:
        outcome_of(pool, lambda context: context.sort_indices())
        outcome = outcome_of(pool, lambda context: (context.has_sorted_indices, context.indices.tolist()))
    assert outcome.value[1] == [0, 1]


def shared_and_own(context):
    """Megabytes that this process maps with others or from a file, and that are its own."""
    float(context.sum())
    found = {"Pss": 0, "Anonymous": 0}
    with open("/proc/self/smaps") as lines:
        inside = False
        for line in lines:
            name = line.split()[0].rstrip(":")
            inside = "skauto" in line or "deleted" in line if "-" in name else inside
            if inside and name in found:
                found[name] += int(line.split()[1]) / 1000
    return found


def test_workers_map_the_data_and_do_not_copy_it():
    with WorkerPool(1, context=np.ones(5_000_000)) as pool:
        found = outcome_of(pool, shared_and_own).value
    assert found["Pss"] > 30 and found["Anonymous"] < 5


@pytest.mark.parametrize(
    ("value", "status", "reason"),
    [
        ({"score": 0.5, "folds": 3}, Status.COMPLETE, ""),
        ({"score": float("nan")}, Status.FAILED, "the score is not a finite number: nan"),
        ({"score": "high"}, Status.FAILED, "the score is not a finite number: 'high'"),
        (0.5, Status.FAILED, "the score is not a finite number: None"),
    ],
)
def test_outcome_as_result(value, status, reason):
    result = Outcome(4, Status.COMPLETE, value, seconds=2.0, peak_memory=7).as_result()
    assert (result.number, result.status, result.reason, result.seconds) == (4, status, reason, 2.0)
    assert result.details["peak_memory"] == 7
    if status == Status.COMPLETE:
        assert (result.score, result.details["folds"]) == (0.5, 3)


SCRIPT = """
    import os, sys, time
    from skauto.search._folders import TemporaryFolder
    from skauto.search._workers import WorkerPool

    class Model:
        def __init__(self, size):
            self.size = size

    def work(context, number):
        return os.getpid(), Model(context.size + number)

    def hold(context):
        time.sleep(600)
"""


def script(path, text):
    """A script without a guard for `__main__`, started on its own."""
    path.write_text(textwrap.dedent(SCRIPT) + textwrap.dedent(text))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(path)], stdout=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.slow
def test_a_plain_script_with_its_own_functions_and_classes(tmp_path):
    process = script(
        tmp_path / "plain.py",
        """
        with WorkerPool(1, context=Model(2)) as pool:
            pool.submit("key", work, 3)
            (outcome,) = pool.wait(60)
        print(type(outcome.value[1]) is Model, outcome.value[1].size, outcome.value[0])
        """,
    )
    output, _ = process.communicate(timeout=60)
    same_class, size, worker = output.split()
    assert (process.returncode, same_class, size) == (0, "True", "5")
    assert gone(int(worker))


@pytest.mark.slow
@pytest.mark.parametrize("task", ["hold", pytest.param("lambda context: 10 ** (10**9)", marks=pytest.mark.slow)])
def test_workers_end_when_their_parent_is_killed(tmp_path, task):
    process = script(
        tmp_path / "killed.py",
        f"""
        with WorkerPool(2, context=Model(2)) as pool:
            for key in "ab":
                pool.submit(key, work, 3)
            while pool.running:
                pool.wait(60)
            pool.submit("busy", {task}, time_limit=1)
            pool.wait(0.2)
            folder = TemporaryFolder()
            print(folder.path, *[worker.process.pid for worker in pool._workers], flush=True)
            time.sleep(600)
        """,
    )
    folder, *pids = process.stdout.readline().split()
    assert os.path.exists(folder)
    process.kill()
    process.communicate()
    assert len(pids) == 2
    assert [gone(int(pid), within=30) for pid in pids] == [True, True]
    # The server ends its workers first, and sweeps what the caller has left once it is sure that it has died.
    end = time.monotonic() + 30
    while os.path.exists(folder) and time.monotonic() < end:
        time.sleep(0.05)
    assert not os.path.exists(folder)


def test_a_pool_knows_how_long_its_workers_take_to_start(way):
    with WorkerPool(1, context=10) as pool:
        assert pool.start_seconds == 0
        assert outcome_of(pool, lambda context: context + 1).value == 11
        assert (pool.start_seconds > 0.5) == (way == "fresh")  # a fresh interpreter imports scikit-learn


def environment_of_a_worker(context):
    return {name: os.environ.get(name) for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"GOMP_SPINCOUNT": "10000", "OMP_WAIT_POLICY": None}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7", "OMP_WAIT_POLICY": None}),
        ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": None, "OMP_WAIT_POLICY": "active"}),
    ],
)
def test_threads_of_workers_give_cores_away_soon_unless_the_user_says_how(monkeypatch, said, expected):
    """Beside three busy processes LightGBM on two threads took twice the time, waiting on its cores."""
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with WorkerPool(1) as pool:
        pool.submit("a", environment_of_a_worker)
        assert pool.wait(60)[0].value == expected
