"""Boosting in which each round learns from a balanced draw of the rows."""

from typing import Any, Self

import numpy as np
from scipy.special import softmax
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

from skauto._seeds import child_rng, child_seed, root_seed, seeded_clone
from skauto.resample._decisions import check_decision, most_probable
from skauto.resample._priors import correct_priors, positive_priors
from skauto.resample._rows import take_rows
from skauto.resample._wrapped import WrappedClassifier, checked_target, checked_weight, weights_placed

LEAST_ERROR = 1e-10  # of a round, so that its vote stays finite
MOST_COPIES = 10**8  # of all rows together, less than NumPy's hypergeometric draws allow


class RUSBoostClassifier(WrappedClassifier):
    """AdaBoost in which each round is fitted on all rows of the smallest class and as many of every other.

    Weights start with the same sum for each class, so that a round that does well on its balanced sample does well on
    the weighted rows too. imbalanced-learn's class of this name starts with equal row weights: there a balanced round
    can be wrong on more than half of the total weight, and the fit ends early, or fails in the first round. Here such
    a round is left out.

    Parameters
    ----------
    estimator : classifier that takes `sample_weight`, default=None
        The classifier of a round; None for a decision tree of depth 1.
    n_estimators : int, default=50
        Maximum number of rounds.
    learning_rate : float, default=1.0
        Factor of each round's vote weight.
    prior_correction : bool, default=True
        Correct the probabilities to the unresampled class fractions. Boosting remains overconfident: wrap in
        `CalibratedClassifierCV` where probabilities matter.
    decision : {"resampled", "unresampled"}, default="resampled"
        How `predict` decides: "resampled" by the weighted votes of the rounds, which were fitted on balanced samples;
        "unresampled" by the most probable class of `predict_proba`.
    random_state : int, RandomState or None, default=None
        Seed.

    Attributes
    ----------
    estimators_ : list of classifiers
        The fitted rounds; they predict codes of `classes_`.
    estimator_weights_ : ndarray of shape (n_rounds,)
        The vote weight of each.
    classes_ : ndarray of shape (K,)
        The class labels.
    original_priors_, trained_priors_ : ndarray of shape (K,)
        Fractions of the classes in y, and in the balanced samples: all equal.

    References
    ----------
    C. Seiffert, T. M. Khoshgoftaar, J. Van Hulse, A. Napolitano, "RUSBoost: a hybrid approach to alleviating class
    imbalance", IEEE Transactions on Systems, Man and Cybernetics A 40(1), 2010, section III; J. Zhu, H. Zou, S. Rosset,
    T. Hastie, "Multi-class AdaBoost", Statistics and Its Interface 2, 2009, sections 2 and 3.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skauto.resample import RUSBoostClassifier
    >>> X, y = make_classification(n_samples=1000, weights=[0.9], random_state=0)
    >>> RUSBoostClassifier(random_state=0).fit(X, y).predict_proba(X).shape
    (1000, 2)
    """

    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 50,
        *,
        learning_rate: float = 1.0,
        prior_correction: bool = True,
        decision: str = "resampled",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.prior_correction = prior_correction
        self.decision = decision
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the rounds.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows that the estimator takes.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
        """
        check_decision(self.decision)
        labels, self.classes_ = checked_target(X, y)
        codes = np.searchsorted(self.classes_, labels)
        weight = np.ones(len(codes)) if sample_weight is None else checked_weight(sample_weight, labels)
        self.original_priors_ = positive_priors(labels, self.classes_, weight)
        self.trained_priors_ = np.full(len(self.classes_), 1 / len(self.classes_))
        copies = _copies(weight)
        weight = weight / np.bincount(codes, weight)[codes]
        self.estimators_: list[Any] = []
        vote_weights, seed = [], root_seed(self.random_state)
        for i in range(self.n_estimators):
            model = self._round(X, codes, weight, copies, child_rng(seed, "draw", i), child_seed(seed, "round", i))
            wrong = model.predict(X) != codes
            vote = self._vote_weight(np.average(wrong, weights=weight))
            if vote > 0 or not self.estimators_:
                self.estimators_.append(model)
                vote_weights.append(max(vote, LEAST_ERROR))
            if vote > 0:
                weight = weight * np.exp(vote * wrong)
                weight = weight / weight.sum()
            if not wrong.any():
                break
        self.estimator_weights_ = np.array(vote_weights)
        self.estimator_ = self.estimators_[0]
        return self

    def _round(self, X, codes, weight, copies, rng, seed):
        """A classifier fitted on a balanced draw, in which a row of weight 3 stands for three rows."""
        members = [np.flatnonzero(codes == code) for code in range(len(self.classes_))]
        smallest = min(copies[rows].sum() for rows in members)
        taken = np.zeros_like(copies)
        for rows in members:
            taken[rows] = _draw(copies[rows], smallest, rng)
        rows = np.flatnonzero(taken)
        drawn, own = codes[rows], weight[rows] * taken[rows] / copies[rows]
        own = (
            own * (np.bincount(codes, weight) / np.bincount(drawn, own))[drawn]
        )  # a class keeps its total weight in the sample
        model = seeded_clone(self._base(), seed)
        return model.fit(take_rows(X, rows), drawn, **weights_placed(model, {"sample_weight": own}))

    def _vote_weight(self, error):
        error = np.clip(error, LEAST_ERROR, 1 - LEAST_ERROR)
        return self.learning_rate * (np.log((1 - error) / error) + np.log(len(self.classes_) - 1))

    def _base(self):
        return DecisionTreeClassifier(max_depth=1) if self.estimator is None else self.estimator

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities for the unresampled class fractions (see `prior_correction`), (n, K)."""
        check_is_fitted(self)
        proba = softmax(self._votes(X), axis=1)  # a vote moves the log-odds of its class by its weight
        if not self.prior_correction:
            return proba
        return correct_priors(proba, self.trained_priors_, self.original_priors_)

    def predict(self, X: Any) -> np.ndarray:
        """The labels of the rows, (n,): by the votes of the rounds, or the most probable class (see `decision`)."""
        check_is_fitted(self)
        score = self.predict_proba(X) if self.decision == "unresampled" else self._votes(X)
        return most_probable(score, self.classes_)

    def _votes(self, X):
        """The sum of the vote weights of the rounds for each class, (n, K)."""
        votes = 0.0
        for model, vote in zip(self.estimators_, self.estimator_weights_, strict=True):
            votes = votes + vote * np.eye(len(self.classes_))[model.predict(X)]
        return votes


def _draw(copies, n, rng):
    """How often each row is taken, (m,), in n draws without replacement; row i stands for `copies[i]` rows."""
    if copies.max() > 1:
        return rng.multivariate_hypergeometric(copies, n, method="marginals")
    taken = np.zeros_like(copies)
    taken[rng.choice(np.flatnonzero(copies), n, replace=False)] = 1
    return taken


def _copies(weight):
    """The number of rows that each stands for in a draw, (n,): its rounded weight, at least 1 if above zero."""
    most = max(1, MOST_COPIES // len(weight))
    return np.where(weight > 0, np.clip(np.round(weight), 1, most), 0).astype(np.int64)
