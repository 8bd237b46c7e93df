"""Trials split into folds: order, races, crashes, idle workers."""

import math
from types import SimpleNamespace

import pytest

from skauto.search._fold_tasks import FoldTasks
from skauto.search._history import History
from skauto.search._pool import Outcome
from skauto.search._racing import Race
from skauto.search._space import Space
from skauto.search._trial import Trial

SPACE = Space({"x": [1, 2, 3]})
CONTEXT = SimpleNamespace(folds=[None] * 4, fidelity=None)


def of_fold(context, trial, fold, *_):
    """What the pool inside is given for each fold, and never runs here."""


class Bench:
    """A pool whose outcomes the test gives by hand."""

    def __init__(self, n_workers):
        self.n_workers = n_workers
        self.running = []
        self.ready = []

    def submit(self, key, function, *args, time_limit=None):
        assert function is of_fold
        self.running.append(key)
        self.time_limit = time_limit

    def end(self, key, status="complete", seconds=1.0, **record):
        score = {"test_scores": record.pop("score", 0.5), "fit_error": None} | record
        self.ready.append(Outcome(key, status, score if status == "complete" else None, "why", seconds))

    def wait(self, timeout=None):
        ready, self.ready = self.ready, []
        for outcome in ready:
            self.running.remove(outcome.key)
        return ready

    def cancel(self, key):
        self.running.remove(key)
        self.ready = [outcome for outcome in self.ready if outcome.key != key]


def tasks(n_workers=1, race=None, ahead=1):
    bench = Bench(n_workers)
    made = FoldTasks(bench, CONTEXT, History(SPACE, 0), lambda record: record["test_scores"], race=race, ahead=ahead)
    return made, bench


def trial(number=0):
    return Trial(number, SPACE.nth(number))


def test_folds_one_after_another():
    made, bench = tasks()
    made.submit(0, of_fold, trial())
    for fold in range(4):
        assert bench.running == [(0, fold)]
        bench.end((0, fold), score=fold / 10)
        results = made.wait()
    (result,) = results
    assert result.score == pytest.approx(0.15)
    assert result.details["fold_scores"] == [0.0, 0.1, 0.2, 0.3]
    assert made.running == []


def test_idle_workers_take_further_folds():
    made, bench = tasks(n_workers=3)
    made.submit(0, of_fold, trial())
    assert made.free == 2
    made.wait()
    assert bench.running == [(0, 0), (0, 1), (0, 2)]


def test_some_folds_wait_where_nothing_stops_a_trial():
    """The oldest trial's folds come first; there is room for another trial only once all of them have begun."""
    made, bench = tasks(n_workers=2, ahead=2)
    assert made.free == 1
    made.submit(0, of_fold, trial())
    assert bench.running == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert made.free == 0
    bench.end((0, 1))
    assert made.wait() == []
    assert made.free == 1
    made.submit(1, of_fold, trial(1))
    assert bench.running == [(0, 0), (0, 2), (0, 3), (1, 0)]
    for fold in (0, 2, 3):
        bench.end((0, fold))
    (result,) = made.wait()
    assert (result.number, result.score) == (0, 0.5)
    made.wait()
    assert bench.running == [(1, 0), (1, 1), (1, 2), (1, 3)]


def test_many_workers_get_trials_enough():
    made, _ = tasks(n_workers=9, ahead=2)
    assert made.free == 5


def test_a_race_is_judged_in_the_order_of_folds():
    """A bad second fold that ends first stops nothing; with the first it does, and what ran ahead is left out."""
    made, bench = tasks(n_workers=3, race=lambda trial: Race(worst=0.6, prior=0.7))
    made.submit(0, of_fold, trial())
    made.wait()
    bench.end((0, 1), score=0.1)
    assert made.wait() == []
    bench.end((0, 2), score=0.1)
    assert made.wait() == []
    bench.end((0, 0), score=0.7)
    (result,) = made.wait()
    assert result.details["pruned"]
    assert [record is None for record in result.details["folds"]] == [False, False, True, True]
    assert result.score == pytest.approx((0.7 + 0.1 + 0.7) / 3)
    assert bench.running == []


def test_a_race_never_stops_a_trial_that_is_through():
    made, bench = tasks(race=lambda trial: Race(worst=0.6, prior=0.7))
    made.submit(0, of_fold, trial())
    for fold, score in enumerate([0.9, 0.9, 0.9, -9.0]):
        bench.end((0, fold), score=score)
        results = made.wait()
    assert not results[0].details["pruned"]


def test_a_fold_that_crashed_in_the_pool_ends_its_trial():
    made, bench = tasks(n_workers=2)
    made.submit(0, of_fold, trial())
    assert made.wait() == []
    bench.end((0, 0), status="crashed")
    (result,) = made.wait()
    assert (result.status, result.reason) == ("crashed", "why")
    assert bench.running == []


def test_the_limit_is_of_all_folds_together():
    made, bench = tasks()
    made.submit(0, of_fold, trial(), time_limit=10.0)
    assert bench.time_limit == 10.0
    bench.end((0, 0), seconds=4.0)
    made.wait()
    assert bench.time_limit == 6.0


def test_a_score_that_is_no_number_fails_the_trial():
    made, bench = tasks()
    made.submit(0, of_fold, trial())
    for fold in range(4):
        bench.end((0, fold), score=math.nan if fold == 1 else 0.5, fit_error="Traceback\nValueError: bad\n")
        results = made.wait()
    assert (results[0].status, results[0].reason) == ("failed", "ValueError: bad")
    assert len(results[0].details["folds"]) == 4


def test_what_a_fold_raises_ends_the_search():
    made, bench = tasks()
    made.submit(0, of_fold, trial())
    bench.end((0, 0), raised=KeyError("x"))
    with pytest.raises(KeyError):
        made.wait()


def test_a_cancelled_trial_leaves_nothing_running():
    made, bench = tasks(n_workers=2)
    made.submit(0, of_fold, trial())
    made.wait()
    made.cancel(0)
    assert bench.running == made.running == []
