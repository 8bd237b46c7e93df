import numpy as np
import pytest
import torch
from sklearn.base import clone

from skauto.estimators.neural import _time_limit
from skauto.estimators.neural._trainer import Batches, Rows, TrainingLoop, seeded
from skauto.estimators.tables._mlp import MLPClassifier


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
    """A clock that moves with each batch trained on, by the seconds that the test says, or by one."""
    seconds, now = [], [0.0]
    monkeypatch.setattr(_time_limit.time, "monotonic", lambda: now[0])
    step = TrainingLoop.train_step

    def slow_step(loop, *args, **kwargs):
        now[0] += seconds.pop(0) if seconds else 1.0
        return step(loop, *args, **kwargs)

    monkeypatch.setattr(TrainingLoop, "train_step", slow_step)
    return seconds


XY = (np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2)
BATCHES = 4  # of 60 rows


def rates(clf):
    return [epoch["lr"] / clf.lr for epoch in clf.history_]


def test_training_ends_with_the_time_and_the_schedule_with_it(ticking):
    clf = MLPClassifier(max_epochs=50, time_limit=5 * BATCHES + 2.5, random_state=0).fit(*XY)
    assert clf.n_iter_ == len(clf.history_) == 6 and not ticking
    assert max(rates(clf)) > 0.5 and rates(clf)[-1] < 0.1


def test_slow_batches_leave_out_later_ones_and_one_alone_does_not(ticking):
    ticking += [9.0]
    assert MLPClassifier(max_epochs=8, time_limit=9 + 8 * BATCHES, random_state=0).fit(*XY).n_iter_ == 8
    ticking += [1.0] * 4 + [4.0] * 100
    clf = MLPClassifier(max_epochs=8, time_limit=8 * BATCHES + 0.5, random_state=0).fit(*XY)
    assert clf.n_iter_ == 3
    assert rates(clf)[-1] < 0.3


def test_the_end_falls_into_an_epoch(ticking):
    clf = MLPClassifier(max_epochs=8, time_limit=2.5, lr_schedule="cosine", random_state=0).fit(*XY)
    assert clf.n_iter_ == 1
    assert rates(clf)[-1] < 0.6


def test_partial_fit_goes_on_at_the_end_of_a_shortened_schedule(ticking):
    clf = MLPClassifier(max_epochs=50, time_limit=5.5, lr_schedule="cosine", random_state=0).fit(*XY)
    assert clf.partial_fit(*XY).history_[-1]["lr"] == pytest.approx(0.01 * clf.lr)


def test_one_batch_is_always_done(ticking):
    clf = MLPClassifier(max_epochs=8, time_limit=1e-9, random_state=0).fit(*XY)
    assert clf.n_iter_ == 1 and np.isfinite(clf.history_[0]["train_loss"])


def test_rows_to_watch_have_their_part_of_the_time(ticking):
    clf = MLPClassifier(max_epochs=50, time_limit=9.5, early_stopping=True, random_state=0).fit(*XY)
    assert 2 <= clf.n_iter_ <= 3 and "valid_loss" in clf.history_[-1]


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
