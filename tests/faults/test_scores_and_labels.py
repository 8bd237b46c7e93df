"""Scores that are no floats, labels that are names, scorers that cannot work: a failed trial or one error."""

import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, make_scorer
from sklearn.model_selection import GridSearchCV

from skauto.search import SearchCV, maximize

X, CODES = make_classification(150, 5, weights=[0.8], random_state=0)
NAMES = np.where(CODES == 1, "bad", "good")
X3, Y3 = make_classification(150, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
MODEL, SPACE = LogisticRegression(), {"C": [0.5, 1, 100]}


class Unspeakable:
    """What can be neither a number nor printed."""

    def __repr__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    "bad",
    [10**400, -(10**5000), None, "0.5", 1j, np.array([1.0, 2.0]), np.nan, np.inf, Decimal("sNaN"), Unspeakable(), {}],
    ids=lambda value: type(value).__name__,
)
def test_an_objective_that_returns_no_number_fails_its_trial_only(bad):
    """An integer beyond every float ended the whole search with an OverflowError."""
    history = maximize(
        lambda params: bad if params["x"] == 2 else params["x"], {"x": [1, 2, 3]}, n_iter=3, random_state=0
    )
    assert sorted(str(result.status) for result in history.results.values()) == ["complete", "complete", "failed"]
    assert history.best()[1].score == 3
    (reason,) = [result.reason for result in history.results.values() if result.reason]
    assert "not a finite number" in reason and len(reason) < 300


@pytest.mark.parametrize(
    "make",
    [float, int, np.float32, np.int8, Decimal, Fraction, np.array, bool, np.bool_],
    ids=lambda make: make.__name__,
)
def test_what_is_a_number_is_a_score(make):
    history = maximize(lambda params: make(params["x"]), {"x": [0, 1]}, n_iter=2, random_state=0)
    assert history.best()[1].score == 1.0


@pytest.mark.parametrize("value", [10**400, 1j, np.inf])
def test_a_scorer_that_returns_no_number_fails_its_trials(value):
    def score(estimator, X, y):
        return value if estimator.C == 1 else Decimal(1)

    search = SearchCV(MODEL, SPACE, scoring=score, cv=2, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that scores are not finite, as scikit-learn warns
        means = search.fit(X, CODES).cv_results_["mean_test_score"]
    assert not np.isfinite(means[1])
    assert means[[0, 2]].tolist() == [1, 1]


@pytest.mark.parametrize("name", ["f1", "precision", "recall", "jaccard", "average_precision", "neg_brier_score"])
@pytest.mark.parametrize("labels", [("good", "bad"), (5, 7), ("b", "a")])
def test_the_rarer_of_two_named_classes_is_positive(name, labels):
    """scikit-learn's scorers look for a label 1: every score was NaN, without a word."""
    y = np.array(labels)[CODES]
    ours = SearchCV(MODEL, SPACE, scoring=name, cv=3).fit(X, y)
    theirs = GridSearchCV(MODEL, SPACE, scoring=name, cv=3).fit(X, CODES)
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-6)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, CODES), abs=1e-6)


def test_several_scores_and_a_dict_of_names():
    ours = SearchCV(MODEL, SPACE, scoring={"F": "f1", "accuracy": "accuracy"}, refit="F", cv=3).fit(X, NAMES)
    theirs = GridSearchCV(MODEL, SPACE, scoring="f1", cv=3).fit(X, CODES)
    np.testing.assert_allclose(ours.cv_results_["mean_test_F"], theirs.cv_results_["mean_test_score"])
    listed = SearchCV(MODEL, SPACE, scoring=["f1", "roc_auc"], refit=False, cv=3).fit(X, NAMES)
    np.testing.assert_allclose(listed.cv_results_["mean_test_f1"], theirs.cv_results_["mean_test_score"])


