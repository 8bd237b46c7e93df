"""Seconds on a simulated clock: what each phase may use and what it did."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skauto.automl._time_budget import LONG_TRIAL_FRACTION, TRIAL_FRACTION, Phases, SearchBudget, closing
from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status
from tests.support.clock import Clock


@dataclass
class Pool:
    """What a budget asks of a pool of workers."""

    n_workers: int
    start_seconds: float = 0.0
    slowness: float = 1.0


def result(number, seconds, fit_seconds, score=0.5, **more):
    details = {"fold_scores": [score], "fit_seconds": fit_seconds, "proba": np.eye(2), **more}
    return Result(number, Status.COMPLETE, score, seconds, details=details)


def history():
    return History(Space({"C": list(range(99))}), seed=0)


@given(st.floats(0.01, 1e5))
def test_what_is_planned_fits_into_the_limit(limit):
    phases = Phases(limit, Clock())
    budget = SearchBudget(phases, None, Pool(2))
    assert 0 <= phases.for_finish() <= limit
    budget.learn(result(0, 1.0, 0.01))
    assert 0 <= budget.remaining() <= limit - phases.for_finish()
    assert (phases.frame()["planned"].dropna() >= 0).all()


def test_phases_add_up():
    clock = Clock()
    phases = Phases(100, clock)
    for name, seconds in [("inspect", 2), ("search", 60), ("refit", 5), ("refit", 6)]:
        with phases(name):
            clock.now += seconds
    frame = phases.frame()
    assert frame["used"].to_dict() == {"inspect": 2, "search": 60, "ensemble": 0, "refit": 11, "total": 73}
    assert frame.loc["total", "planned"] == 100
    assert frame.loc["search", "planned"] + frame.loc["refit", "planned"] == 100
    assert 100 - 73 - 1 <= phases.left() <= 100 - 73


def test_a_phase_that_fails_is_counted():
    clock = Clock()
    phases = Phases(10, clock)
    with pytest.raises(KeyboardInterrupt), phases("search"):
        clock.now += 3
        raise KeyboardInterrupt
    assert phases.used == {"search": 3}


def test_time_runs_out_and_not_below_zero():
    clock = Clock()
    phases = Phases(10, clock)
    clock.now += 50
    assert phases.left() == 0
    assert SearchBudget(phases, None, Pool(1)).remaining() == 0


def test_where_nothing_is_refitted_nearly_all_is_for_the_search():
    phases = Phases(60, Clock())
    budget = SearchBudget(phases, None, Pool(2), refits=False)
    budget.learn(result(0, 1.0, 0.5, score_seconds=0.1))
    assert 0.88 * 60 < budget.remaining() < 60
    with_refits = SearchBudget(phases, None, Pool(2))
    with_refits.learn(result(0, 1.0, 0.5, score_seconds=0.1))
    assert with_refits.remaining() < 0.8 * 60


def test_a_first_trial_may_end_late():
    """Its fold models can predict, so that no time for a refit is kept while there is nothing to refit."""
    phases = Phases(100, Clock())
    budget = SearchBudget(phases, None, Pool(2))
    before = budget.remaining()
    assert before > 100 - phases.for_finish()
    on_some_rows = {"fit_seconds": 1.0, "proba": np.eye(2)}
    budget.learn(Result(0, Status.COMPLETE, 0.5, 1.0, details=on_some_rows))
    assert budget.remaining() == pytest.approx(phases.left() - phases.for_finish())


def test_without_a_limit_nothing_is_planned():
    phases = Phases(None, Clock())
    assert phases.left() == math.inf
    budget = SearchBudget(phases, 5, Pool(1))
    assert budget.remaining() == math.inf
    budget.learn(result(0, 1.0, 0.1))
    assert budget.room(history()) == 5
    assert phases.frame()["planned"].isna().all()


def test_quick_fits_leave_the_search_more_time():
    phases = Phases(100, Clock())
    budget = SearchBudget(phases, None, Pool(2))
    budget.learn(result(0, 1.0, 0.01))
    before = budget.remaining()
    for number in range(6):
        budget.learn(result(number, 1.0, 0.01))
    assert budget.remaining() > before
    slow = SearchBudget(phases, None, Pool(2))
    for number in range(6):
        slow.learn(result(number, 60.0, 12.0))
    assert slow.remaining() == before


def test_slow_trials_of_few_folds_keep_no_time_for_a_refit_that_they_will_not_have():
    quick, mixed = (SearchBudget(Phases(100, Clock()), None, Pool(2)) for _ in range(2))
    for number in range(6):
        quick.learn(result(number, 1.0, 0.01, n_folds=5))
        mixed.learn(result(number, 1.0, 0.01, n_folds=5))
        mixed.learn(result(number, 19.0, 9.0, score=0.9, n_folds=2))
    assert mixed.remaining() == quick.remaining()


def test_the_first_slow_report_keeps_time_for_the_last_one():
    budget = SearchBudget(Phases(100, Clock()), None, Pool(2))
    budget.learn(result(0, 9.0, 0.1))
    before = budget.remaining()
    budget = SearchBudget(Phases(100, Clock()), None, Pool(2))
    budget.learn(result(0, 9.0, 0.1, score_seconds=5.0))
    assert before - budget.remaining() == pytest.approx(10.0)
    assert closing([5.0, 2.0, 0.1], 10.0) == pytest.approx(4.5)  # twice the middle one, and the honest scores
    assert closing([5.0, 2.0, 0.1], math.inf) == pytest.approx(6.0)
    assert closing([], 10.0) == 0


def test_slow_scores_keep_time_for_the_choice_of_the_ensemble():
    quick, slow = (SearchBudget(Phases(100, Clock()), None, Pool(2)) for _ in range(2))
    for number in range(6):
        quick.learn(result(number, 1.0, 0.01))
        slow.learn(result(number, 1.0, 0.01, score_seconds=0.02))
    assert quick.remaining() - slow.remaining() == pytest.approx(50 * 0.02 + 2 * 0.02)


def test_workers_that_start_slowly_are_waited_for():
    """The end of the search kills what runs, so the refits begin with new workers."""
    quick, slow = (SearchBudget(Phases(100, Clock()), None, Pool(2, seconds)) for seconds in (0.0, 4.0))
    for number in range(6):
        quick.learn(result(number, 1.0, 0.01))
        slow.learn(result(number, 1.0, 0.01))
    assert quick.remaining() - slow.remaining() == pytest.approx(4)


def test_no_trial_is_asked_that_could_not_end():
    clock = Clock()
    budget = SearchBudget(Phases(100, clock), None, Pool(2))
    for number in range(4):
        budget.learn(result(number, 10.0, 1.0))
    assert budget.room(history()) == math.inf
    clock.now += 85
    assert 0 < budget.remaining() < 10
    assert budget.room(history()) == 0


def test_failed_trials_teach_nothing():
    budget = SearchBudget(Phases(100, Clock()), None, Pool(2))
    budget.learn(Result(0, Status.FAILED, math.nan, 1.0, "bad", {"warnings": ()}))
    budget.learn(Result(1, Status.CANCELLED, reason="time limit"))
    assert budget.room(history()) == math.inf


def test_one_trial_never_gets_all():
    budget = SearchBudget(Phases(100, Clock()), None, Pool(2))
    assert budget.trial_limit(TRIAL_FRACTION, budget.remaining()) == pytest.approx(20)
    assert budget.trial_limit(TRIAL_FRACTION, 3.0) == 3.0


def test_on_a_busy_machine_a_trial_has_as_many_cpu_seconds():
    """Beside busy processes two seconds and a half pass in one of a worker's; at most three fifths of all are given."""
    budget = SearchBudget(Phases(100, Clock()), None, Pool(2, slowness=2.5))
    assert budget.trial_limit(TRIAL_FRACTION, budget.remaining()) == pytest.approx(50)
    budget = SearchBudget(Phases(100, Clock()), None, Pool(2, slowness=4.0))
    assert budget.trial_limit(TRIAL_FRACTION, budget.remaining()) == pytest.approx(60)
    assert budget.trial_limit(LONG_TRIAL_FRACTION, 90.0) == 90.0
    assert budget.trial_limit(TRIAL_FRACTION, 3.0) == 3.0
