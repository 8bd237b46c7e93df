"""Kernel densities over mixed dimensions."""

import numpy as np
import pytest

from skauto.search._dimensions import Choice, Continuous, Whole
from skauto.search.strategies._mixture import Mixture

LINE, KINDS = Continuous(0.0, 1.0), Choice([None, "a", "b", "c"])


def mixture(dims, points, prior=1.0):
    points = np.array(points, dtype=float).reshape(-1, len(dims))
    return Mixture(dims, points, np.ones(len(points)), prior, 0.2)


@pytest.mark.parametrize("points", [[], [0.0], [0.3, 0.9], [0.5] * 40])
def test_integrates_to_one_on_the_unit_interval(points):
    grid = (np.arange(20000) + 0.5)[:, None] / 20000
    constant = (2 * np.pi) ** 0.5  # left out of log_density, being the same for every density of a space
    assert np.exp(mixture([LINE], points).log_density(grid)).mean() / constant == pytest.approx(1, abs=1e-3)


def test_choices_sum_to_one_and_favour_the_known():
    fractions = np.exp(
        mixture([KINDS], [KINDS.to_unit(2)] * 3).log_density(np.array([[0.125], [0.375], [0.625], [0.875]]))
    )
    assert fractions.sum() == pytest.approx(1)
    assert fractions.argmax() == 2
    assert fractions.min() > 0


@pytest.mark.parametrize("dims", [[LINE, KINDS], [KINDS, LINE, Whole(1, 9)]])
def test_samples_follow_the_density(dims):
    rng = np.random.default_rng(0)
    points = rng.random((6, len(dims)))
    for column, dim in enumerate(dims):
        points[:, column] = [dim.to_unit(dim.from_unit(u)) for u in points[:, column]]
    model = mixture(dims, points)
    drawn = model.sample(4000, rng)
    assert drawn.min() >= 0 and drawn.max() <= 1
    uniform = rng.random((4000, len(dims)))
    for column, dim in enumerate(dims):
        if not dim.ordered:
            uniform[:, column] = (np.floor(uniform[:, column] * dim.size) + 0.5) / dim.size
    fractions = np.exp(model.log_density(uniform))
    expected = (uniform * fractions[:, None]).sum(axis=0) / fractions.sum()  # the mean by importance weights
    assert np.abs(drawn.mean(axis=0) - expected).max() < 0.03


def test_a_point_that_says_nothing_of_a_dimension():
    """It counts there as the broad kernel does."""
    rng = np.random.default_rng(0)
    model = mixture([LINE, LINE, KINDS], [[0.1, np.nan, np.nan]] * 6)
    drawn = model.sample(4000, rng)
    assert abs(np.median(drawn[:, 0]) - 0.13) < 0.05
    assert abs(np.median(drawn[:, 1]) - 0.5) < 0.03
    assert np.allclose(np.bincount((drawn[:, 2] * 4).astype(int)) / 4000, 0.25, atol=0.03)
    logs = model.log_density(np.array([[0.1, 0.4, 0.125], [0.1, 0.4, 0.875], [0.9, 0.4, 0.125]]))
    assert logs[0] == pytest.approx(logs[1])
    assert logs[0] > logs[2]


def test_no_points_and_no_dimensions():
    assert mixture([LINE, KINDS], []).sample(5, np.random.default_rng(0)).shape == (5, 2)
