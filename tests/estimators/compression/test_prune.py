import copy

import pytest
import torch

from skauto.estimators._backbones import build_backbone
from skauto.estimators._cnn import CNNClassifier
from skauto.estimators.compression._channels import groups, trace
from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression._prune import Prune
from skauto.estimators.compression._prune_filters import choose_filters, mask_filters, remove_filters
from tests.contracts.compression import CompressionContract


class TestWeights(CompressionContract):
    def make(self, **params):
        return Prune(**{"amount": 0.7, "rounds": 2, "epochs": 2, **params})


class TestFilters(CompressionContract):
    def make(self, **params):
        return Prune(**{"amount": 0.3, "what": "filters", "rounds": 1, "epochs": 3, "sparsity": 1e-4, **params})


def lively(name, side=20):
    """A backbone whose batch norms have been through something, and images for it."""
    torch.manual_seed(0)
    net = build_backbone(name, 3, 10, 16, 2).eval()
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
            layer.weight.data.uniform_(0.5, 1.5)
            layer.bias.data.normal_()
    return net, torch.randn(2, 3, side, side)


def replicated(net):
    """The network with borders repeated instead of zeros, where a constant channel stays constant."""
    net = copy.deepcopy(net)
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.padding_mode = "replicate"
    return net


@pytest.mark.parametrize("norm", ["l1", "l2", "bn"])
@pytest.mark.parametrize("name", ["plain", "lenet5", "resnet", "mobilenetv2", "shufflenetv2"])
@torch.no_grad()
def test_masked_is_removed_to_a_millionth(name, norm):
    if name == "lenet5" and norm == "bn":
        pytest.skip("LeNet-5 has no batch norm")
    net, x = lively(name)
    channels, dead = choose_filters(net, x, 0.5, norm)
    masked, small = copy.deepcopy(net), copy.deepcopy(net)
    mask_filters(trace(masked, x), dead)
    remove_filters(small, x, trace(small, x), dead)
    assert sum(p.numel() for p in small.parameters()) < 0.6 * sum(p.numel() for p in net.parameters())
    wanted, got = replicated(masked)(x), replicated(small)(x)
    assert (wanted - got).abs().max() < 1e-6 * wanted.abs().max().clamp_min(1)


@torch.no_grad()
def test_without_a_shift_masked_is_removed_at_borders_too():
    net, x = lively("resnet")
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.zero_()
            layer.bias.data.zero_()
    channels, dead = choose_filters(net, x, 0.5, "l1")
    masked, small = copy.deepcopy(net), copy.deepcopy(net)
    mask_filters(trace(masked, x), dead)
    remove_filters(small, x, trace(small, x), dead)
    torch.testing.assert_close(small(x), masked(x), rtol=1e-6, atol=1e-6)


def test_added_channels_go_together_and_split_ones_stay():
    net, x = lively("resnet")
    made = groups(trace(net, x))
    assert any({"conv1", "layer1.0.conv2", "layer1.1.conv2"} <= set(names) for names in made)
    net, x = lively("shufflenetv2")
    names = {name for key in groups(trace(net, x)) for name in key}
    assert "stage2.1.branch2.0" in names and "stage2.1.branch2.5" not in names


def test_shares_are_kept(digits_net):
    base, X, y = digits_net
    clf = CompressedClassifier(CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0))
    clf.set_params(steps=[("p", Prune(0.8, rounds=2, epochs=1, layer_amounts={"features.0": 0.25}))]).fit(X, y)
    zeros = {n: float((p == 0).float().mean()) for n, p in clf.estimator_.module_.named_parameters() if p.dim() > 1}
    assert zeros["features.0.weight"] == pytest.approx(0.25, abs=0.02)
    assert zeros["features.6.weight"] == pytest.approx(0.8, abs=0.001)
    network = clf.set_params(p=Prune(0.6, rounds=1, epochs=0, scope="network")).fit(X, y).estimator_.module_
    weights = torch.cat([p.flatten() for p in network.parameters() if p.dim() > 1])
    assert float((weights == 0).float().mean()) == pytest.approx(0.6, abs=0.001)


def test_scales_are_pulled_to_zero(digits_net):
    base, X, y = digits_net
    task_steps = [("p", Prune(0.1, what="filters", norm="bn", rounds=1, epochs=3, sparsity=s)) for s in (0.0, 0.05)]
    sizes = []
    for step in task_steps:
        clf = CompressedClassifier(CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0), [step]).fit(X, y)
        norms = [m for m in clf.estimator_.module_.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        sizes.append(torch.cat([m.weight for m in norms]).abs().mean())
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"amount": 1.0}, "1 would leave nothing"),
        ({"what": "channels"}, r"one of \['filters', 'weights'\]"),
        ({"amount": 0.999, "what": "filters", "rounds": 1}, "would remove every one of the"),
        ({"layer_amounts": {"features.9": 0.5}}, "the layers are features.0"),
        ({"rounds": 0}, "rounds of Prune"),
    ],
)
def test_bad_parameters_are_named(digits_net, params, said):
    base, X, y = digits_net
    with pytest.raises(ValueError, match=said):
        TestWeights().compressed(base, X, y, **params)
