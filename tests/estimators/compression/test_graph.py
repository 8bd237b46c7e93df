import pytest
import torch

from skauto.estimators.compression._graph import UntraceableError, traced
from skauto.estimators.compression.layers._binary_layers import BinaryLinear
from skauto.estimators.compression.layers._sparse import SparseLinear


class Branching(torch.nn.Module):
    def forward(self, x):
        return sum(x[i] for i in range(x.shape[0]))


def test_layers_of_our_own_stay_whole():
    net = torch.nn.Sequential(SparseLinear(4, 3), BinaryLinear(3, 2, 1, 1.0))
    calls = [node.target for node in traced(net).graph.nodes if node.op == "call_module"]
    assert calls == ["0", "1"]


def test_a_network_that_loops_over_its_input_is_named():
    with pytest.raises(UntraceableError, match="the graph of Branching cannot be read"):
        traced(Branching())
