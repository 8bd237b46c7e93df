"""Trials and results."""

import json
import math

import pytest

from skauto.search._trial import Result, Status, Trial


def test_trial_there_and_back():
    trial = Trial(3, {"branch": 0, "values": {"C": 0.1, "kernel": 1}}, 1 / 3, {"rung": 1})
    assert Trial.from_json(json.loads(json.dumps(trial.to_json()))) == trial


@pytest.mark.parametrize("status", list(Status))
def test_result_there_and_back(status):
    score = 0.1 + 0.2 if status == Status.COMPLETE else math.nan
    result = Result(3, status, score, 1.5, "because", details={"folds": [1]})
    line = json.dumps(result.to_json(), allow_nan=False)
    back = Result.from_json(json.loads(line))
    assert (back.number, back.status, back.seconds, back.reason) == (3, status, 1.5, "because")
    assert back.score == score or (math.isnan(back.score) and math.isnan(score))
    assert isinstance(back.status, Status)
    assert back.details is None


def test_records_cannot_be_changed():
    with pytest.raises(AttributeError):
        Trial(0, {}).number = 1
    with pytest.raises(AttributeError):
        Result(0, Status.FAILED).score = 1.0


def test_details_do_not_count_in_comparison():
    assert Result(0, Status.COMPLETE, 1.0, 1.0, details=1) == Result(0, Status.COMPLETE, 1.0, 1.0, details=2)
