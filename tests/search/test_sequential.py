"""Tasks in this process."""

import os

import pytest

from skauto.search._sequential import SequentialPool
from skauto.search._trial import Status
from tests.support import tasks


def divide(context, by):
    return {"score": context / by}


def test_a_task_gets_the_context_when_waited_for():
    pool = SequentialPool(context=6)
    assert (pool.free, pool.running) == (1, [])
    pool.submit("key", divide, 3)
    assert (pool.free, pool.running) == (0, ["key"])
    (outcome,) = pool.wait()
    assert (outcome.key, outcome.status, outcome.value) == ("key", Status.COMPLETE, {"score": 2.0})
    assert outcome.seconds > 0
    assert pool.free == 1


def test_the_traceback_of_an_error_is_kept():
    pool = SequentialPool(context=6)
    pool.submit("key", divide, 0)
    (outcome,) = pool.wait()
    assert (outcome.status, outcome.reason) == (Status.FAILED, "ZeroDivisionError: division by zero")
    assert "in divide" in outcome.output


def test_one_task_at_a_time_in_this_process():
    with SequentialPool() as pool:
        assert pool.free == 1
        pool.submit("a", tasks.pid)
        assert (pool.free, pool.running) == (0, ["a"])
        (outcome,) = pool.wait()
        assert outcome.value == os.getpid()
        assert (pool.wait(), pool.free) == ([], 1)


def test_an_error_is_an_outcome():
    pool = SequentialPool()
    pool.submit("a", tasks.fail)
    (outcome,) = pool.wait()
    assert (outcome.status, outcome.reason) == ("failed", "ValueError: no luck")


def test_a_cancelled_task_is_not_run():
    pool = SequentialPool()
    pool.submit("a", tasks.die, 1)
    pool.cancel("a")
    assert pool.running == []
    assert pool.wait() == []


def test_limits_are_refused():
    with pytest.raises(ValueError, match="needs worker processes"):
        SequentialPool().submit("a", tasks.pid, time_limit=1.0)
