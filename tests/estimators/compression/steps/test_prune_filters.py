import copy

import pytest
import torch

from skauto.estimators.compression._channels import trace
from skauto.estimators.compression.steps._prune_filters import choose_filters, mask_filters, remove_filters
from skauto.estimators.images._backbones import build_backbone


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
    wanted, got = masked(x), small(x)
    assert (wanted - got).abs().max() < 1e-6 * wanted.abs().max().clamp_min(1)


@torch.no_grad()
def test_a_filter_stays_to_carry_what_borders_cut_off_and_as_many_are_left():
    net, x = lively("plain")
    assert net.features[0].out_channels == 16
    channels, dead = choose_filters(net, x, 0.5, "l1")
    remove_filters(net, x, channels, dead)
    assert [m.out_channels for m in net.modules() if isinstance(m, torch.nn.Conv2d)] == [8, 8, 16, 16, 32, 32]
    carried = torch.relu(net.features[1](net.features[0](x)))
    assert (carried == 1).flatten(2).all(2).all(0).sum() == 1


@torch.no_grad()
def test_removing_again_is_still_exact():
    net, x = lively("resnet")
    for _ in range(2):
        channels, dead = choose_filters(net, x, 0.3, "l1")
        masked = copy.deepcopy(net)
        mask_filters(trace(masked, x), dead)
        remove_filters(net, x, channels, dead)
        wanted, got = masked(x), net(x)
        assert (wanted - got).abs().max() < 1e-6 * wanted.abs().max().clamp_min(1)
