"""TrialOutcome: to the details of a Result and back."""

import math

import numpy as np
import pytest

from skauto.automl.evaluation._outcome import TrialOutcome
from skauto.search._history import History
from skauto.search._journal import Journal
from skauto.search._pool import Outcome
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial

FULL = TrialOutcome(
    0.9, np.array([[0.2, 0.8], [0.7, 0.3]]), 1.5, 40, (0.8, 1.0), 0.9, 0.95, 0.97, 0.01, {"bytes": 123}
)  # fmt: skip


def same(one, other):
    np.testing.assert_array_equal(one.proba, other.proba)
    rest = [{**vars(outcome), "proba": None, "fold_scores": tuple(outcome.fold_scores)} for outcome in (one, other)]
    np.testing.assert_equal(*rest)


@pytest.mark.parametrize("outcome", [FULL, TrialOutcome(0.5, np.eye(2), 0.1)], ids=["full", "of a rung"])
def test_a_result_holds_all_of_it(outcome):
    same(TrialOutcome.of(Outcome(3, Status.COMPLETE, outcome).as_result()), outcome)


def test_a_journal_gives_it_back(tmp_path):
    space = Space({"x": [1, 2]})
    for _ in range(2):
        with Journal(tmp_path).open(0) as journal:
            journal.begin({})
            history = journal.replay(space)
            if not len(history):
                history.asked(Trial(0, space.encode({"x": 1})))
                history.told(Outcome(0, Status.COMPLETE, FULL).as_result())
    same(TrialOutcome.of(history.result(0)), FULL)


def test_there_is_none_of_a_trial_that_is_not_complete():
    assert TrialOutcome.of(Result(0, Status.FAILED, reason="out of luck")) is None
    assert TrialOutcome.of(Outcome(0, Status.TIMEOUT).as_result()) is None


def test_a_score_that_is_no_number_fails_the_trial():
    result = Outcome(0, Status.COMPLETE, TrialOutcome(math.nan, np.eye(2), 0.1)).as_result()
    assert result.status == Status.FAILED and "not a finite number" in result.reason
    assert History(Space({"x": [1]}), 0).finished == []