def test_labels_with_a_one_keep_the_meaning_of_scikit_learn():
    y = np.where(CODES == 1, 0, 1)
    ours = SearchCV(MODEL, SPACE, scoring="f1", cv=3).fit(X, y)
    theirs = GridSearchCV(MODEL, SPACE, scoring="f1", cv=3).fit(X, y)
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


@pytest.mark.parametrize(
    ("scoring", "X", "y", "message"),
    [
        ("f1", X3, Y3, "scoring='f1' is for two classes, y has 3; use 'f1_macro'"),
        ("roc_auc", X3, Y3, "use 'roc_auc_ovr'"),
        (make_scorer(f1_score), X, NAMES, "make_scorer\\(metric, pos_label='bad'\\)"),
        ({"one": make_scorer(f1_score, pos_label="worse")}, X, NAMES, "the scorer 'one' cannot score the labels"),
        ("f1_samples", X, CODES, "scoring='f1_samples' cannot score the labels"),
    ],
)
def test_a_scorer_that_cannot_work_is_one_error_before_the_search(scoring, X, y, message):
    fits = []

    class Counted(LogisticRegression):
        def fit(self, *args, **kwargs):
            fits.append(1)
            return super().fit(*args, **kwargs)

    with pytest.raises(ValueError, match=message):
        SearchCV(Counted(), SPACE, scoring=scoring, cv=2, refit=False).fit(X, y)
    assert not fits


def test_a_score_of_the_fitted_model_itself_is_not_tried_beforehand():
    search = SearchCV(MODEL, SPACE, scoring=lambda estimator, X, y: -float(np.abs(estimator.coef_).sum()), cv=2)
    assert np.isfinite(search.fit(X, NAMES).best_score_)
    assert clone(search).scoring is search.scoring


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scoring": "f2"}, "'f2' is no scorer of scikit-learn; did you mean 'f1'"),
        ({"scoring": ["accuracy", "rocauc"], "refit": False}, "did you mean 'roc_auc'"),
        ({"refit": "one-se"}, "refit='one-se' is not known; did you mean 'one_se'"),
        ({"racing": "yes"}, "The 'racing' parameter of SearchCV must be .* Got 'yes' instead"),
        ({"strategy": "halvin"}, "Did you mean 'halving'"),
    ],
)
def test_names_that_mean_nothing(settings, message):
    with pytest.raises(ValueError, match=message):
        SearchCV(MODEL, SPACE, cv=2, **settings).fit(X, CODES)


def test_verbose_says_what_is_done(capsys):
    SearchCV(MODEL, SPACE, cv=2, verbose=1).fit(X, CODES)
    before, after = capsys.readouterr().out.splitlines()
    assert before == "SearchCV: strategy Grid, the whole grid, 2 folds a trial, n_jobs=None"
    assert after.startswith("SearchCV: 3 trials, 0 of them failed, best score 0.")
    SearchCV(MODEL, SPACE, cv=2).fit(X, CODES)
    assert not capsys.readouterr().out


def mean_recall(estimator, X, y):
    return balanced_accuracy_score(y, estimator.predict(X))


def weighted_accuracy(estimator, X, y, sample_weight=None):
    return accuracy_score(y, estimator.predict(X), sample_weight=sample_weight)


def test_functions_among_several_scores_go_with_sample_weight():
    """scikit-learn's searches end in an AttributeError here, and SearchCV did too; each function alone works there."""
    weight = np.linspace(0.5, 3, len(CODES))
    several = {"own": mean_recall, "weighted": weighted_accuracy}
    with pytest.warns(UserWarning, match="own=<function mean_recall.* does not support sample_weight"):
        search = SearchCV(MODEL, SPACE, strategy="grid", scoring=several, refit="weighted")
        search.fit(X, CODES, sample_weight=weight)
    assert search.scorer_ == several
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, function in several.items():
            alone = GridSearchCV(MODEL, SPACE, scoring=function).fit(X, CODES, sample_weight=weight)
            scores = alone.cv_results_["mean_test_score"]
            np.testing.assert_allclose(search.cv_results_[f"mean_test_{name}"], scores)
