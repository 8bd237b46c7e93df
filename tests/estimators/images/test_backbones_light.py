import pytest

from skauto.estimators.images._backbones import build_backbone

# names as in torchvision's mobilenet_v2 and shufflenet_v2_x1_0; sizes are the published ones with ten classes
PUBLISHED = {
    "mobilenetv2": (
        (32, 4, 3_504_872 - 1_281_000 + 12_810),
        {"features.0.0.weight", "features.1.conv.0.0.weight", "features.2.conv.1.1.bias", "classifier.1.bias"},
    ),
    "shufflenetv2": (
        (24, 4, 2_278_604 - 1_025_000 + 10_250),
        {"conv1.0.weight", "stage2.0.branch1.0.weight", "stage3.1.branch2.3.weight", "conv5.0.weight", "fc.bias"},
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_keys_and_sizes_are_the_published_ones(name):
    (width, depth, size), keys = PUBLISHED[name]
    net = build_backbone(name, 3, 10, width, depth)
    assert keys <= set(net.state_dict())
    assert sum(p.numel() for p in net.parameters()) == size
