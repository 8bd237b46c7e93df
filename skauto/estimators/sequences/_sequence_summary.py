"""Summary features of sequences, for classifiers of tables."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skauto.estimators.sequences._sequences import ROUNDING, center_and_spread, check_sequences, fill_gaps
from skauto.inputs._sequences import series_lengths

SEGMENTS = 8  # parts of a series whose means and deviations are features
LAGS = (1, 2, 3, 5, 8, 13)  # of the autocorrelation
BANDS = 12  # lowest frequencies whose power is a feature
QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


class SequenceSummaryTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Summary statistics of a series, about 50 numbers per feature, for gradient boosting.

    Mean, standard deviation, quantiles, slope, first and last value, changes, crossings of the mean, positions of the
    extremes, autocorrelations, power at low frequencies, means and standard deviations of eighths; then correlations
    between features, and the length.

    Attributes
    ----------
    n_features_in_ : int
        Features of a step; for X with two axes its columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators import SequenceSummaryTransformer
    >>> SequenceSummaryTransformer().fit_transform([np.arange(20.0), np.arange(12.0)]).shape
    (2, 50)
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Store the mean of each feature, which imputes it in a series without a value.

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
        X = check_sequences(self, X, reset=True).astype(np.float64, copy=False)
        center = center_and_spread(X)[0]
        self._center, self._unseen = np.nan_to_num(center), np.isnan(center)
        self._n_features_out = len(_summary(fill_gaps(X[:1], series_lengths(X[:1]))[0].T))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Features of each series.

        Parameters
        ----------
        X : as in `fit`, the number of steps may differ (but of X with two axes, whose columns it is)

        Returns
        -------
        features : ndarray of shape (rows, n_features_out)
        """
        check_is_fitted(self, "_n_features_out")
        X = check_sequences(self, X, reset=False).astype(np.float64, copy=False)
        lengths = series_lengths(X)
        filled = fill_gaps(X, lengths, self._center)
        filled[..., self._unseen] = 0
        return np.stack([_summary(x[:n].T) for x, n in zip(filled, lengths, strict=True)])


def _summary(x):
    """Features of one series x (features, time)."""
    n = x.shape[1]
    mean, deviation = x.mean(1), x.std(1)
    z = (x - mean[:, None]) / np.where(deviation > ROUNDING * np.abs(mean), deviation, 1)[:, None]
    change = np.diff(x, axis=1, append=x[:, -1:])
    columns = [mean, deviation, *np.quantile(x, QUANTILES, axis=1), x[:, 0], x[:, -1]]
    columns += [z @ np.linspace(-1, 1, n) / n, np.abs(change).mean(1), change.std(1), (z**3).mean(1), (z**4).mean(1)]
    columns += [(np.diff(np.sign(z), axis=1) != 0).sum(1) / n, x.argmax(1) / n, x.argmin(1) / n]
    columns += [(z[:, lag:] * z[:, : max(0, n - lag)]).sum(1) / n for lag in LAGS]
    columns += list(_power(z).T)
    parts = np.array_split(np.arange(n), SEGMENTS)
    columns += [x[:, part].mean(1) if len(part) else x[:, -1] for part in parts]
    columns += [x[:, part].std(1) if len(part) else np.zeros(len(x)) for part in parts[::2]]
    upper = np.triu_indices(len(x), 1)
    return np.concatenate([*columns, (z @ z.T / n)[upper], [n]])


def _power(z):
    """Power (features, BANDS) of z at its lowest frequencies, the mean left out."""
    power = np.abs(np.fft.rfft(z, axis=1)[:, 1 : BANDS + 1]) ** 2 / z.shape[1] ** 2
    return np.pad(power, [(0, 0), (0, BANDS - power.shape[1])])
