"""The journal: what is written is read again, numbers and arrays exactly. Kills and damage: see test_faults.py."""

import json

import numpy as np
import pytest

from skauto.search._journal import LOG, Journal, JournalError
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial

SPACE = Space({"x": [1, 2, 3]})
ABOUT = {"data": "abc", "space": "x: 1 to 3"}


def written(folder, *results, seed=5):
    with Journal(folder).open(seed).begin(ABOUT) as journal:
        history = journal.replay(SPACE)
        for result in results:
            history.asked(Trial(result.number, SPACE.nth(result.number), tags={"rung": 0}))
            history.told(result)


def read(folder):
    with Journal(folder).open(seed=99).begin(ABOUT) as journal:
        return journal.replay(SPACE)


def test_what_is_told_comes_back(tmp_path):
    details = {
        "proba": np.random.default_rng(0).random((50, 2)),
        "fold_scores": np.array([0.1, np.nan]),
        "folds": [{"test_scores": {"a": float("nan"), "b": float("-inf")}, "fit_error": None}, None],
        "count": np.int64(3),
    }
    written(
        tmp_path, Result(0, Status.COMPLETE, 0.1 + 0.2, 1.5, details=details), Result(1, Status.FAILED, reason="no")
    )
    history = read(tmp_path)
    assert history.seed == 5
    assert [trial.tags for trial in history.trials] == [{"rung": 0}] * 2
    result = history.result(0)
    assert (result.score, result.seconds) == (0.1 + 0.2, 1.5)
    np.testing.assert_array_equal(result.details["proba"], details["proba"])
    np.testing.assert_array_equal(result.details["fold_scores"], details["fold_scores"])
    assert result.details["count"] == 3
    assert np.isnan(result.details["folds"][0]["test_scores"]["a"])
    assert result.details["folds"][0]["test_scores"]["b"] == -np.inf
    assert result.details["folds"][1] is None
    assert history.result(1).reason == "no"


def test_a_line_is_written_before_the_history_knows(tmp_path):
    with Journal(tmp_path).open(0).begin(ABOUT) as journal:
        history = journal.replay(SPACE)
        history.asked(Trial(0, SPACE.nth(0)))
        lines = (tmp_path / LOG).read_text().splitlines()
        assert [json.loads(line)["event"] for line in lines] == ["search", "asked"]


def test_a_trial_that_was_never_told_is_pending(tmp_path):
    with Journal(tmp_path).open(0).begin(ABOUT) as journal:
        journal.replay(SPACE).asked(Trial(0, SPACE.nth(0)))
    assert [trial.number for trial in read(tmp_path).pending] == [0]


def test_a_cancelled_trial_is_left_open(tmp_path):
    written(tmp_path, Result(0, Status.CANCELLED, reason="time limit of the search"))
    assert [trial.number for trial in read(tmp_path).pending] == [0]


def test_something_else_is_refused(tmp_path):
    (tmp_path / LOG).write_text('{"event": "asked"}\n')
    with pytest.raises(JournalError, match="no journal of a search"):
        read(tmp_path)


def test_differences_are_named(tmp_path):
    written(tmp_path)
    with pytest.raises(JournalError, match="data was 'abc' and is 'xyz'; mode was None and is 'count'"):
        Journal(tmp_path).open(0).begin(ABOUT | {"data": "xyz", "mode": "count"})
