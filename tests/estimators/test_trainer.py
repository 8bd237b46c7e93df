import numpy as np
import pytest
import torch

from skauto.estimators._mlp import MLPClassifier
from skauto.estimators._optimizers import OPTIMIZERS
from skauto.estimators._schedules import SCHEDULES, lr_factor
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


def test_prepare_sees_training_and_predict_batches():
    seen = []

    class Spy(MLPClassifier):
        def _prepare(self, inputs, training):
            seen.append((training, len(inputs[0])))
            return inputs

    X = np.random.default_rng(0).normal(size=(64, 2))
    Spy(max_epochs=1, batch_size=32, random_state=0).fit(X, X[:, 0] > 0).predict(X)
    assert seen == [(True, 32), (True, 32), (False, 64)]


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_lowers_the_loss(name):
    X = np.random.default_rng(0).normal(size=(200, 3))
    lr = {"adadelta": 1.0, "sgd": 0.1, "momentum": 0.05, "nesterov": 0.05}.get(name, 0.01)
    clf = MLPClassifier(optimizer=name, lr=lr, max_epochs=8, random_state=0).fit(X, X[:, 0] > 0)
    assert clf.history_[-1]["train_loss"] < 0.6 * clf.history_[0]["train_loss"]


@pytest.mark.parametrize("name", ["xavier", "he", "orthogonal"])
def test_every_init_trains_and_differs(name):
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = X[:, 0] > 0
    clf = MLPClassifier(init=name, max_epochs=8, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.9
    plain = MLPClassifier(max_epochs=8, random_state=0).fit(X, y)
    assert not np.array_equal(clf.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize(
    ("name", "start", "middle", "end"),
    [
        ("constant", 1, 1, 1),
        ("step", 1, 0.1, 0.01),
        ("exponential", 1, 0.1, 0.01),
        ("cosine", 1, 0.5, 0),
        ("one_cycle", 0.04, 0.8117, 0),
    ],
)
def test_schedules_run_from_start_to_end(name, start, middle, end):
    assert [lr_factor(name, p) for p in (0, 0.5, 1, 1.7)] == pytest.approx([start, middle, end, end], abs=1e-4)


def test_one_cycle_peaks_at_three_tenths():
    assert lr_factor("one_cycle", 0.3) == pytest.approx(1)
    assert max(lr_factor("one_cycle", p) for p in np.linspace(0, 1, 101)) <= 1


def test_plateau_halves_after_five_epochs_without_gain():
    falling = list(np.linspace(2, 1, 8))
    assert lr_factor("plateau", 0, falling) == 1
    assert lr_factor("plateau", 0, falling + [1.0] * 4) == 1
    assert lr_factor("plateau", 0, falling + [1.0] * 5) == 0.5
    assert lr_factor("plateau", 0, falling + [1.0] * 10) == 0.25


@pytest.mark.parametrize("name", [*sorted(SCHEDULES), "plateau"])
def test_history_shows_the_schedule(name):
    X = np.random.default_rng(0).normal(size=(64, 2))
    clf = MLPClassifier(lr_schedule=name, lr=0.01, max_epochs=3, random_state=0).fit(X, X[:, 0] > 0)
    rates = [epoch["lr"] for epoch in clf.history_]
    assert max(rates) <= 0.01 and (name in ("constant", "plateau")) == (min(rates) == 0.01)


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


def test_partial_fit_wants_classes_and_refuses_balanced():
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.where(X[:, 0] > 0, "b", "a")
    clf = MLPClassifier(random_state=0).partial_fit(X, y, classes=["a", "b", "c"])
    assert clf.predict_proba(X).shape == (40, 3)
    with pytest.raises(ValueError, match="not among the classes"):
        clf.partial_fit(X, np.where(X[:, 0] > 0, "b", "z"))
    with pytest.raises(ValueError, match="balanced"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y)


def test_balanced_weights_lift_a_rare_class():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 2)), np.r_[np.ones(20, int), np.zeros(380, int)]
    plain, balanced = (
        MLPClassifier(class_weight=w, max_epochs=5, random_state=0).fit(X, y).predict_proba(X)[:, 1].mean()
        for w in (None, "balanced")
    )
    assert balanced > 3 * plain


def test_tiny_classes_stay_out_of_validation():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(62, 2)), np.r_[np.zeros(30, int), np.ones(30, int), 2, 3]
    clf = MLPClassifier(early_stopping=True, max_epochs=3, random_state=0).fit(X, y)
    assert "valid_loss" in clf.history_[0]
    assert clf.predict_proba(X).shape == (62, 4)
