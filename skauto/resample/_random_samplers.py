"""Rows repeated or left out at random."""

from collections.abc import Mapping

import imblearn.over_sampling
import imblearn.under_sampling
import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from skauto.resample._sampler import Rows, RowSampler, kept
from skauto.resample._tables import column_spread


class RandomOverSampler(RowSampler, imblearn.over_sampling.RandomOverSampler):
    """Over-sampling by repeating rows of the smaller classes, as they are or with a little noise.

    Takes any input; with `shrinkage` numbers are jittered (smoothed bootstrap) and categories copied.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn; a float is the ratio of each class to the largest, also for more than two classes.
    random_state : int, RandomState or None, default=None
        Seed. Every class has a stream of its own.
    shrinkage : float or dict, default=None
        Width of the noise, for all classes or by label; None for none.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to add, by label.
    sample_indices_ : ndarray of shape (m,)
        Position of the row that each row given back comes from.
    parents_, steps_ : ndarray of shape (m, 2), (m,)
        The same in the form that SMOTE has; steps are 0.

    References
    ----------
    G. Menardi, N. Torelli, "Training and assessing classification rules with imbalanced data", Data Mining and
    Knowledge Discovery 28(1), 2014, section 4.

    Examples
    --------
    >>> from skauto.resample import RandomOverSampler
    >>> RandomOverSampler(random_state=0).fit_resample([["a"], ["b"], ["c"]], [0, 0, 1])
    ([['a'], ['b'], ['c'], ['c']], [0, 0, 1, 1])
    """

    _at_random = True

    def _fit_resample(self, table, y, notes):
        shrinkage = self._shrinkage()
        n = table.numeric.shape[0]
        added, noise = [], []
        for label, code, count, seed in self._quotas():
            rng = check_random_state(seed)
            rows = np.flatnonzero(y == code)
            added.append(rng.choice(rows, size=count, replace=True))
            if shrinkage is not None:
                noise.append(_noise(table.numeric[rows], n, count, shrinkage[label], rng))
        added = np.concatenate(added) if added else np.empty(0, dtype=np.intp)
        plain = kept(table, np.concatenate([np.arange(n), added]))
        if shrinkage is None or not len(added):
            return plain
        made = np.vstack(noise) + _dense(table.numeric[added])
        return Rows(table.append(made, table.codes[added], added), plain.parents, plain.steps)

    def _shrinkage(self):
        if self.shrinkage is None:
            self.shrinkage_ = None
        elif isinstance(self.shrinkage, Mapping):
            self.shrinkage_ = dict(self.shrinkage)
            missing = self.sampling_strategy_.keys() - self.shrinkage_.keys()
            if missing:
                raise ValueError(
                    "`shrinkage` should contain a shrinkage factor for each class that will be resampled. The missing "
                    f"classes are: {missing!r}"
                )
        else:
            self.shrinkage_ = dict.fromkeys(self.sampling_strategy_, self.shrinkage)
        for label, factor in (self.shrinkage_ or {}).items():
            if factor < 0:
                raise ValueError(f"The shrinkage factor needs to be >= 0. Got {factor} for class {label}.")
        return self.shrinkage_


def _noise(own, n, count, factor, rng):
    """Gaussian noise of the width that suits n rows and the spread of a class."""
    p = own.shape[1]
    width = (4 / ((p + 2) * n)) ** (1 / (p + 4))
    return rng.randn(count, p) * (factor * width * column_spread(_dense(own)))


def _dense(numeric):
    return numeric.toarray() if sparse.issparse(numeric) else numeric


class RandomUnderSampler(RowSampler, imblearn.under_sampling.RandomUnderSampler):
    """Under-sampling by leaving out rows of the larger classes at random; takes any input.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn; a float is the ratio of the smallest class to each other, also for more than two.
    random_state : int, RandomState or None, default=None
        Seed. Every class has a stream of its own.
    replacement : bool, default=False
        Whether a row may be taken more than once.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to keep, by label.
    sample_indices_ : ndarray of shape (m,)
        Positions of the rows kept.
    parents_, steps_ : ndarray of shape (m, 2), (m,)
        The same in the form that SMOTE has; steps are 0.

    Examples
    --------
    >>> from skauto.resample import RandomUnderSampler
    >>> RandomUnderSampler(random_state=0).fit_resample([[0], [1], [2], [3]], [0, 0, 0, 1])
    ([[2], [3]], [0, 1])
    """

    _at_random = True

    def _fit_resample(self, table, y, notes):
        chosen = {code: np.flatnonzero(y == code) for code in range(len(self.classes_))}
        for _, code, count, seed in self._quotas():
            rows = chosen[code]
            chosen[code] = rows[check_random_state(seed).choice(len(rows), size=count, replace=self.replacement)]
        return kept(table, np.concatenate(list(chosen.values())))
