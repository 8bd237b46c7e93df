"""MiniRocket features of sequences, also of unequal lengths and of several features a step."""

import ctypes
from dataclasses import dataclass
from itertools import combinations
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skauto import _native
from skauto._seeds import child_rng, root_seed
from skauto._sklearn import Interval
from skauto.estimators.sequences._sequences import center_and_spread, check_sequences, fill_gaps
from skauto.inputs._sequences import series_lengths

SOURCE = Path(__file__).parents[1] / "kernels" / "minirocket.c"
POSITIONS = np.array(list(combinations(range(9), 3)))  # where the three weights 2 sit; the other six are -1
HALF = 4
GOLDEN = (np.sqrt(5) + 1) / 2
MOST_CHANNELS = 9  # channels of one combination


@dataclass(frozen=True)
class _Plan:
    """Combinations of kernel, dilation and channels, and their biases, as kernels/minirocket.c wants them."""

    positions: np.ndarray  # (m, 3)
    dilation: np.ndarray  # (m,)
    padded: np.ndarray  # (m,)
    channel_at: np.ndarray  # (m + 1,)
    chosen: np.ndarray
    feature_at: np.ndarray  # (m + 1,)
    biases: np.ndarray  # float32, one a feature


class MiniRocketTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """MiniRocket: the fraction of steps at which fixed small convolutions exceed biases drawn from the training series.

    Followed by ridge or logistic regression it is a strong and fast baseline for sequences. Differences to the
    paper: a series is convolved over its own length only, so unequal lengths need no padding; channels are
    summed before the convolution, as in the authors' multivariate version; the mean of a feature in fit is
    subtracted first, so that a large offset does not cost float32 precision; where lengths differ in fit, the logarithm
    of the length is one more feature.

    Parameters
    ----------
    n_features : int
        Approximate number of features, rounded down to a multiple of 84.
    max_dilations : int
        Maximum number of dilations of a kernel.
    random_state : int, RandomState, Generator or None
        Seed for the series that biases are drawn from, and for the channels.

    Attributes
    ----------
    n_features_in_ : int
        Features of a step; for X with two axes its columns.

    References
    ----------
    Dempster, Schmidt, Webb: "MiniRocket: A Very Fast (Almost) Deterministic Transform for Time Series
    Classification", KDD 2021, sections 3.1 and 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import RidgeClassifierCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from skauto.estimators import MiniRocketTransformer
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(60) % 2
    >>> X = [np.sin(np.arange(rng.integers(30, 50)) * (0.5 + label)) + rng.normal(0, 0.5) for label in y]
    >>> model = make_pipeline(MiniRocketTransformer(n_features=840, random_state=0), RidgeClassifierCV())
    >>> model.fit(X[:40], y[:40]).score(X[40:], y[40:])
    1.0
    """

    _parameter_constraints = {
        "n_features": [Interval(Integral, len(POSITIONS), None, closed="left")],
        "max_dilations": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        n_features: int = 10_000,
        *,
        max_dilations: int = 32,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
    ) -> None:
        self.n_features = n_features
        self.max_dilations = max_dilations
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Choose dilations and channels, and draw biases from the series.

        Parameters
        ----------
        X : array of shape (rows, time, features) or (rows, time), or a list of arrays (time_i, features)
            Series; NaN at the end is padding, elsewhere a missing value, which is interpolated.
        y : ignored

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For X that cannot be used, see the message.
        """
        self._validate_params()
        X, lengths = self._series(X, reset=True)
        rng = child_rng(root_seed(self.random_state), "minirocket")
        self._uses_length = bool(np.ptp(lengths))
        self._plan = _plan(X, lengths, self.n_features // len(POSITIONS), self.max_dilations, rng)
        self._n_features_out = len(self._plan.biases) + self._uses_length
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Features of each series.

        Parameters
        ----------
        X : as in `fit`, the number of steps may differ (but of X with two axes, whose columns it is)

        Returns
        -------
        features : ndarray of float32, shape (rows, n_features_out)
        """
        check_is_fitted(self, "_plan")
        X, lengths = self._series(X, reset=False)
        library = _native.load(SOURCE)
        features = _by_numpy(self._plan, X, lengths) if library is None else _by_kernel(library, self._plan, X, lengths)
        if self._uses_length:
            features = np.column_stack([features, np.log(lengths).astype(np.float32)])
        return features

    def _series(self, X, reset):
        """Contiguous (rows, features, time) of float32, centred and with zeros for padding, and lengths."""
        X = check_sequences(self, X, reset=reset)
        lengths = series_lengths(X)
        if reset:
            center = center_and_spread(X)[0]
            self._center, self._unseen = np.nan_to_num(center), np.isnan(center)
        X = (X - self._center).astype(np.float32)
        X[..., self._unseen] = np.where(np.isnan(X[..., self._unseen]), np.nan, 0)
        return np.ascontiguousarray(fill_gaps(X, lengths).transpose(0, 2, 1)), lengths


