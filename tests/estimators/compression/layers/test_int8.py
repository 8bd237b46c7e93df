import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from torch import nn

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.layers import _int8
from skauto.estimators.compression.steps._quantize import Quantize
from skauto.estimators.images._cnn import CNNClassifier


@pytest.mark.parametrize("backbone", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
def test_int8_is_near_the_float_network_and_falls_back(digits_net, backbone, monkeypatch):
    _, X, y = digits_net
    X, y = X[:400], y[:400]
    base = CNNClassifier(backbone=backbone, width=8, depth=1, max_epochs=2, random_state=0).fit(X, y)
    clf = CompressedClassifier(FrozenEstimator(base), [("q", Quantize("int8"))]).fit(X, y)
    whole = base.predict_proba(X)
    assert np.abs(clf.predict_proba(X) - whole).mean() < 0.02
    fast = clf.predict_proba(X)
    monkeypatch.setattr(_int8, "has_int8", lambda: False)
    assert np.abs(clf.predict_proba(X) - fast).mean() < 0.01


@torch.no_grad()
@pytest.mark.parametrize(("kernel", "groups"), [(1, 1), (3, 1), (3, 16), (5, 1)])
def test_large_sums_are_not_cut_off(kernel, groups):
    """Weights of one sign and bright images, where 16-bit sums of pairs would saturate."""
    torch.manual_seed(0)
    side = (kernel, kernel), (1, 1), (kernel // 2, kernel // 2), (1, 1)
    layer = _int8.Int8Conv2d(16, 16, *side, groups, True, 0.02, 3, None)
    layer.set_weight(torch.randn(16, 16 // groups, kernel, kernel).abs(), torch.randn(16))
    x = torch.randint(150, 256, (2, 16, 9, 9), dtype=torch.uint8)
    weight = layer.weight.double() * layer.scale.view(-1, 1, 1, 1)
    wanted = torch.nn.functional.conv2d((x.double() - 3) * 0.02, weight, layer.bias.double(), *side[1:], groups)
    torch.testing.assert_close(layer(x), wanted.relu().float(), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("padding", [{"padding": "same"}, {"padding": 1, "padding_mode": "reflect"}])
def test_a_convolution_that_stays_float_keeps_its_relu(digits_net, padding):
    def backbone(channels, n_classes, width, depth):
        return nn.Sequential(
            nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, **padding), nn.BatchNorm2d(8),
            nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(8, n_classes),
        )  # fmt: skip

    _, X, y = digits_net
    base = CNNClassifier(backbone=backbone, max_epochs=4, random_state=0).fit(X, y)
    clf = CompressedClassifier(FrozenEstimator(base), [("q", Quantize("int8"))]).fit(X, y)
    assert np.abs(clf.predict_proba(X) - base.predict_proba(X)).mean() < 0.02
    assert sum(isinstance(m, nn.ReLU) for m in clf.estimator_.module_.modules()) == 1
