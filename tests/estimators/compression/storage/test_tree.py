import inspect

import pytest
import torch
from torch import nn

from skauto.estimators.compression.storage._packed import from_bytes, to_bytes
from skauto.estimators.compression.storage._tree import LEAVES, describe, rebuild
from skauto.estimators.images._backbones import BACKBONES, build_backbone

SHARED = nn.ReLU()
NETS = {
    "circular": nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
    "reflect": nn.Conv2d(3, 4, (3, 1), padding=(1, 0), padding_mode="reflect", groups=1, bias=False),
    "same": nn.Conv2d(3, 6, 3, padding="same", dilation=2, groups=3),
    "conv1d": nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 4, 3, padding=1, padding_mode="replicate")),
    "average without border": nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
    "average with divisor": nn.AvgPool2d(2, divisor_override=3),
    "dilated pool": nn.MaxPool2d(2, stride=1, dilation=2),
    "pool of one step": nn.MaxPool2d((2, 3), stride=(1, 1), ceil_mode=True),
    "tanh GELU": nn.GELU(approximate="tanh"),
    "norm without weights": nn.BatchNorm2d(3, affine=False),
    "norm of the batch": nn.BatchNorm2d(3, track_running_stats=False),
    "layer norm without weights": nn.LayerNorm(6, elementwise_affine=False),
    "layer norm without bias": nn.LayerNorm((6, 6), bias=False),
    "in place": nn.Sequential(nn.ReLU(inplace=True), nn.Hardswish(inplace=True), nn.Dropout(0.2, inplace=True)),
    "one module twice": nn.Sequential(nn.Conv2d(3, 3, 1), SHARED, nn.Conv2d(3, 3, 1), SHARED),
    "float as it comes": nn.Sequential(nn.Linear(6, 6), nn.AdaptiveAvgPool2d((None, 2)), nn.ChannelShuffle(1)),
}


@pytest.mark.parametrize("name", NETS)
def test_every_setting_comes_back(name):
    torch.manual_seed(0)
    net, x = NETS[name].eval(), torch.randn(4, 3, 6, 6)
    for key, tensor in net.state_dict().items():
        if "running" in key:
            tensor.uniform_(0.5, 2)
    with torch.no_grad():
        assert torch.equal(from_bytes(to_bytes(net, {}))[0](x.clone()), net(x.clone()))


def test_indices_are_asked_for_again():
    pool = from_bytes(to_bytes(nn.MaxPool2d(2, dilation=2, return_indices=True), {}))[0]
    assert pool.return_indices and pool.dilation == 2


def test_no_argument_of_a_constructor_is_forgotten():
    for name, listed in LEAVES.items():
        named = {n for n, p in inspect.signature(getattr(nn, name)).parameters.items() if p.kind not in (2, 4)}
        # a norm without its bias has other tensors, by which it is refused
        assert named - set(listed) - {"device", "dtype"} <= ({"bias"} if name.startswith("BatchNorm") else set()), name


def test_usual_layers_take_no_more_room_than_they_did():
    assert describe(nn.Conv2d(1, 2, 3))["a"] == {
        "in_channels": 1,
        "out_channels": 2,
        "kernel_size": [3, 3],
        "padding": [0, 0],
    }
    assert describe(nn.BatchNorm2d(2))["a"] == {"num_features": 2, "eps": 1e-5, "momentum": 0.1}
    assert [describe(layer) for layer in (nn.ReLU(), nn.GELU())] == [{"c": "ReLU"}, {"c": "GELU"}]


def test_unknown_modules_are_refused_at_saving():
    class Mine(torch.nn.Module):
        pass

    with pytest.raises(TypeError, match="cannot store a module of class"):
        describe(Mine())
    assert from_bytes(to_bytes(torch.nn.Linear(2, 3), {"a": 1}))[1] == {"a": 1}


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"c": "Linear", "a": {"in_features": 2, "out_features": 3, "device": "meta"}}, "no setting 'device'"),
        ({"c": "Linear", "a": {"in_features": 0, "out_features": 3}}, "in_features of Linear must be whole"),
        ({"c": "Linear", "a": {"in_features": 10**6, "out_features": 10**6}}, "more than a file of this size"),
        ({"c": "Linear", "a": {"in_features": 10**12, "out_features": 10**12}}, "damaged"),
        ({"c": "TableNet", "m": {}, "b": {"center": [10**12]}}, "more than a file of this size"),
        ({"c": "Sequential", "m": {str(n): {"c": "ReLU"} for n in range(20_000)}}, "more than 16384 modules"),
        ({"c": ["Linear"]}, "damaged"),
        ([], "damaged"),
    ],
)
def test_impossible_descriptions_are_refused(node, said):
    with pytest.raises(ValueError, match=said):
        rebuild(node, most=2**24)


def test_deep_descriptions_are_refused():
    node = {"c": "ReLU"}
    for _ in range(200):
        node = {"c": "Sequential", "m": {"0": node}}
    with pytest.raises(ValueError, match="nested more than 64 deep"):
        rebuild(node)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_can_be_stored(name):
    net = build_backbone(name, 3, 4, width=8, depth=1).eval()
    again = rebuild(describe(net)).eval()
    again.load_state_dict(net.state_dict())
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(again(images), net(images), rtol=0, atol=0)
