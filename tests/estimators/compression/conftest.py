"""A small trained network that all tests of compression start from."""

import pytest
from sklearn.datasets import load_digits

from skauto.estimators.images._cnn import CNNClassifier


@pytest.fixture(scope="session")
def digits_net():
    """A fitted CNNClassifier with its rows."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:900].reshape(-1, 8, 8), y[:900]
    clf = CNNClassifier(width=16, depth=1, max_epochs=6, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.97
    return clf, X, y
