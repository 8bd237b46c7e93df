import numpy as np
import pytest

from skauto.estimators.neural._schedules import SCHEDULES, lr_factor
from skauto.estimators.tables._mlp import MLPClassifier


@pytest.mark.parametrize(
    ("name", "start", "middle", "end"),
    [
        ("constant", 1, 1, 1),
        ("step", 1, 0.1, 0.01),
        ("exponential", 1, 0.1, 0.01),
        ("cosine", 1, 0.5, 0.01),
        ("one_cycle", 0.04, 0.8117, 0.01),
    ],
)
def test_schedules_run_from_start_to_end(name, start, middle, end):
    assert [lr_factor(name, p) for p in (0, 0.5, 1, 1.7)] == pytest.approx([start, middle, end, end], abs=1e-4)


def test_the_floor_comes_after_the_last_epoch():
    assert max(lr_factor(name, 0.9999) for name in ("cosine", "one_cycle")) < 1e-6


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
