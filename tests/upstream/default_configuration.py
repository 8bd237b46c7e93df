"""scikit-learn's own checks of estimators on AutoClassifier as it comes; minutes of search: by `make upstream` only.

Each of some hundred fits would search for the five minutes of its default time limit. So the clock of its phases runs
five times as fast as the real one. Workers and the limits of a trial go by the real one: a trial gets more of the
whole, a refit less, than a user's.
"""

import time
from functools import partial

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import skauto.automl._runtime
from skauto import AutoClassifier
from skauto.automl._time_budget import Phases
from tests.support.autos import EXPECTED_FAILURES

SPEED = 5


@pytest.fixture(autouse=True)
def fast_clock(monkeypatch):
    """A fit's five minutes pass in one."""
    monkeypatch.setattr(skauto.automl._runtime, "Phases", partial(Phases, clock=lambda: SPEED * time.monotonic()))


@pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")
@parametrize_with_checks([AutoClassifier()], expected_failed_checks=lambda auto: EXPECTED_FAILURES, xfail_strict=False)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
