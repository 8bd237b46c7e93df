"""Fork servers, with real processes."""

import logging
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from skauto.automl._runtime import NETS, PRELOAD
from skauto.estimators import MLPClassifier
from skauto.search._servers import SERVERS, ForkServer, can_fork, key_of_a_server
from skauto.search._trial import Status
from skauto.search._workers import WorkerPool
from tests.support import tasks

pytestmark = pytest.mark.skipif(not can_fork(), reason="workers are not forked here")
HEAVY = ("torch", "lightgbm", "pandas", "sklearn", "tests")


def outcome_of(pool, function, *args, **settings):
    """The outcome of one task."""
    pool.submit("key", function, *args, **settings)
    while not (outcomes := pool.wait(60)):
        pass
    return outcomes[0]


def value_of(function, *args, **settings):
    """What a task gives in a pool of its own."""
    with WorkerPool(1, **settings) as pool:
        outcome = outcome_of(pool, function, *args)
    assert outcome.status == Status.COMPLETE, outcome.output
    return outcome.value


def gone(pid, within=20):
    """Whether a process ends soon."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def server_pid():
    return SERVERS.server(False).process.pid


def parent(context):
    return os.getppid()


def descriptors(context):
    """What the descriptors of a worker are, by number."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with_path = f"/proc/self/fd/{name}"
        if os.path.exists(with_path) or os.path.islink(with_path):
            found[int(name)] = os.readlink(with_path)
    return {number: path for number, path in found.items() if not path.endswith("/fd")}


def place(context):
    """What a process takes over from its caller, and what it has of its own."""
    mask = os.umask(0)
    os.umask(mask)
    pid, group, session = os.getpid(), os.getpgrp(), os.getsid(0)
    return {
        "mask": mask,
        "folder": os.getcwd(),
        "variable": os.environ.get("SKAUTO_TEST_VARIABLE"),
        "hour": time.localtime(0).tm_hour,
        "path": sys.path[0],
        "allocator": os.environ.get("JE_ARROW_MALLOC_CONF"),
        "leads": pid == group == session,
        "main": sorted(vars(sys.modules["__main__"]).keys() & {"WorkerPool", "pytest"}),
        "interrupts": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
    }


def draws(context):
    return random.random(), np.random.random()


def threads_of_pools(context):
    """The threads that libraries of one process take, by what they are for."""
    from threadpoolctl import threadpool_info

    return {(pool["user_api"], pool["num_threads"]) for pool in threadpool_info()}


def loaded(context):
    return sorted(name for name in HEAVY if name in sys.modules)


def test_workers_come_from_one_server_and_it_is_no_child_of_theirs():
    parents = {value_of(parent) for _ in range(2)}
    assert parents == {server_pid()}


def test_without_forks_workers_are_children_of_the_caller(monkeypatch):
    monkeypatch.setenv("SKAUTO_FORKSERVER", "0")
    assert not can_fork()
    with WorkerPool(1) as pool:
        assert outcome_of(pool, parent).value == os.getpid()


def test_a_worker_holds_its_channel_its_log_and_its_life_line_alone():
    found = value_of(descriptors)
    assert sorted(found)[:3] == [0, 1, 2]
    assert found[0] == "/dev/null" and found[1] == found[2] and "deleted" in found[1]
    others = sorted(path.split(":")[0] for number, path in found.items() if number > 2)
    assert [path.endswith("(deleted)") for path in others] == [True, False, False]  # the context, mapped
    assert others[1:] == ["pipe", "socket"]


def test_a_worker_takes_its_place_from_the_caller(tmp_path, monkeypatch):
    value_of(parent)  # the server is there, and knows nothing of what follows
    server = server_pid()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKAUTO_TEST_VARIABLE", "7")
    monkeypatch.setenv("TZ", "UTC-5")
    monkeypatch.syspath_prepend(str(tmp_path))
    mask = os.umask(0o027)
    try:
        found = value_of(place)
    finally:
        os.umask(mask)
    assert found == {
        "mask": 0o027, "folder": str(tmp_path), "variable": "7", "hour": 5, "path": str(tmp_path), "allocator": None,
        "leads": True, "main": [], "interrupts": True,
    }  # fmt: skip
    assert server_pid() == server  # a folder of the user's on the import path is nothing to it


def test_workers_draw_each_their_own_numbers():
    found = [value_of(draws) for _ in range(3)]
    assert len({number for pair in found for number in pair}) == 6


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_of_a_forked_worker(n_threads):
    found = value_of(threads_of_pools, threads=n_threads, preload=("lightgbm",))
    assert {kind for kind, _ in found} >= {"blas", "openmp"}
    assert {number for _, number in found} == {n_threads}


def test_a_worker_loads_what_the_server_has_not():
    assert "tests" not in value_of(lambda context: [name for name in ("tests",) if name in sys.modules])
    assert "tests" in value_of(loaded)


