import torch

from skauto.estimators.compression._channels import groups, trace
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


def test_added_channels_go_together_and_split_ones_stay():
    net, x = lively("resnet")
    made = groups(trace(net, x))
    assert any({"conv1", "layer1.0.conv2", "layer1.1.conv2"} <= set(names) for names in made)
    net, x = lively("shufflenetv2")
    names = {name for key in groups(trace(net, x)) for name in key}
    assert "stage2.1.branch2.0" in names and "stage2.1.branch2.5" not in names


def test_an_average_that_counts_padding_ends_a_group():
    def net(**pool):
        conv = torch.nn.Conv2d(1, 4, 3)
        return torch.nn.Sequential(conv, torch.nn.AvgPool2d(3, 2, **pool), torch.nn.Conv2d(4, 2, 1))

    x = torch.randn(2, 1, 9, 9)
    assert not groups(trace(net(padding=1), x))
    assert list(groups(trace(net(padding=1, count_include_pad=False), x))) == [("0",)]
    assert list(groups(trace(net(), x))) == [("0",)]
