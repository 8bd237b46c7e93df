import pytest
import torch

from skauto.estimators.compression.layers._kernels import (
    bit_columns,
    bit_product,
    library,
    pack_bits,
    sparse_product,
)

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler: the kernels cannot be built")


@pytest.mark.parametrize("width", [1, 63, 64, 65, 200, 2500])
@pytest.mark.parametrize("columns", [37, 64, 150])
def test_bits_and_signs_multiply_as_floats_do(width, columns):
    torch.manual_seed(0)
    a, w = torch.randn(7, width), torch.randn(columns, width)
    threshold, base, scale = 0.3 * torch.randn(width), torch.randn(columns), torch.rand(columns)
    a[::2] = threshold  # a tie is a one, as it is for the sign that training uses
    packed = bit_columns(pack_bits(w, torch.zeros(width)))
    signs, bits = torch.where(w > 0, 1.0, -1.0), (a >= threshold).float()
    out = bit_product(pack_bits(a, threshold), packed, base, scale, 0.5)
    torch.testing.assert_close(out, base + 0.5 * scale * (bits @ signs.T))
    again = bit_product(pack_bits(a, threshold), packed, base, scale, 1.0, out.clone())
    torch.testing.assert_close(again, out + scale * (bits @ signs.T))


def test_empty_rows_give_the_bias():
    start, nothing = torch.zeros(4, dtype=torch.int32), torch.zeros(0, dtype=torch.int32)
    out = sparse_product(start, nothing, torch.zeros(0), torch.arange(3.0), torch.ones(5, 2))
    torch.testing.assert_close(out, torch.arange(3.0).expand(5, 3))