def _plan(X, lengths, per_kernel, max_dilations, rng):
    """Dilations spread evenly in the logarithm up to the longest series, biases at quantiles of a random series."""
    rows, channels, _ = X.shape
    largest = np.log2(max(1.0, (lengths.max() - 1) / (2 * HALF)))
    count = min(per_kernel, max_dilations)
    dilations, times = np.unique((2 ** np.linspace(0, largest, count)).astype(np.int64), return_counts=True)
    counts = times * per_kernel // count
    counts[: per_kernel - counts.sum()] += 1
    dilation, features = np.repeat(dilations, len(POSITIONS)), np.repeat(counts, len(POSITIONS))
    m = np.arange(len(dilation))
    most = np.log2(min(channels, MOST_CHANNELS) + 1)
    sizes = (2 ** rng.uniform(0, most, len(m))).astype(np.int64)
    chosen = [rng.choice(channels, size, replace=False) for size in sizes]
    positions, padded = POSITIONS[m % len(POSITIONS)], (m // len(POSITIONS) + m) % 2 == 0
    at = np.r_[0, np.cumsum(features)]
    quantiles = np.arange(1, at[-1] + 1) * GOLDEN % 1
    biases = []
    for i, row in zip(m, rng.integers(rows, size=len(m)), strict=True):
        out = _convolve(X[row : row + 1, chosen[i], : lengths[row]].sum(1), dilation[i], positions[i])[0]
        biases.append(np.quantile(out, quantiles[at[i] : at[i + 1]]))
    return _Plan(
        np.ascontiguousarray(positions),
        dilation,
        padded.astype(np.int64),
        np.r_[0, np.cumsum(sizes)],
        np.concatenate(chosen),
        at,
        np.concatenate(biases).astype(np.float32),
    )


def _convolve(series, dilation, positions):
    """Convolution of series (rows, time) with the kernel that has its weights 2 at `positions`, zeros beyond the ends.

    It adds up in the order of kernels/minirocket.c, all weights -1 and then 3 at `positions`: a sum that ties with a
    bias there must tie here.
    """
    out = np.zeros_like(series)
    time = series.shape[1]
    for position, weight in [
        *((position, -1) for position in range(2 * HALF + 1)),
        *((position, 3) for position in positions),
    ]:
        shift = (position - HALF) * dilation
        low, high = max(0, -shift), min(time, time - shift)
        if low < high:
            out[:, low:high] += weight * series[:, low + shift : high + shift]
    return out


def _by_numpy(plan, X, lengths):
    features = np.empty((len(X), len(plan.biases)), dtype=np.float32)
    t = np.arange(X.shape[2])
    for m, dilation in enumerate(plan.dilation):
        channels = plan.chosen[plan.channel_at[m] : plan.channel_at[m + 1]]
        out = _convolve(X[:, channels].sum(1), dilation, plan.positions[m])
        edge = np.where(plan.padded[m] | (lengths <= 2 * HALF * dilation), 0, HALF * dilation)[:, None]
        inside = (t >= edge) & (t < lengths[:, None] - edge)
        for f in range(plan.feature_at[m], plan.feature_at[m + 1]):
            features[:, f] = ((out > plan.biases[f]) & inside).sum(1) / inside.sum(1)
    return features


def _by_kernel(library, plan, X, lengths):
    rows, channels, time = X.shape
    features, work = np.empty((rows, len(plan.biases)), dtype=np.float32), np.empty(3 * time, dtype=np.float32)
    lengths = lengths.astype(np.int64)

    def pointer(array):
        return ctypes.c_void_p(array.ctypes.data)

    def size(number):
        return ctypes.c_int64(number)

    tables = (plan.positions, plan.dilation, plan.padded, plan.channel_at, plan.chosen, plan.feature_at, plan.biases)
    library.minirocket(
        *(pointer(X), size(rows), size(channels), size(time), pointer(lengths), size(len(plan.dilation))),
        *map(pointer, tables),
        *(pointer(features), size(features.shape[1]), pointer(work)),
    )
    return features
