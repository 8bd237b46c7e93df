import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from skauto.estimators.compression.layers._int8 import Int8Linear
from skauto.estimators.footprints._flops import count_flops
from skauto.estimators.sequences._recurrent import MinGRUClassifier


# PyTorch says of an LSTM with projections that it runs another kernel.
@pytest.mark.filterwarnings("ignore:LSTM with")
@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (torch.nn.LSTM(8, 16, batch_first=True), 2 * 32 * 4 * 16 * 24),
        (torch.nn.GRU(8, 16, batch_first=True), 2 * 32 * 3 * 16 * 24),
        (torch.nn.GRU(8, 16, 2, batch_first=True, bidirectional=True), 2 * 2 * 32 * 3 * 16 * (24 + 48)),
        (torch.nn.LSTM(8, 16, batch_first=True, proj_size=4), 2 * 32 * (4 * 16 * 12 + 16 * 4)),
    ],
)
def test_recurrent_layers_are_counted(layer, expected):
    assert count_flops(layer, (torch.zeros(1, 32, 8),)) == {"": (expected, expected)}


@pytest.mark.parametrize("layer", [torch.nn.GRU(8, 16, 2, bidirectional=True), torch.nn.RNN(8, 16)])
def test_pytorch_counts_gru_and_rnn_alike_and_lstm_not_at_all(layer):
    """Where this fails, PyTorch counts otherwise than the docstring of `count_flops` says."""
    x, lstm = torch.zeros(32, 3, 8), torch.nn.LSTM(8, 16)
    counted = {}
    for net in (layer, lstm):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(x)
        counted[net] = counter.get_total_flops()
    assert count_flops(layer, (x,))[""][0] == counted[layer]
    assert counted[lstm] == 0 < count_flops(lstm, (x,))[""][0]


def test_layers_of_a_list_count_once_and_weights_used_from_outside_count_for_the_user():
    class Listed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = torch.nn.ModuleList(torch.nn.Linear(10, 10) for _ in range(3))

        def forward(self, x):
            x = self.blocks[1](self.blocks[0](x))
            return torch.nn.functional.linear(x, self.blocks[2].weight)

    counts = count_flops(Listed(), (torch.zeros(1, 10),))
    assert counts.pop("") == (200, 400)
    assert counts == {"blocks.0": (200, 200), "blocks.1": (200, 400)}


def test_a_recurrent_net_counts_each_layer_once_and_can_be_trained():
    X, y = np.random.default_rng(0).normal(size=(40, 16, 3)), np.arange(40) % 2
    clf = MinGRUClassifier(hidden_size=8, n_layers=2, max_epochs=1, random_state=0).fit(X, y)
    counts = count_flops(clf.module_, clf._prepare(clf._tensors(clf._check_X(X[:1], reset=False), reset=False), False))
    scan = 16 * (2 * 8 * 16 + 10 * 8)
    assert counts["front"][0] == counts["front"][1] == 2 * 16 * 4 * 3 * 8
    assert counts["blocks.0.layer"] == counts["blocks.1.layer"] == (scan, 2 * scan)
    assert "" not in counts


def test_a_layer_of_buffers_cannot_be_trained():
    layer = Int8Linear(6, 4, relu=False, in_scale=0.1, in_zero=0, out_scale=None)
    assert count_flops(layer, (torch.zeros(1, 6),)) == {"": (48, None)}
