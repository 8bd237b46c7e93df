import numpy as np
import pytest
import torch
from sklearn.base import clone

from skauto.estimators import _trainer
from skauto.estimators._mlp import MLPClassifier
from skauto.estimators._trainer import Batches, Rows, seeded


def rows(n):
    return Rows((torch.arange(n, dtype=torch.float32),), torch.zeros(n, dtype=torch.long), torch.ones(n))


def batches(n, size, shuffle):
    return Batches(rows(n), size, shuffle=shuffle, prepare=lambda inputs, training: inputs, device="cpu")


@pytest.mark.parametrize(("n", "size"), [(2, 1), (3, 2), (5, 4), (7, 100), (100, 32), (101, 10)])
def test_batches_hold_every_row_once_and_never_one_alone(n, size):
    seen = [x for (x,), _ in batches(n, size, shuffle=True)]
    assert sorted(torch.cat(seen).tolist()) == list(range(n))
    assert min(map(len, seen)) >= 2
    assert max(map(len, seen)) - min(map(len, seen)) <= 1


def test_order_is_fresh_when_shuffled_and_kept_when_not():
    feed = batches(50, 10, shuffle=True)
    with seeded(0):
        first, second = (torch.cat([x for (x,), _ in feed]) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(torch.cat([x for (x,), _ in batches(50, 10, shuffle=False)]), torch.arange(50.0))


@pytest.fixture
def ticking(monkeypatch):
    """A clock of the training loop on which every epoch takes the seconds that the test says."""
    seconds = []
    now = [0.0]

    def monotonic():
        now[0] += seconds.pop(0) if seconds else 1.0
        return now[0]

    monkeypatch.setattr(_trainer.time, "monotonic", monotonic)
    return seconds


XY = (np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2)


def test_epochs_end_with_the_time_and_the_schedule_with_them(ticking):
    clf = MLPClassifier(max_epochs=50, time_limit=5.5, random_state=0).fit(*XY)
    assert clf.n_iter_ == len(clf.history_) == 4
    rates = [epoch["lr"] for epoch in clf.history_]
    assert max(rates) > 0.5 * clf.lr and rates[-1] < 0.1 * clf.lr


def test_reading_the_rows_counts_too(ticking):
    ticking += [0, 3]
    assert MLPClassifier(max_epochs=8, time_limit=5.5, random_state=0).fit(*XY).n_iter_ == 2


def test_slow_epochs_leave_out_later_ones_and_one_alone_does_not(ticking):
    ticking += [0, 0, 4]
    assert MLPClassifier(max_epochs=8, time_limit=12, random_state=0).fit(*XY).n_iter_ == 8
    ticking += [0, 0, 1, 3, 3, 3]
    assert MLPClassifier(max_epochs=8, time_limit=12, random_state=0).fit(*XY).n_iter_ == 4


def test_partial_fit_goes_on_at_the_end_of_a_shortened_schedule(ticking):
    clf = MLPClassifier(max_epochs=50, time_limit=5.5, lr_schedule="cosine", random_state=0).fit(*XY)
    assert clf.partial_fit(*XY).history_[-1]["lr"] == pytest.approx(0.01 * clf.lr)


def test_one_epoch_is_always_done(ticking):
    assert MLPClassifier(max_epochs=8, time_limit=1e-9, random_state=0).fit(*XY).n_iter_ == 1


def test_a_net_that_was_saved_before_there_was_a_limit_has_none():
    clf = MLPClassifier(max_epochs=1, random_state=0).fit(*XY)
    del clf.__dict__["time_limit"]
    assert clone(clf).fit(*XY).time_limit is None


def test_enough_time_changes_nothing():
    free, bound = (MLPClassifier(max_epochs=3, time_limit=limit, random_state=0).fit(*XY) for limit in (None, 1e6))
    np.testing.assert_array_equal(free.predict_proba(XY[0]), bound.predict_proba(XY[0]))


def test_clipping_bounds_the_first_step():
    X = 1e-3 * np.random.default_rng(0).normal(size=(32, 2))
    moved = {}
    for name, params in {"free": {}, "norm": {"clip_norm": 1e-6}, "value": {"clip_value": 1e-9}}.items():
        start = {"optimizer": "sgd", "lr": 1.0, "lr_schedule": "constant", "max_epochs": 1, "batch_size": 32}
        clf = MLPClassifier(**start, weight_decay=0.0, random_state=0, **params)
        clf.fit(X, X[:, 0] > 0)
        still = MLPClassifier(**{**start, "lr": 1e-30}, weight_decay=0.0, random_state=0).fit(X, X[:, 0] > 0)
        pairs = zip(clf.module_.parameters(), still.module_.parameters(), strict=True)
        moved[name] = sum((a - b).abs().sum().item() for a, b in pairs)
    assert moved["free"] > 0.1
    assert moved["norm"] < 1e-3 and moved["value"] < 1e-3
