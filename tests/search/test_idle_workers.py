"""Spare workers."""

import pytest

from skauto.search._idle_workers import SPARES, Spares
from skauto.search._worker import Worker
from skauto.search._workers import WorkerPool


@pytest.fixture
def spares():
    spares = Spares()
    yield spares
    spares.end()


def test_taken_by_number_of_threads(spares):
    one, two = Worker(1), Worker(2)
    spares.put(one)
    spares.put(two)
    assert spares.take(3) is None
    assert spares.take(2) is two
    assert spares.take(2) is None
    two.end()
    assert spares.take(1) is one
    one.end()


def test_the_dead_are_not_taken(spares):
    worker = Worker(1)
    spares.put(worker)
    worker.process.kill()
    worker.process.wait()
    assert spares.take(1) is None


def test_end_ends_all(spares):
    workers = [Worker(1), Worker(1)]
    for worker in workers:
        spares.put(worker)
    spares.end()
    assert [worker.dead() for worker in workers] == [True, True]


def test_dead_workers_are_not_kept(spares):
    spares.warm(1, 1)
    first = spares.take(1)
    spares.put(first)
    first.process.kill()
    first.process.wait()
    spares.warm(1, 1)
    second = spares.take(1)
    assert second is not first and not second.dead()
    assert spares.take(1) is None
    second.end()


def test_those_that_are_warmed_import_what_the_next_pool_needs(spares):
    spares.warm(1, 2, ("sklearn.dummy",))
    first, second = spares.take(1), spares.take(1)
    assert first is not None and second is not None and spares.take(1) is None
    first.end()
    second.end()


@pytest.mark.slow
def test_a_pool_keeps_an_idle_worker_ready_for_one_that_is_killed():
    SPARES.end()
    with WorkerPool(1, n_idle=1) as pool:
        pool.submit("a", lambda context, x: x, 5)
        assert pool.wait(60)[0].value == 5
        assert 1 <= pool.slowness <= 4
        kept = SPARES.take(1)
        assert kept is not None
        SPARES.put(kept)
