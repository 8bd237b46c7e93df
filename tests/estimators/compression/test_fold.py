import pytest
import torch

from skauto.estimators._backbones import build_backbone
from skauto.estimators.compression._fold import fold_norms


@torch.no_grad()
@pytest.mark.parametrize("name", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
def test_folding_changes_nothing_and_leaves_no_norm(name):
    torch.manual_seed(0)
    net, x = build_backbone(name, 3, 10, 8, 2).train(), torch.randn(16, 3, 16, 16)
    net(x)  # moves the running statistics
    expected = net.eval()(x)
    torch.testing.assert_close(fold_norms(net)(x), expected, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in net.modules())
