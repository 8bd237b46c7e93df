import pytest
import torch

from skauto.estimators._backbones import build_backbone

# names as in torchvision's resnet18, mobilenet_v2 and shufflenet_v2_x1_0
KEYS = {
    "resnet": ["conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight", "fc.bias"],
    "mobilenetv2": [
        "features.0.0.weight",
        "features.1.conv.0.0.weight",
        "features.2.conv.1.1.bias",
        "classifier.1.bias",
    ],
    "shufflenetv2": [
        "conv1.0.weight",
        "stage2.0.branch1.0.weight",
        "stage3.1.branch2.3.weight",
        "conv5.0.weight",
        "fc.bias",
    ],
}
# parameters of the published networks with ten classes; ResNet's stem is 3 x 3 instead of 7 x 7
SIZES = {
    "resnet": (64, 2, 11_689_512 - 513_000 + 5_130 - 64 * 3 * (49 - 9)),
    "mobilenetv2": (32, 4, 3_504_872 - 1_281_000 + 12_810),
    "shufflenetv2": (24, 4, 2_278_604 - 1_025_000 + 10_250),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_are_torchvisions(name):
    state = build_backbone(name, 3, 10, 16, 2).state_dict()
    assert set(KEYS[name]) <= set(state)


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_the_published_ones(name):
    width, depth, expected = SIZES[name]
    assert sum(p.numel() for p in build_backbone(name, 3, 10, width, depth).parameters()) == expected


@pytest.mark.parametrize("name", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 32, 32), (4, 7, 19)])
def test_any_image_size_works(name, shape):
    net = build_backbone(name, shape[0], 5, 8, 1).eval()
    assert net(torch.zeros(2, *shape)).shape == (2, 5)
