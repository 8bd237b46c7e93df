import pytest
import torch

from skauto.estimators.sequences._recurrent_net import MinLayer, Norm, SequenceNet
from skauto.estimators.sequences.scan import _operators as _scan


@pytest.mark.parametrize("lstm", [False, True])
def test_kept_and_recomputed_pre_activations_agree(monkeypatch, lstm):
    torch.manual_seed(0)
    layer = MinLayer(3, 5, lstm=lstm, bidirectional=True, memory=20.0)
    x = torch.randn(2, 9, 3)
    kept = layer(x, None)
    monkeypatch.setattr(_scan, "KEPT_BYTES", 0)
    torch.testing.assert_close(layer(x, None), kept)
    with torch.no_grad():
        torch.testing.assert_close(layer(x, None), kept)


@pytest.mark.parametrize("lstm", [False, True])
def test_memories_reach_as_far_as_they_were_told(lstm):
    torch.manual_seed(0)
    layer = MinLayer(1, 400, lstm=lstm, bidirectional=False, memory=500.0)
    k = layer.ways[0].bias.detach()[400:800] if lstm else layer.ways[0].bias.detach()[:400]
    steps = 1 / torch.sigmoid(k)
    assert 1 < steps.min() < 3 and 300 < steps.max() < 502
    assert 15 < steps.median() < 40


def test_batch_norm_does_not_count_padding():
    torch.manual_seed(0)
    norm, x = Norm("batch", 3), torch.randn(2, 6, 3)
    steps = torch.ones(2, 6, dtype=torch.int8)
    steps[1, 2:] = 0
    real = norm.norm(x[steps != 0])
    x[1, 2:] = 100
    torch.testing.assert_close(norm(x, steps)[steps != 0], real)


def test_the_front_looks_back_only():
    torch.manual_seed(0)
    options = {"expansion": 1.0, "dropout": 0.0, "bidirectional": False, "lstm": False, "memory": 10.0}
    shape = {"hidden_size": 4, "n_layers": 2, "conv_size": 3, "normalization": "layer", "pooling": "last"}
    net, x = SequenceNet(2, 3, **shape, **options), torch.randn(1, 8, 2)
    early = net(x[:, :5], torch.tensor([5]))
    x[:, 5:] = 9
    torch.testing.assert_close(net(x, torch.tensor([5])), early)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda net: setattr(net, "conv_size", 9), "9 steps"),
        (lambda net: setattr(net, "pooling", "sum"), "pooling sum"),
        (lambda net: setattr(net.blocks[0].layer, "units", 5), "for 5 units|parts of"),
        (lambda net: setattr(net.blocks[0].layer, "lstm", True), "gates of"),
        (lambda net: setattr(net.norm, "batch", True), "class LayerNorm where batch=True"),
        (lambda net: setattr(net, "head", torch.nn.Linear(3, 2)), "parts of"),
    ],
)
def test_parts_that_do_not_fit_one_another_are_refused(change, said):
    kind = {"hidden_size": 4, "n_layers": 1, "conv_size": 2, "normalization": "layer", "pooling": "mean"}
    block = {"expansion": 1.0, "dropout": 0.0, "bidirectional": False, "lstm": False, "memory": 5.0}
    net = SequenceNet(2, 3, **kind, **block)
    checked = [part for part in net.modules() if hasattr(part, "check")]
    for part in checked:
        part.check()
    change(net)
    with pytest.raises(ValueError, match=said):
        for part in checked:
            part.check()
    with pytest.raises(ValueError, match="numbers of type 'int8'"):
        net.dtype = "int8"
