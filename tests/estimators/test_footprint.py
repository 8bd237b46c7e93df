import io

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.estimators._cnn import CNNClassifier
from skauto.estimators._footprint import footprint
from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression._prune import Prune


def test_network_counts_are_the_analytic_ones():
    X, y = load_digits(return_X_y=True)
    clf = CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0).fit(X, y)
    cost = footprint(clf, X)
    forward = [2 * 9 * 8 * 64, 2 * 9 * 8 * 16 * 16, 2 * 9 * 16 * 32 * 4, 2 * 32 * 10]
    assert cost.flops == sum(forward)
    assert cost.backward_flops == forward[0] + 2 * sum(forward[1:])
    assert cost.parameters == sum(p.numel() for p in clf.module_.parameters()) == cost.nonzeros
    assert cost.latency_ms > 0
    frame = cost.frame()
    assert frame["flops"].iloc[:-1].sum() == cost.flops and frame["name"].iloc[-1] == "total"


def test_any_estimator_has_bytes_and_latency():
    X, y = load_digits(return_X_y=True)
    clf = LogisticRegression(max_iter=200, tol=0.1).fit(X, y)
    cost, buffer = footprint(clf, X), io.BytesIO()
    joblib.dump(clf, buffer)
    assert cost.bytes == buffer.tell() and cost.latency_ms > 0
    assert cost.parameters is None and cost.flops is None


def test_pipelines_count_their_network_and_compression_its_file():
    X, y = load_digits(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0)).fit(X, y)
    assert footprint(pipe, X).parameters == sum(p.numel() for p in pipe[-1].module_.parameters())
    small = CompressedClassifier(CNNClassifier(width=4, depth=1, max_epochs=1), [("p", Prune(0.5, rounds=1, epochs=0))])
    small.fit(X, y)
    cost = footprint(small, X)
    assert cost.bytes == len(small.to_bytes())
    assert cost.nonzeros < cost.parameters


def test_unfitted_and_empty_are_errors():
    with pytest.raises(NotFittedError):
        footprint(CNNClassifier(), np.zeros((1, 8, 8)))
    with pytest.raises(ValueError, match="no row"):
        footprint(LogisticRegression(), np.zeros((0, 3)))