@pytest.mark.slow
def test_networks_and_tables_never_share_a_server():
    pytest.importorskip("torch")

    def is_deep(function, args):
        return args == ("deep",)

    with WorkerPool(1, deep_preload=("torch",), is_deep=is_deep) as pool:
        pids = {}
        for kind in ("deep", "table", "deep", "table"):
            pool.submit(kind, lambda context, kind: (kind, os.getpid(), os.getppid(), "torch" in sys.modules), kind)
        while pool.running:
            assert len(pool._workers) <= 1
            for outcome in pool.wait(60):
                kind, pid, server, has_torch = outcome.value
                assert has_torch == (kind == "deep")
                pids.setdefault(kind, set()).add((pid, server))
    assert len({server for found in pids.values() for _, server in found}) == 2
    assert not {pid for pid, _ in pids["deep"]} & {pid for pid, _ in pids["table"]}


def test_where_the_server_has_a_thread_the_worker_is_a_fresh_interpreter(monkeypatch, caplog):
    """A thread that holds a lock would not be there in the child to give it back."""
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")  # a server of this test's own
    with caplog.at_level(logging.WARNING, "skauto"), WorkerPool(1, preload=("tests.support.starts_a_thread",)) as pool:
        assert outcome_of(pool, parent).value == os.getpid()
    assert "the fork server has the threads python" in caplog.text
    SERVERS.server(False).end()


@pytest.mark.parametrize("modules", [PRELOAD, pytest.param(PRELOAD + NETS, marks=pytest.mark.slow)])
def test_nothing_that_a_fit_has_imported_leaves_a_thread(modules, caplog, monkeypatch):
    """Else each worker would be a fresh interpreter."""
    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")  # a server of this test's own
    assert value_of(parent, preload=modules) == server_pid()
    assert caplog.text == ""


@pytest.mark.parametrize("variable", ["PYTHONHASHSEED", "OMP_WAIT_POLICY"])
def test_another_server_where_libraries_would_read_something_else(monkeypatch, variable):
    first = server_pid()
    assert server_pid() == first
    monkeypatch.setenv("SKAUTO_TEST_VARIABLE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # each worker has its own anyway
    assert server_pid() == first
    monkeypatch.setenv(variable, "1" if variable == "PYTHONHASHSEED" else "passive")
    second = server_pid()
    assert second != first
    assert gone(first)  # it has no workers
    assert value_of(parent) == second


def test_a_server_that_is_replaced_serves_until_its_workers_have_ended(monkeypatch):
    with WorkerPool(1) as pool:
        first = outcome_of(pool, parent).value
        monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
        assert value_of(parent) != first
        assert outcome_of(pool, tasks.die, 3).reason == "the worker process died (exit code 3): last words"
    assert gone(first)


def test_a_folder_of_the_users_is_no_place_for_packages(tmp_path, monkeypatch):
    before = key_of_a_server()
    (tmp_path / "lightgbm.py").write_text("raise SystemExit(9)")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert key_of_a_server() == before
    assert str(tmp_path) not in before[1]


def test_a_forked_child_of_the_caller_has_a_server_of_its_own():
    first = server_pid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writing, b"%d" % value_of(parent))
            SERVERS.end()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    second = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    assert second != first and gone(second)
    assert value_of(parent) == first == server_pid()


def test_threads_may_ask_at_once():
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda number: value_of(tasks.add, 1, context=number), range(12)))
    assert found == [number + 1 for number in range(12)]


def test_a_server_leaves_when_nobody_wants_anything():
    server = ForkServer(key_of_a_server(), idle_seconds=1)
    assert server.process.wait(60) == 0
    assert server.said(1) == {} and server.lost


def test_workers_keep_their_server():
    with WorkerPool(1) as pool:
        server = outcome_of(pool, parent).value
        assert not gone(server, within=0.2)
    assert not gone(server, within=0.2)


@pytest.mark.parametrize("when", ["before", "between", "in a task"])
def test_a_killed_server_costs_nothing(when):
    """What runs goes on, what is to start comes from another one."""
    first = server_pid()
    with WorkerPool(2, context=10, max_attempts=2) as pool:
        if when != "before":
            assert outcome_of(pool, tasks.add, 1).value == 11
        if when == "in a task":
            pool.submit("long", tasks.sleep, 1)
        os.kill(first, signal.SIGKILL)
        for key in range(3):
            pool.submit(key, tasks.add, key)
        pool.submit("dies", tasks.die, 3)
        found = {}
        while pool.running:
            found |= {outcome.key: outcome for outcome in pool.wait(60)}
    assert [found[key].value for key in range(3)] == [10, 11, 12]
    assert found["dies"].status == Status.CRASHED
    if when == "in a task":
        assert found["long"].value == "slept"
    assert server_pid() != first


