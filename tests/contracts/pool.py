"""What every pool must do; the test class of a pool inherits these and says how to make one."""

import math

import pytest

from skauto.search._trial import Status
from tests.support import tasks

# All that searches, budgets and refits read of a pool, each with what it must be.
ATTRIBUTES = {
    "n_workers": lambda value: isinstance(value, int) and value >= 1,
    "running": lambda value: value == [],
    "free": lambda value: isinstance(value, int) and value >= 1,
    "start_seconds": lambda value: math.isfinite(value) and value >= 0,
    "slowness": lambda value: math.isfinite(value) and value >= 1,
}
METHODS = ("submit", "wait", "cancel", "close")


class PoolContract:
    """Inherit as ``class TestMyPool(PoolContract)`` with `pool`, a context manager around a pool with a context."""

    limits = True

    def pool(self, context, **settings):
        """A pool with this context."""
        raise NotImplementedError

    @staticmethod
    def outcomes(pool, n):
        """The outcomes of n tasks by their keys."""
        found = []
        while len(found) < n:
            found += pool.wait(60)
        return {outcome.key: outcome for outcome in found}

    def test_has_what_the_roof_reads(self):
        with self.pool(1) as pool:
            assert [name for name, fits in ATTRIBUTES.items() if not fits(getattr(pool, name))] == []
            assert [name for name in METHODS if not callable(getattr(pool, name, None))] == []
            pool.submit("a", tasks.add, 1)
            self.outcomes(pool, 1)
            assert [name for name, fits in ATTRIBUTES.items() if not fits(getattr(pool, name))] == []

    def test_a_task_gets_the_context_and_its_arguments(self):
        with self.pool(10) as pool:
            pool.submit("a", tasks.add, 5)
            assert pool.running == ["a"]
            assert pool.free == pool.n_workers - 1
            outcome = self.outcomes(pool, 1)["a"]
            assert (outcome.status, outcome.value, outcome.reason, outcome.warnings) == (Status.COMPLETE, 15, "", ())
            assert outcome.seconds >= 0
            assert (pool.running, pool.wait(), pool.wait(0)) == ([], [], [])

    def test_a_task_that_raises_is_an_outcome(self):
        with self.pool(10) as pool:
            pool.submit(("a", 1), tasks.fail)
            pool.submit("b", tasks.add, 1)
            found = self.outcomes(pool, 2)
        assert (found["a", 1].status, found["a", 1].reason) == (Status.FAILED, "ValueError: no luck")
        assert 'raise ValueError("no luck' in found["a", 1].output
        assert found["b"].value == 11

    def test_cancelled_tasks_are_never_given_out(self):
        with self.pool(10) as pool:
            pool.submit("a", tasks.sleep, 0.1)
            pool.cancel("a")
            pool.cancel("unheard of")
            assert pool.running == []
            pool.submit("b", tasks.add, 1)
            assert set(self.outcomes(pool, 1)) == {"b"}

    def test_functions_that_cannot_be_imported(self):
        offset = 100
        with self.pool(10) as pool:
            pool.submit("a", lambda context: context + offset)
            assert self.outcomes(pool, 1)["a"].value == 110

    def test_a_limit_ends_a_task(self):
        with self.pool(10) as pool:
            if not self.limits:
                with pytest.raises(ValueError, match="time_limit=1 needs worker processes"):
                    pool.submit("a", tasks.sleep, 60, time_limit=1)
                return
            pool.submit("a", tasks.sleep, 60, time_limit=1)
            outcome = self.outcomes(pool, 1)["a"]
            assert (outcome.status, outcome.reason) == (Status.TIMEOUT, "took longer than its limit of 1 s")

    def test_wait_comes_back_in_time(self):
        with self.pool(10) as pool:
            if not self.limits:
                return
            pool.submit("a", tasks.sleep, 60)
            assert pool.wait(0.1) == []
            assert pool.running == ["a"]
