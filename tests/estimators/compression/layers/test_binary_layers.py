import pytest
import torch

from skauto.estimators.compression.layers import _binary_layers
from skauto.estimators.compression.layers._binary_layers import BinaryConv2d, BinaryLinear


@torch.no_grad()
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_counted_bits_are_the_product_in_floats(bits):
    torch.manual_seed(0)
    for layer, x in [
        (BinaryLinear(130, 37, bits, 1.5), torch.randn(9, 130)),
        (BinaryConv2d(20, 40, (3, 3), (2, 1), (1, 1), bits, 1.5), torch.randn(2, 20, 9, 8)),
    ]:
        layer.take(
            torch.randn_like(layer.weight), torch.randn_like(layer.bias), 0.1 * torch.randn_like(layer.threshold)
        )
        assert layer._can_count(x) is False  # in training it is floats
        floats = layer(x)
        torch.testing.assert_close(layer.eval()(x), floats, atol=1e-4, rtol=1e-4)
        layer.bake()
        torch.testing.assert_close(layer.train().eval()(x), floats, atol=1e-4, rtol=1e-4)


def test_without_a_compiler_bits_are_counted_in_floats(monkeypatch):
    layer, x = BinaryLinear(64, 8, 1, 1.0).eval(), torch.randn(3, 64)
    with torch.no_grad():
        counted = layer(x)
        monkeypatch.setattr(_binary_layers, "library", lambda: None)
        torch.testing.assert_close(layer(x), counted, atol=1e-5, rtol=1e-5)
