"""A kind that is made known by one line passes what AutoClassifier promises for the others."""

import warnings

import numpy as np
import pandas as pd
import pytest

from skauto import AutoClassifier, Candidate, compress, load_model, save_model
from skauto.automl._kind import KINDS, kind_of
from tests.support.autos import quick
from tests.support.text_kind import KIND

RNG = np.random.default_rng(0)
SUBJECTS = {
    "spam": ["winner", "prize", "free", "click", "cash"],
    "mail": ["meeting", "report", "lunch", "monday", "draft"],
}
COMMON = ["the", "a", "please", "today", "we", "you", "and", "on", "with", "thanks"]
Y = np.where(np.arange(160) % 4 == 0, "spam", "mail")
X = [" ".join([*RNG.choice(SUBJECTS[label], 2), *RNG.choice(COMMON, 8)]) for label in Y]


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(KINDS, "text", KIND)


def texts(**changes):
    return quick(**{"candidates": "auto", "n_iter": 5, "pos_label": "spam", **changes})


@pytest.mark.parametrize("form", [list, np.array, pd.Series, lambda given: np.array(given, dtype=object)])
def test_it_is_recognised_and_learnt(form):
    assert kind_of(form(X)).name == "text" and kind_of(np.zeros((4, 2))).name == "table"
    auto = texts().fit(form(X[:120]), Y[:120])
    assert auto.kind_ == "text" and auto.n_features_in_ == 1
    assert np.mean(auto.predict(form(X[120:])) == Y[120:]) > 0.95
    assert set(auto.leaderboard_["candidate"]) == {"words_logistic", "words_bayes", "ensemble"}


def test_what_comes_with_it(tmp_path):
    auto = texts(journal=tmp_path / "journal", constraints={"bytes": 10_000_000}).fit(X, Y, sample_weight=np.ones(160))
    again = texts(journal=tmp_path / "journal", constraints={"bytes": 10_000_000}).fit(X, Y, sample_weight=np.ones(160))
    np.testing.assert_array_equal(again.predict_proba(X), auto.predict_proba(X))
    save_model(auto, tmp_path / "model")
    np.testing.assert_array_equal(load_model(tmp_path / "model").predict_proba(X), auto.predict_proba(X))
    assert auto.leaderboard(X, Y)["F1"].max() > 0.95


def test_compress_says_that_there_is_no_network_for_it():
    pytest.importorskip("torch")
    auto = texts().fit(X, Y)
    with pytest.raises(TypeError, match="no small network .* 'text'"):
        compress(auto, X, Y)


def test_candidates_of_ones_own_are_of_that_kind_too():
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    mine = Candidate("mine", make_pipeline(CountVectorizer(), MultinomialNB()), {"multinomialnb__alpha": [0.1, 1.0]})
    auto = texts(candidates=["auto", mine, "-words_bayes"]).fit(X, Y)
    assert set(auto.leaderboard_["candidate"]) == {"words_logistic", "mine", "ensemble"}


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="row 7 of X is 3.5, no text"):
        texts(kind="text").fit([*X[:7], 3.5, *X[8:]], Y)
    with pytest.raises(ValueError, match="kind='texts' must be .*'text'.* did you mean 'text'"):
        texts(kind="texts").fit(X, Y)


@pytest.mark.slow
def test_within_a_time_limit():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        auto = AutoClassifier(time_limit=12, pos_label="spam", verbose=0, random_state=0).fit(X, Y)
    assert auto.model_kind_ == "refitted" and np.mean(auto.predict(X) == Y) > 0.95
