"""One cycle that fills the time: seconds and epochs of a network that is final."""

import math
import os
from dataclasses import replace

import joblib
import pytest

from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import kind_named
from skauto.automl.images._candidates import CNN
from skauto.automl.images._hold_out import seconds_of_rows
from skauto.automl.images._one_cycle import AFTER_SECONDS, LATEST, MOST_WAITING
from skauto.search import _deadline

PROFILE = DataProfile(
    n_rows=1_000,
    n_columns=1_024,
    n_classes=4,
    sparse=False,
    threads=1,
    early_stopping=False,
    kind=kind_named("image"),
    shape=(32, 32),
    seconds=60.0,
    holds_out=True,
)


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (1.0, 1.0, 1.0))


def planned(monkeypatch, left, values=CNN.defaults, **changes):
    """A network as it trains in a worker with so many seconds left."""
    monkeypatch.setattr(_deadline, "left", lambda: left)
    network = CNN.build(values, PROFILE, 0)
    CNN.plan_training(network, values, replace(PROFILE, **changes))
    return network


def test_it_trains_nearly_all_the_time_and_leaves_enough_for_what_follows(monkeypatch):
    network = planned(monkeypatch, 50.0, n_rows=9_000)
    assert 0.8 * 50 < network.time_limit <= LATEST * 50
    assert 50 - network.time_limit >= AFTER_SECONDS
    # The schedule is shortened to what fits, so it must not end before, however quick the processor is.
    assert network.max_epochs * seconds_of_rows(9_000, (32, 32)) > 4 * network.time_limit


def test_of_a_small_set_two_networks_share_the_time(monkeypatch):
    alone = planned(monkeypatch, 50.0, n_rows=9_000).time_limit
    assert planned(monkeypatch, 50.0).time_limit < 0.6 * alone
    assert planned(monkeypatch, 500.0).time_limit == pytest.approx(500 * LATEST / 2)
    wide = {**CNN.defaults, "width": 32, "backbone": "resnet"}
    assert planned(monkeypatch, 50.0, wide).time_limit > 0.9 * alone


def test_no_time_is_said_unless_nothing_else_is_tried(monkeypatch):
    with pytest.raises(TimeoutError, match="a network cannot be trained and judged in the 1.5 s that are left"):
        planned(monkeypatch, 1.5)
    with pytest.raises(TimeoutError, match="in the 0 s that are left"):
        planned(monkeypatch, -1.0)
    assert planned(monkeypatch, 1.5, alone=True).time_limit > 0
    # Of many rows a part of an epoch is enough.
    assert planned(monkeypatch, 60.0, n_rows=100_000).time_limit > 20


def test_a_busy_machine_is_given_more_time_for_what_follows(monkeypatch):
    left = {}
    for load in (1.0, 3.0 * joblib.cpu_count(), 99.0 * joblib.cpu_count()):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        left[load] = 50 - planned(monkeypatch, 50.0, n_rows=9_000).time_limit
    quiet, busy, busiest = left.values()
    assert busy == pytest.approx(3 * quiet) and busiest == pytest.approx(MOST_WAITING * quiet)


def test_without_a_deadline_the_plan_says_what_there_is(monkeypatch):
    assert (
        planned(monkeypatch, math.inf, n_rows=9_000).time_limit == planned(monkeypatch, 60.0, n_rows=9_000).time_limit
    )


def test_refits_and_searches_over_folds_plan_as_before(monkeypatch):
    monkeypatch.setattr("skauto.automl.images._epoch_planning.seconds_a_row", lambda values, profile: 1e-3)
    for changes in ({"refit": True}, {"holds_out": False}):
        network = planned(monkeypatch, 50.0, **changes)
        assert network.max_epochs <= 30
