import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.layers._kernels import library
from skauto.estimators.compression.layers._sparse import SparseLinear
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.compression.steps._quantize import Quantize
from skauto.estimators.tables._mlp import MLPClassifier


def test_perceptrons_compress_and_skip_zeros(tmp_path):
    X, y = make_blobs(600, centers=4, n_features=70, cluster_std=9, random_state=0)
    base = MLPClassifier(hidden_size=128, n_members=1, max_epochs=10, random_state=0)
    clf = CompressedClassifier(base, [("p", Prune(0.95, rounds=2, epochs=3)), ("q", Quantize(bits=4))]).fit(X, y)
    assert any(isinstance(layer, SparseLinear) for layer in clf.estimator_.module_.modules())
    assert clf.score(X, y) > 0.95
    assert len(clf.to_bytes()) < clf.steps_report_["bytes"].iloc[0] / 20
    loaded = CompressedClassifier.load(clf.save(tmp_path / "m"))
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


def test_sparse_layers_agree_with_dense_ones_at_any_batch(monkeypatch):
    import torch

    from skauto.estimators.compression.layers import _kernels

    layer = SparseLinear(70, 33).eval()
    with torch.no_grad():
        layer.weight[torch.rand(33, 70) < 0.9] = 0
        for rows in (1, 3, 16, 37, 64):
            x = torch.randn(rows, 70)
            dense = torch.nn.functional.linear(x, layer.weight, layer.bias)
            torch.testing.assert_close(layer(x), dense, atol=1e-5, rtol=1e-5)
            monkeypatch.setattr(_kernels, "library", lambda: None)
            torch.testing.assert_close(layer(x), dense, atol=1e-5, rtol=1e-5)
            monkeypatch.setattr(_kernels, "library", library)


def test_training_on_changes_the_answer():
    import torch

    layer = SparseLinear(70, 33).eval()
    x = torch.ones(2, 70)
    with torch.no_grad():
        before = layer(x)
        layer.train()
        layer.weight.mul_(2.0)
        after = layer.eval()(x)
    torch.testing.assert_close(after - layer.bias, 2 * (before - layer.bias))


def test_an_input_of_another_width_is_refused_not_read_past_its_end():
    import torch

    with torch.no_grad(), pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        SparseLinear(64_000, 20).eval()(torch.ones(2, 320))
