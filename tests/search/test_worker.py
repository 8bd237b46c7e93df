"""One worker process, seen from its parent."""

import os
import signal

import pytest

from skauto.search._worker import Worker


@pytest.fixture
def worker():
    worker = Worker(1)
    yield worker
    worker.end()


@pytest.mark.slow
def test_says_hello_and_leaves_when_its_pipe_closes(worker):
    assert worker.channel.wait(120)
    assert worker.receive() is not None
    worker.channel.close()
    assert worker.process.wait(60) == 0


def test_how_it_died(worker):
    worker.channel.wait(120)
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
    assert worker.channel.wait(120)
    assert worker.resident() > 10_000_000
    assert worker.children() == []
    os.write(worker._log.fileno(), b"noise " * 100)
    worker.clear_log(beyond=1000)
    assert os.fstat(worker._log.fileno()).st_size == 600
    worker.clear_log()
    assert os.fstat(worker._log.fileno()).st_size == 0
