"""Idle workers."""

import pytest

from skauto.search._idle_workers import IDLE_WORKERS, IdleWorkers
from skauto.search._worker import Worker
from skauto.search._workers import WorkerPool


@pytest.fixture
def idle_workers():
    idle_workers = IdleWorkers()
    yield idle_workers
    idle_workers.end()


def test_taken_by_number_of_threads(idle_workers):
    one, two = Worker(1), Worker(2)
    idle_workers.put(one)
    idle_workers.put(two)
    assert idle_workers.take(3) is None
    assert idle_workers.take(2) is two
    assert idle_workers.take(2) is None
    two.end()
    assert idle_workers.take(1) is one
    one.end()


def test_the_dead_are_not_taken(idle_workers):
    worker = Worker(1)
    idle_workers.put(worker)
    worker.process.kill()
    worker.process.wait()
    assert idle_workers.take(1) is None


def test_end_ends_all(idle_workers):
    workers = [Worker(1), Worker(1)]
    for worker in workers:
        idle_workers.put(worker)
    idle_workers.end()
    assert [worker.dead() for worker in workers] == [True, True]


def test_dead_workers_are_not_kept(idle_workers):
    idle_workers.warm(1, 1)
    first = idle_workers.take(1)
    idle_workers.put(first)
    first.process.kill()
    first.process.wait()
    idle_workers.warm(1, 1)
    second = idle_workers.take(1)
    assert second is not first and not second.dead()
    assert idle_workers.take(1) is None
    second.end()


def test_those_that_are_warmed_import_what_the_next_pool_needs(idle_workers):
    idle_workers.warm(1, 2, ("sklearn.dummy",))
    first, second = idle_workers.take(1), idle_workers.take(1)
    assert first is not None and second is not None and idle_workers.take(1) is None
    first.end()
    second.end()


@pytest.mark.slow
def test_a_pool_keeps_an_idle_worker_ready_for_one_that_is_killed():
    IDLE_WORKERS.end()
    with WorkerPool(1, n_idle=1) as pool:
        pool.submit("a", lambda context, x: x, 5)
        assert pool.wait(60)[0].value == 5
        assert 1 <= pool.slowness <= 4
        kept = IDLE_WORKERS.take(1)
        assert kept is not None
        IDLE_WORKERS.put(kept)
