import pytest
import torch

from skauto.estimators.compression._batchnorm_folding import fold_norms
from skauto.estimators.images._backbones import build_backbone


@torch.no_grad()
@pytest.mark.parametrize("name", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
def test_folding_changes_nothing_and_leaves_no_norm(name):
    torch.manual_seed(0)
    net, x = build_backbone(name, 3, 10, 8, 2).train(), torch.randn(16, 3, 16, 16)
    net(x)  # moves the running statistics
    expected = net.eval()(x)
    torch.testing.assert_close(fold_norms(net, x)(x), expected, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in net.modules())


@torch.no_grad()
def test_a_norm_along_another_axis_is_left_alone():
    """Behind a linear layer with three axes batch norm goes by the middle one."""
    torch.manual_seed(0)
    norm = torch.nn.BatchNorm1d(10)
    net = torch.nn.Sequential(torch.nn.Linear(6, 10), norm, torch.nn.Flatten(), torch.nn.Linear(100, 3))
    x = torch.randn(8, 10, 6)
    net.train()(x)
    expected = net.eval()(x)
    assert torch.equal(fold_norms(net, x)(x), expected)
    assert isinstance(net[1], torch.nn.BatchNorm1d)
