import io
import time

import imblearn.pipeline
import joblib
import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.footprints._footprint import _layer_latencies, footprint
from skauto.estimators.images._cnn import CNNClassifier
from skauto.estimators.tables._mlp import MLPClassifier


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


def test_layers_have_bytes_and_latency():
    X, y = load_digits(return_X_y=True)
    clf = CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0).fit(X, y)
    cost = footprint(clf, X)
    layers = cost.frame().iloc[:-1].set_index("name")
    assert layers.loc["features.0", "bytes"] == 4 * 9 * 8
    assert layers.loc["features.1", "bytes"] == 4 * 4 * 8 + 8  # and how many batches it has seen, an int64
    assert layers["bytes"].sum() <= cost.bytes
    assert (layers["latency_ms"] > 0).all() and layers["latency_ms"].sum() < 5 * cost.latency_ms
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in clf.module_.modules())


def test_layers_of_a_compressed_network_have_the_bytes_of_its_file():
    X, y = load_digits(return_X_y=True)
    net = MLPClassifier(hidden_size=8, n_layers=1, n_members=1, max_epochs=1, random_state=0)
    small = CompressedClassifier(net, [("p", Prune(0.5, rounds=1, epochs=0))]).fit(X, y)
    cost, stored = footprint(make_pipeline(None, small), X), small.storage().set_index("name")["bytes"]
    layers = cost.frame().iloc[:-1].set_index("name")
    assert layers["bytes"].sum() == stored.drop("header").sum() <= cost.bytes
    assert layers.loc["layers.3", "bytes"] == stored["layers.3.weight"] + stored["layers.3.bias"]
    assert layers.loc["", "bytes"] == stored["center"] + stored["scale"]  # which are no weights
    assert cost.parameters == sum(p.numel() for p in small.estimator_.module_.parameters())


def test_time_inside_inner_layers_is_theirs_alone():
    class Slow(torch.nn.Linear):
        def forward(self, x):
            time.sleep(0.02)
            return super().forward(x)

    class Outer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.shift, self.inner = torch.nn.Parameter(torch.zeros(1)), Slow(1, 2)

        def forward(self, x):
            return self.inner(x + self.shift)

    times = _layer_latencies(Outer(), (torch.zeros(1, 1),), ["", "inner"])
    assert times["inner"] > 20 and 0 < times[""] < 10


def test_samplers_in_a_pipeline_are_passed_by():
    X, y = load_digits(return_X_y=True)
    net = MLPClassifier(hidden_size=8, n_members=1, max_epochs=1, random_state=0)
    pipe = imblearn.pipeline.make_pipeline(RandomOverSampler(random_state=0), net).fit(X, y)
    assert footprint(pipe, X).parameters == sum(p.numel() for p in pipe[-1].module_.parameters())


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_sparse_rows(form):
    X, y = load_digits(return_X_y=True)
    clf = LogisticRegression(max_iter=200, tol=0.1).fit(X, y)
    assert footprint(clf, form(X)).latency_ms > 0
    with pytest.raises(ValueError, match="no row"):
        footprint(clf, form((0, 64)))
