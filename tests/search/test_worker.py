"""One worker process, seen from its parent."""

import os
import pickle
import signal

import pytest

from skauto.search._shared import Shared
from skauto.search._worker import Worker


@pytest.fixture
def worker(way):
    """A worker that has said hello."""
    shared = Shared(None)
    worker = Worker(1, shared.fileno())
    while not (hello := worker.receive()):
        assert worker.channel.wait(120)
    worker.greeted(*pickle.loads(hello[0]))
    yield worker
    worker.end()
    shared.close()


def test_leaves_when_its_channel_closes(worker):
    worker.channel.close()
    assert worker.process.wait(60) == 0


def test_how_it_died(worker):
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.end()
    worker.end()
    assert worker.dead()
    assert worker.obituary() == "the worker process died (signal SIGKILL)"


def test_a_message_to_the_dead_is_lost(worker):
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    worker.send("setup")
    assert worker.receive() is None


def test_measures_and_forgets_its_log(worker):
    assert 0 <= worker.resident() < 10_000_000  # above what it began with
    assert worker.begun_with > 10_000_000
    assert worker.children() == []
    os.write(worker._log.fileno(), b"noise " * 100)
    worker.clear_log(beyond=1000)
    assert os.fstat(worker._log.fileno()).st_size == 600
    worker.clear_log()
    assert os.fstat(worker._log.fileno()).st_size == 0
