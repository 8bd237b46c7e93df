import pytest
import torch

from skauto.estimators._flops import count_flops


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (torch.nn.LSTM(8, 16, batch_first=True), 2 * 32 * 4 * 16 * 24),
        (torch.nn.GRU(8, 16, batch_first=True), 2 * 32 * 3 * 16 * 24),
        (torch.nn.GRU(8, 16, 2, batch_first=True, bidirectional=True), 2 * 2 * 32 * 3 * 16 * (24 + 48)),
    ],
)
def test_recurrent_layers_are_counted(layer, expected):
    assert count_flops(layer, (torch.zeros(1, 32, 8),)) == {"": (expected, expected)}
