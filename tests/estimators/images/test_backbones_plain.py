from skauto.estimators.images._backbones_plain import LeNet5, ResNet


def test_resnet18_has_torchvisions_keys_and_size():
    net = ResNet(3, 10, 64, 2)
    keys = {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight", "fc.bias"}
    assert keys <= set(net.state_dict())
    stem = 64 * 3 * (49 - 9)  # 3 x 3 here, 7 x 7 there
    assert sum(p.numel() for p in net.parameters()) == 11_689_512 - 513_000 + 5_130 - stem


def test_lenet_has_the_published_size():
    assert sum(p.numel() for p in LeNet5(1, 10).parameters()) == 431_080
