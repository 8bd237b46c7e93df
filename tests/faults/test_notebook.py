"""What a notebook shows of every fitted object: a diagram, the leaderboard under it, the members of an ensemble."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skauto import AutoClassifier
from skauto.search import SearchCV

X, Y = make_classification(n_samples=120, random_state=0)
RNG = np.random.default_rng(0)
WORDS = pd.DataFrame({"town": RNG.choice(["Ulm", "Rom"], 120), "size": np.where(Y == 1, "large", "small")})
DATA = {
    "numbers": (pd.DataFrame(X).add_prefix("x"), ["logistic", "naive_bayes"]),
    "words": (WORDS, ["logistic", "knn"]),
    "mixed": (WORDS.assign(x=X[:, 0]), ["logistic", "hist_boosting"]),
    "sparse": (sp.csr_matrix(X), ["logistic", "extra_trees"]),
    "series": (RNG.normal(size=(120, 20, 1)) + Y[:, None, None], ["rocket", "extra_trees"]),
    "images": (RNG.integers(0, 200, (120, 8, 8)).astype(np.uint8) + 50 * Y[:, None, None].astype(np.uint8),
               ["logistic", "extra_trees"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", DATA)
def test_every_fitted_object_is_shown(kind):
    rows, candidates = DATA[kind]
    auto = AutoClassifier(candidates=candidates, n_iter=2, time_limit=None, cv=2, n_jobs=1, random_state=0, verbose=0)
    assert "leaderboard" not in auto._repr_html_()
    auto.fit(rows, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole, ensemble, best = (made._repr_html_() for made in (auto, auto.ensemble_, auto.best_estimator_))
        board = auto.leaderboard_._repr_html_()
    assert board in whole
    assert all(f"<th>{name}</th>" in board for name in auto.leaderboard_.columns)
    assert auto._repr_mimebundle_()["text/html"].endswith(board)
    for weight in auto.ensemble_.weights_:
        assert f"weight {weight:.2f}" in ensemble
    for step in (auto.ensemble_.estimators_[0].steps[-1][1], auto.best_estimator_.steps[-1][1]):
        assert type(step).__name__ in ensemble + best


def test_text_is_shown_where_text_is_wanted():
    with sklearn.config_context(display="text"):
        assert not hasattr(AutoClassifier(), "_repr_html_")


def test_a_search_is_shown():
    search = SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)
    assert "LogisticRegression" in search._repr_html_()


@pytest.mark.slow
def test_a_compressed_network_is_shown():
    pytest.importorskip("skorch")
    from skauto.estimators import CNNClassifier, CompressedClassifier, Quantize

    images = DATA["images"][0]
    network = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(images, Y)
    small = CompressedClassifier(FrozenEstimator(network), [("quantize", Quantize("int8"))]).fit(images, Y)
    for made in (small, network):
        assert type(made).__name__ in made._repr_html_()
