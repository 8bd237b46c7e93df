import pytest
import torch

from skauto.estimators.compression.layers._int8 import Int8Conv2d
from skauto.estimators.compression.layers._int8_conv import int8_conv, library, prepared, whole_steps

pytestmark = pytest.mark.skipif(library() is None, reason="no compiler, no AVX2, or a processor with better units")

SHAPES = [(8, 8, 16, 16), (9, 7, 9, 21), (15, 16, 33, 70), (4, 5, 130, 17), (3, 3, 8, 1)]


def exact(x, weight, stride, padding, zero):
    """The convolution in float64, whose sums are whole numbers far below 2^53."""
    return torch.nn.functional.conv2d(x.double() - zero, weight.double(), None, stride, padding)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("high", "wide", "channels", "filters"), SHAPES)
@pytest.mark.parametrize(("padding", "zero"), [((1, 1), 0), ((0, 2), 77), ((1, 0), 255)])
def test_tiles_give_the_direct_convolution_to_the_last_bit(stride, high, wide, channels, filters, padding, zero):
    torch.manual_seed(0)
    x = torch.randint(0, 256, (3, channels, high, wide), dtype=torch.uint8)
    weight = torch.randint(-127, 128, (filters, channels, 3, 3), dtype=torch.int8)
    weights, one, none = prepared(weight, stride), whole_steps(torch.ones(filters)), whole_steps(torch.zeros(filters))
    settings = {"filters": filters, "stride": stride, "padding": padding, "zero": zero, "relu": False}
    wanted = exact(x, weight, stride, padding, zero)
    got = int8_conv(x, weights, one, none, **settings, kind=torch.float32)
    torch.testing.assert_close(got, wanted.float(), rtol=0, atol=0)
    small = int8_conv(x, weights, one * 2**-10, none + 9, **settings, kind=torch.uint8)
    torch.testing.assert_close(small, (wanted * 2**-10 + 9).round().clamp(0, 255).to(torch.uint8), rtol=0, atol=0)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_sums_do_not_overflow(stride, sign):
    x = torch.full((1, 100, 8, 8), 255, dtype=torch.uint8)
    weight = torch.full((16, 100, 3, 3), 127 * sign, dtype=torch.int8)
    flat = {"filters": 16, "stride": stride, "padding": (1, 1), "zero": 0, "relu": False, "kind": torch.float32}
    got = int8_conv(x, prepared(weight, stride), torch.ones(16), torch.zeros(16), **flat)
    torch.testing.assert_close(got, exact(x, weight, stride, 1, 0).float(), rtol=0, atol=0)


def test_what_might_overflow_or_does_not_pay_is_left_to_others():
    full = torch.full((4, 200, 3, 3), 127, dtype=torch.int8)
    assert prepared(full, 1) is None and prepared(full, 2) is not None
    assert prepared(full[:, :3], 1) is None
    assert prepared(full[:, :, :1], 1) is None
    assert prepared(full[:, :20], 3) is None


def test_threads_share_the_images():
    torch.manual_seed(0)
    layer = Int8Conv2d(16, 24, (3, 3), (1, 1), (1, 1), (1, 1), 1, True, 0.02, 3, None)
    layer.set_weight(torch.randn(24, 16, 3, 3), torch.randn(24))
    x, threads = torch.randn(33, 16, 12, 12), torch.get_num_threads()
    alone = layer(x[:1])
    try:
        torch.set_num_threads(3)
        many = layer(x)
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(many[:1], alone, rtol=0, atol=0)
    torch.testing.assert_close(many, torch.cat([layer(x[i : i + 1]) for i in range(33)]), rtol=0, atol=0)
