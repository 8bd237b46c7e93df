"""Draws of rows: what belongs together is on one side, and classes keep their sizes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skauto.automl.selection._bootstrap import Units


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1_000), st.integers(20, 60), st.integers(1, 3), st.booleans())
def test_rows_of_a_unit_are_on_one_side(seed, n_rows, repeats, grouped):
    rng = np.random.default_rng(seed)
    y = np.append([0, 0, 1, 1], rng.integers(2, size=n_rows - 4))
    number = np.concatenate([rng.permutation(n_rows) for _ in range(repeats)])
    groups = rng.integers(8, size=n_rows) if grouped else None
    unit = number if groups is None else groups[number]
    units = Units(number, y[number], None if groups is None else groups[number])
    for draw in units.draws(seed, units.n_units, 5, 10):
        assert not set(unit[draw.inside]) & set(unit[draw.outside])
        assert set(draw.inside) | set(draw.outside) == set(range(len(number)))
        for part in draw.parts[:3]:
            assert len(np.unique(part)) == len(part)
            assert grouped or len(part) == len(draw.outside)
        if not grouped:  # as many of each class as there are
            assert np.bincount(y[number][draw.inside]).tolist() == (np.bincount(y) * repeats).tolist()
