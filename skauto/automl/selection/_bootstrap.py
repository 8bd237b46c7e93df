"""Bootstrap draws of validated rows: those that a choice is made on, those that had no part in it, and samples."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

# In all draws together: samples of rows, for an interval, and parts of all rows as large as what is left of a draw,
# which tell what a choice that stays the same is worth on so few.
SAMPLES, PARTS = 240, 120


class Draw(NamedTuple):
    """Positions of validated rows.

    Attributes
    ----------
    inside : ndarray
        Those to choose on, some more than once.
    outside : ndarray
        The others.
    samples : list of ndarray
        Samples of the others, with replacement.
    parts : list of ndarray
        As many rows as there are others, of all.
    """

    inside: np.ndarray
    outside: np.ndarray
    samples: list[np.ndarray]
    parts: list[np.ndarray]


class Units:
    """The rows of a table that were validated, as units that are drawn: rows of a class, or groups.

    Parameters
    ----------
    number : ndarray of shape (n_validated,)
        Row number of each validated row; repeats of the cross-validation validate a row more than once.
    y : ndarray of shape (n_validated,)
        Codes.
    groups : ndarray of shape (n_validated,) or None
        Rows of a group are drawn together.
    """

    def __init__(
        self, number: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None
    ) -> None:
        units = number if groups is None else groups
        _, self._unit = np.unique(units, return_inverse=True)
        self.n_units = int(self._unit.max()) + 1
        # Positions by unit, one after the other: those of a unit begin at its start.
        self._positions = np.argsort(self._unit, kind="stable")
        self._counts = np.bincount(self._unit, minlength=self.n_units)
        self._starts = np.cumsum(self._counts) - self._counts
        strata = np.zeros(self.n_units, dtype=np.int64)
        if groups is None:
            strata[self._unit] = y
        self._strata = [np.flatnonzero(strata == k) for k in np.unique(strata)]

    def draws(self, seed: int, most: int, count: int, n_new: float) -> Iterator[Draw]:
        """Bootstrap draws of at most `most` units, with samples that tell of `n_new` new ones."""
        rng = np.random.default_rng(seed)
        for _ in range(count):
            inside = np.concatenate(
                [self._drawn(rng, some, most / self.n_units) for some in self._strata]
            )
            is_outside = np.ones(self.n_units, dtype=bool)
            is_outside[inside] = False
            outside = [units[is_outside[units]] for units in self._strata]
            count_outside = sum(map(len, outside))
            if not count_outside:
                continue
            size = _sample_size(count_outside, self.n_units, n_new)
            samples = [
                _sample(rng, outside, size / count_outside)
                for _ in range(SAMPLES // count)
            ]
            parts = [self._part(rng, outside) for _ in range(PARTS // count)]
            yield Draw(
                self._rows_of(inside),
                self._rows_of(np.concatenate(outside)),
                [self._rows_of(sample) for sample in samples],
                [self._rows_of(part) for part in parts],
            )

    def _drawn(
        self, rng: np.random.Generator, units: np.ndarray, fraction: float
    ) -> np.ndarray:
        size = max(round(len(units) * min(fraction, 1.0)), 1)
        return rng.choice(units, size)

    def _part(self, rng: np.random.Generator, outside: list[np.ndarray]) -> np.ndarray:
        """Units without replacement, of each stratum as many as are outside of a draw."""
        return np.concatenate(
            [
                rng.permutation(units)[: len(others)]
                for units, others in zip(self._strata, outside, strict=True)
            ]
        )

    def _rows_of(self, units: np.ndarray) -> np.ndarray:
        """Positions of the validated rows of some units."""
        counts = self._counts[units]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return self._positions[np.repeat(self._starts[units], counts) + within]


def _sample(
    rng: np.random.Generator, strata: list[np.ndarray], fraction: float
) -> np.ndarray:
    """Units drawn with replacement, the same fraction of each stratum."""
    parts = [
        rng.choice(units, max(round(len(units) * fraction), 1))
        for units in strata
        if len(units)
    ]
    return np.concatenate(parts)


def _sample_size(n_outside: int, n_units: int, n_new: float) -> float:
    """Units of a sample whose scores vary as those of new rows do about the estimate.

    A mean of m new rows varies by s^2 / m, and the estimate from n rows by s^2 / n. The means of the parts of the n
    rows that were not drawn vary by s^2 (1 / n_outside - 1 / n) already: the sample adds what is missing.
    """
    missing = 1 / n_new + 2 / n_units - 1 / n_outside
    return 1 / max(missing, 1 / n_outside)
