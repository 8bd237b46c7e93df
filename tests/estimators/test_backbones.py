import pytest
import torch

from skauto.estimators._backbones import build_backbone


@pytest.mark.parametrize("name", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 32, 32), (4, 7, 19)])
def test_any_image_size_works(name, shape):
    net = build_backbone(name, shape[0], 5, 8, 1).eval()
    assert net(torch.zeros(2, *shape)).shape == (2, 5)


def test_a_callable_is_called():
    assert build_backbone(lambda *sizes: sizes, 3, 10, 16, 2) == (3, 10, 16, 2)
