"""A population of networks: members go on with another learning rate."""

import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import make_classification

from skauto.estimators import MLPClassifier
from skauto.search import PBT, SearchCV

X, Y = make_classification(90, 5, random_state=0)


def test_a_network_goes_on_with_another_learning_rate():
    """Every member that changed its parameters failed: the optimiser's state was deleted, which training reads."""
    search = SearchCV(
        MLPClassifier(hidden_size=8, max_epochs=6, n_members=1, random_state=0),
        {"lr": loguniform(0.001, 0.1)},
        strategy=PBT(population=4, steps=3),
        fidelity=("max_epochs", 2, 6),
        n_iter=12,
        cv=2,
        error_score="raise",
        random_state=0,
    ).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert any(row >= 0 for row in search.cv_results_["continued_from"])
