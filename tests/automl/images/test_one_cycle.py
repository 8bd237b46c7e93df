"""One cycle that fills the time: seconds and epochs of a network that is final."""

from dataclasses import replace

import pytest

from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import kind_named
from skauto.automl.images import _one_cycle
from skauto.automl.images._candidates import CNN
from skauto.automl.images._one_cycle import AFTER_SECONDS, LATEST, MANY_EPOCHS, MOST_WAITING
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


def planned(monkeypatch, left, row_seconds=1e-3, **changes):
    """A network as it trains in a worker with so many seconds left, at so many a row."""
    monkeypatch.setattr(_one_cycle, "seconds_a_row", lambda values, profile: row_seconds)
    monkeypatch.setattr(_deadline, "left", lambda: left)
    network = CNN.build(CNN.defaults, PROFILE, 0)
    CNN.plan_training(network, CNN.defaults, replace(PROFILE, **changes))
    return network


def test_it_trains_nearly_all_the_time_and_leaves_enough_for_what_follows(monkeypatch):
    network = planned(monkeypatch, 50.0, row_seconds=5e-3)
    assert 0.8 * 50 < network.time_limit <= LATEST * 50
    assert 50 - network.time_limit >= AFTER_SECONDS
    # The schedule is shortened to what fits, so it must not end before.
    assert network.max_epochs > network.time_limit / 5


def test_of_a_small_set_two_networks_share_the_time(monkeypatch):
    alone = planned(monkeypatch, 50.0, row_seconds=5e-3).time_limit
    shared = planned(monkeypatch, 50.0, row_seconds=2e-4)
    assert shared.time_limit < 0.6 * alone and shared.max_epochs > MANY_EPOCHS
    assert planned(monkeypatch, 500.0, row_seconds=2e-4).time_limit == pytest.approx(500 * LATEST / 2)


def test_too_few_epochs_are_refused_unless_nothing_else_is_tried(monkeypatch):
    with pytest.raises(TimeoutError, match="2 epochs of it do not fit into the"):
        planned(monkeypatch, 4.0, row_seconds=1e-2)
    assert planned(monkeypatch, 4.0, row_seconds=1e-2, alone=True).time_limit > 0
    # Of many rows a part of an epoch is enough steps.
    assert planned(monkeypatch, 60.0, n_rows=50_000).time_limit > 20


def test_a_busy_machine_is_given_more_time_for_what_follows(monkeypatch):
    quiet = planned(monkeypatch, 50.0, row_seconds=5e-3).time_limit
    clocks, works = iter([0.0, 3.0]), iter([0.0, 1.0])
    monkeypatch.setattr(_one_cycle.time, "perf_counter", lambda: next(clocks))
    monkeypatch.setattr(_one_cycle.time, "process_time", lambda: next(works))
    busy = planned(monkeypatch, 50.0, row_seconds=5e-3).time_limit
    assert busy < quiet and busy >= 50 - MOST_WAITING * (AFTER_SECONDS + 5)


def test_refits_and_searches_over_folds_plan_as_before(monkeypatch):
    monkeypatch.setattr("skauto.automl.images._epoch_planning.seconds_a_row", lambda values, profile: 1e-3)
    for changes in ({"refit": True}, {"holds_out": False}):
        network = planned(monkeypatch, 50.0, **changes)
        assert network.max_epochs <= 30
