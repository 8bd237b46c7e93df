"""Kernel density over some dimensions of a space, as tree-structured Parzen estimators use it."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from skauto.search._dimensions import Dimension

ANY = -1  # stands for all choices of a dimension alike


class Mixture:
    """One product kernel for each known point and a broad one over everything.

    Ordered dimensions have normal kernels on the unit scale, truncated at its ends; unordered ones give every other
    choice the same small probability.

    Parameters
    ----------
    dims : list of dimension
        As in `Space.branches`.
    points : ndarray of shape (n, d)
        Positions in the unit interval, see `Space.to_unit_branch`; NaN where a point has no value for a dimension.
    weights : ndarray of shape (n,)
        Weights of the kernels.
    prior : float
        Weight of the broad kernel, and of all choices together beside a kernel's own.
    bandwidth : float
        Standard deviation of a single kernel; with n of them it is ``bandwidth * n ** (-1 / (d + 4))``.

    References
    ----------
    Scott, "Multivariate density estimation", 1992, section 6.3 (bandwidth). Watanabe, arXiv 2304.11127, section 3.3
    (kernels of TPE).
    """

    def __init__(
        self, dims: Sequence[Dimension], points: np.ndarray, weights: np.ndarray, prior: float, bandwidth: float
    ) -> None:
        n, d = points.shape
        n_whole = int((~np.isnan(points)).all(axis=1).sum())
        sizes = np.array([dim.size for dim in dims], dtype=float)
        ordered = np.array([dim.ordered for dim in dims], dtype=bool)
        self._ordered, self._unordered = np.flatnonzero(ordered), np.flatnonzero(~ordered)
        total = np.append(weights, prior)
        self._weights = total / total.sum()
        n_known = n_whole or n
        least = np.maximum(1 / min(100, 1 + n_known), 0.5 / sizes[ordered])  # no sharper than what the points can tell
        spread = np.clip(bandwidth * max(n_known, 1) ** (-1 / (d + 4)), least, 1.0)
        means = np.vstack([points[:, ordered], np.full((1, len(spread)), np.nan)])
        self._spreads = np.where(np.isnan(means), 1.0, spread)
        self._means = np.where(np.isnan(means), 0.5, means)
        self._low, self._high = ndtr(-self._means / self._spreads), ndtr((1 - self._means) / self._spreads)
        self._log_scale = np.log(self._weights) - np.log(self._spreads * (self._high - self._low)).sum(axis=1)
        self._sizes = sizes[~ordered].astype(int)
        choices = points[:, ~ordered]
        self._choices = np.where(np.isnan(choices), ANY, np.nan_to_num(choices) * self._sizes).astype(int)
        self._aside = prior / (n_known + 1)  # fraction of all choices together beside the kernel's own, which has 1

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n points of the unit cube, as an array of shape (n, d)."""
        kernels = np.searchsorted(np.cumsum(self._weights), rng.random(n)).clip(0, len(self._weights) - 1)
        low, high = self._low[kernels], self._high[kernels]
        steps = ndtri(low + (high - low) * rng.random(low.shape))
        points = np.empty((n, len(self._ordered) + len(self._unordered)))
        points[:, self._ordered] = (self._means[kernels] + self._spreads[kernels] * steps).clip(0, 1)
        if len(self._sizes):
            anew = rng.random((n, len(self._sizes))) < self._aside / (1 + self._aside)
            fresh = (rng.random(anew.shape) * self._sizes).astype(int)
            known = np.vstack([self._choices, np.full((1, len(self._sizes)), ANY)])[kernels]
            points[:, self._unordered] = (np.where(anew | (known == ANY), fresh, known) + 0.5) / self._sizes
        return points

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """The logarithm of the density at points of shape (m, d), up to a constant of the space; of shape (m,)."""
        steps = (points[:, None, self._ordered] - self._means) / self._spreads
        logs = self._log_scale - 0.5 * np.einsum("mnd,mnd->mn", steps, steps)
        if len(self._sizes):
            choices = (points[:, self._unordered] * self._sizes).astype(int)
            other = self._aside / self._sizes
            norm = np.log(1 + self._aside)
            same = choices[:, None, :] == self._choices
            log_probs = np.where(same, np.log(1 + other), np.log(other)) - norm
            log_probs = np.where(self._choices == ANY, -np.log(self._sizes), log_probs)
            logs[:, :-1] += log_probs.sum(axis=2)
            logs[:, -1] -= np.log(self._sizes).sum()
        highest = logs.max(axis=1)
        return highest + np.log(np.exp(logs - highest[:, None]).sum(axis=1))
