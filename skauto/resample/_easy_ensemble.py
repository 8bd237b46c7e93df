"""Balanced bags of boosted trees."""

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from skauto.resample._balanced_bagging import BalancedBaggingClassifier


class EasyEnsembleClassifier(BalancedBaggingClassifier):
    """Averages boosted trees, each fitted on all rows of the smallest class and as many of every other.

    The bags are boosted histogram trees instead of the paper's AdaBoost, so that missing values, categories and weights
    are accepted; imbalanced-learn's class of this name refuses all three.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        The booster of each bag; None for `HistGradientBoostingClassifier` with 50 rounds of 8 leaves.
    n_estimators : int, default=10
        Number of bags.
    sampler : sampler, default=None
        Balances each bag; None for `RandomUnderSampler()`. Each bag has a seed of its own.
    bootstrap : bool, default=False
        Whether the rows of each class are drawn with replacement before they are balanced.
    prior_correction : bool, default=True
        Correct the mean probabilities to the unresampled class fractions (see `BalancedBaggingClassifier`).
    decision : {"resampled", "unresampled"}, default="resampled"
        How `predict` decides: "resampled" by the mean probabilities as the balanced bags give them; "unresampled" by
        the most probable class of `predict_proba`.
    random_state : int, RandomState or None, default=None
        Seed.
    n_jobs : int, default=None
        Processes.

    Attributes
    ----------
    estimators_ : list of ResamplingClassifier
        The fitted bags.
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    original_priors_, trained_priors_ : ndarray of shape (n_classes,)
        Fractions of the classes in y, and in the bags on average.
    calibration_ : callable or None
        Calibrates the mean probabilities after a cleaning sampler.

    References
    ----------
    X.-Y. Liu, J. Wu, Z.-H. Zhou, "Exploratory undersampling for class-imbalance learning", IEEE Transactions on
    Systems, Man, and Cybernetics B 39(2), 2009, section III.A.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skauto.resample import EasyEnsembleClassifier
    >>> X, y = make_classification(n_samples=1000, weights=[0.9], random_state=0)
    >>> model = EasyEnsembleClassifier(n_estimators=3, random_state=0).fit(X, y)
    >>> bool(model.predict(X)[y == 1].mean() > 0.9)  # recall of the rare class
    True
    """

    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 10,
        *,
        sampler: Any = None,
        bootstrap: bool = False,
        prior_correction: bool = True,
        decision: str = "resampled",
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.sampler = sampler
        self.bootstrap = bootstrap
        self.prior_correction = prior_correction
        self.decision = decision
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _base(self):
        if self.estimator is not None:
            return self.estimator
        return HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, early_stopping=False)
