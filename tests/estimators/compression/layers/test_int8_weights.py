import copy
import pickle

import pytest
import torch

from skauto.estimators.compression.layers._int8_weights import StoredConv1d, StoredLinear, store_int8


def stored(kind, bias):
    if kind == "linear":
        layer, x = torch.nn.Linear(5, 7, bias=bias), torch.randn(3, 4, 5)
        return layer, StoredLinear(5, 7, bias).take(layer), x
    layer, x = torch.nn.Conv1d(5, 7, 3, bias=bias), torch.randn(3, 5, 9)
    return layer, StoredConv1d(5, 7, (3,), bias).take(layer), x


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["linear", "convolution"])
def test_weights_are_off_by_half_a_step_at_most(kind, bias):
    layer, made, x = stored(kind, bias)
    assert made.weight.dtype == torch.int8
    step = layer.weight.detach().flatten(1).abs().amax(1) / 127
    gap = (made.floats() - layer.weight.detach()).flatten(1).abs().amax(1)
    assert (gap <= 0.5001 * step).all()
    torch.testing.assert_close(made(x), layer(x), atol=0.05, rtol=0.05)


def test_copies_and_loaded_weights_are_used():
    layer, made, x = stored("linear", True)
    before = made(x)
    for copied in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        torch.testing.assert_close(copied(x), before, rtol=0, atol=0)
    other = StoredLinear(5, 7)
    other(x)
    other.load_state_dict(made.state_dict())
    torch.testing.assert_close(other(x), before, rtol=0, atol=0)


def test_every_layer_of_weights_is_replaced():
    net = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 2), torch.nn.ReLU(), torch.nn.Linear(4, 2).double())
    kinds = [type(layer).__name__ for layer in store_int8(net)]
    assert kinds == ["StoredConv1d", "ReLU", "StoredLinear"]
    assert net[2].floats().dtype == torch.float64
