import pytest
import torch

from skauto.estimators.images._backbones import build_backbone


@pytest.mark.parametrize("name", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 32, 32), (4, 7, 19)])
def test_any_image_size_works(name, shape):
    net = build_backbone(name, shape[0], 5, 8, 1).eval()
    assert net(torch.zeros(2, *shape)).shape == (2, 5)


@pytest.mark.parametrize("name", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
def test_no_convolution_of_one_pixel_has_a_stride(name):
    """Its gradient crashes in oneDNN where channels are few and last."""
    convolutions = [m for m in build_backbone(name, 3, 5, 8, 2).modules() if isinstance(m, torch.nn.Conv2d)]
    assert all(conv.stride == (1, 1) for conv in convolutions if conv.kernel_size == (1, 1))


def test_a_narrow_resnet_learns_large_images():
    net = build_backbone("resnet", 1, 2, 4, 1).to(memory_format=torch.channels_last)
    for _ in range(10):
        net(torch.randn(16, 1, 96, 96)).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in net.parameters())


def test_a_callable_is_called():
    assert build_backbone(lambda *sizes: sizes, 3, 10, 16, 2) == (3, 10, 16, 2)
