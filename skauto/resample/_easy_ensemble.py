"""Balanced bags of boosted trees."""

from sklearn.ensemble import HistGradientBoostingClassifier

from skauto.resample._balanced_bagging import BalancedBaggingClassifier


class EasyEnsembleClassifier(BalancedBaggingClassifier):
    """Averages boosted trees, each fitted on all rows of the smallest class and as many of every other.

    The bags are boosted by histogram trees in place of the paper's AdaBoost, so that gaps, categories and weights are
    welcome; imbalanced-learn's class of this name refuses all three.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        The booster of each bag; None for `HistGradientBoostingClassifier` with 50 rounds of 8 leaves.
    n_estimators : int, default=10
        Number of bags.
    sampler : sampler, default=None
        What balances a bag; None for `RandomUnderSampler()`. Each bag has a seed of its own.
    prior_correction : bool, default=True
        Move the mean probabilities back to the natural shares of the classes.
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
    natural_priors_, trained_priors_ : ndarray of shape (n_classes,)
        Shares of the classes in y, and in the bags on average.

    References
    ----------
    X.-Y. Liu, J. Wu, Z.-H. Zhou, "Exploratory undersampling for class-imbalance learning", IEEE Transactions on
    Systems, Man, and Cybernetics B 39(2), 2009, section III.A.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skauto.resample import EasyEnsembleClassifier
    >>> X, y = make_classification(n_samples=1000, weights=[0.9], random_state=0)
    >>> EasyEnsembleClassifier(n_estimators=3, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    def _base(self):
        if self.estimator is not None:
            return self.estimator
        return HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, early_stopping=False)