def test_what_a_worker_of_a_killed_server_has_started_ends_too(tmp_path):
    with WorkerPool(1) as pool:
        worker = outcome_of(pool, tasks.pid).value
        pool.submit("key", tasks.leak, str(tmp_path / "pid"), 60)
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            pool.wait(0.05)
        os.kill(server_pid(), signal.SIGKILL)
    assert gone(worker) and gone(int((tmp_path / "pid").read_text()))


def test_a_worker_that_its_pool_no_longer_wants_leaves(monkeypatch):
    """The pool is closed before its server has even started."""
    monkeypatch.setenv("MALLOC_ARENA_MAX", "9")  # a server of this test's own
    with WorkerPool(2) as pool:
        pool.submit("key", tasks.sleep, 60)
        server = psutil.Process(server_pid())
    assert value_of(parent) == server.pid
    end = time.monotonic() + 20
    while server.children() and time.monotonic() < end:
        time.sleep(0.05)
    assert server.children() == []


SCRIPT = """
    import os, sys, time
    from skauto.search._servers import SERVERS
    from skauto.search._workers import WorkerPool

    def hold(context, seconds=600):
        time.sleep(seconds)

    pool = WorkerPool(2, context=1)
    for key in range(2):
        pool.submit(key, hold, 0.0)
    while pool.running:
        pool.wait(60)
    pids = [SERVERS.server(False).process.pid, *(worker.process.pid for worker in pool._workers)]
    pool.submit("long", {task})
    pool.wait(0.5)
    print(*pids, flush=True)
    {end}
"""


def ended_script(tmp_path, task, end):
    """Process ids of the server and the workers of a script, which has printed them, and its process."""
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT.format(task=task, end=end)))
    places = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True, env=os.environ | places)
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 3
    return pids, process


@pytest.mark.parametrize("task", ["hold", pytest.param("lambda context: 10 ** (10**9)", id="spin")])
def test_nothing_is_left_of_a_killed_caller(tmp_path, task):
    """Not of a worker either whose task holds the interpreter lock: the server ends it."""
    pids, process = ended_script(tmp_path, task, "time.sleep(600)")
    process.kill()
    process.communicate()
    assert [gone(pid) for pid in pids] == [True] * 3
    end = time.monotonic() + 20
    while os.listdir(tmp_path / "temporary") and time.monotonic() < end:
        time.sleep(0.05)
    assert os.listdir(tmp_path / "temporary") == []


def test_nothing_is_left_of_a_killed_caller_and_server(tmp_path):
    pids, process = ended_script(tmp_path, "hold", "time.sleep(600)")
    os.kill(pids[0], signal.SIGKILL)
    process.kill()
    process.communicate()
    assert [gone(pid) for pid in pids] == [True] * 3
    assert os.listdir(tmp_path / "temporary") == []


def test_nothing_is_left_at_the_end_of_a_script(tmp_path):
    pids, process = ended_script(tmp_path, "hold", "pass")  # its pool is never closed
    began = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == 0 and time.monotonic() - began < 20
    assert [gone(pid) for pid in pids] == [True] * 3


def stressed(context):
    """What hangs in a process that was forked after its parent ran the same."""
    import lightgbm
    import torch

    X = np.random.default_rng(0).normal(size=(300, 8))
    lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=2).fit(X, X[:, 0] > 0)
    np.linalg.svd(X @ X.T)
    weight = torch.nn.Linear(8, 8)
    weight(torch.tensor(X, dtype=torch.float32)).sum().backward()
    return torch.get_num_threads()


@pytest.mark.slow
def test_workers_do_not_hang_after_the_caller_ran_the_same():
    """benchmarks/fork_server.py --stress 1000 does it more often."""
    pytest.importorskip("torch")
    stressed(None)
    for _ in range(20):
        with WorkerPool(1, threads=2, preload=("lightgbm", "torch")) as pool:
            outcome = outcome_of(pool, stressed, time_limit=60)
        assert (outcome.status, outcome.value) == (Status.COMPLETE, 2), outcome.output


def train(context, seed):
    """Where a network was trained, and in which process."""
    import torch

    X = np.random.default_rng(seed).normal(size=(200, 4)).astype("float32")
    early = torch.cuda.is_initialized()
    fitted = context.set_params(device="cuda", max_epochs=2).fit(X, (X[:, 0] > 0).astype(int))
    return early, next(fitted.module_.parameters()).device.type, os.getpid()


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/nvidia0"), reason="no GPU")
def test_networks_train_on_a_gpu_in_two_workers():
    """A server that had touched CUDA would make it unusable in its workers."""
    with WorkerPool(2, context=MLPClassifier()) as pool:
        for seed in range(4):
            pool.submit(seed, train, seed)
        outcomes = []
        while pool.running:
            outcomes += pool.wait(120)
    assert [outcome.value[:2] for outcome in outcomes] == [(False, "cuda")] * 4
    assert len({outcome.value[2] for outcome in outcomes}) == 2
