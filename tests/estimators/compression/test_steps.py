import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from skauto.estimators._cnn import CNNClassifier
from skauto.estimators.compression import _binary_layers, _int8
from skauto.estimators.compression._binarize import Binarize
from skauto.estimators.compression._binary_layers import BinaryConv2d, BinaryLinear
from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression._codebook import input_gram, reconstruct, scalar_codes
from skauto.estimators.compression._distill import Distill
from skauto.estimators.compression._lowrank import LowRank, split_layer
from skauto.estimators.compression._quantize import Quantize
from tests.contracts.compression import CompressionContract


class TestLowRank(CompressionContract):
    def make(self, **params):
        return LowRank(**{"ratio": 0.6, "epochs": 6, **params})


class TestCodebook(CompressionContract):
    def make(self, **params):
        return Quantize(**{"bits": 5, "epochs": 1, **params})


class TestProduct(CompressionContract):
    def make(self, **params):
        return Quantize(**{"method": "product", "bits": 6, "epochs": 2, "reconstruct": True, **params})


class TestInt8(CompressionContract):
    loss = 0.02

    def make(self, **params):
        return Quantize("int8", **params)


class TestBinary(CompressionContract):
    def make(self, **params):
        return Binarize(**{"epochs": 4, **params})


class TestCountedBits(CompressionContract):
    loss = 0.3

    def make(self, **params):
        return Binarize("xnor", **{"activation_bits": 2, "epochs": 4, **params})


class TestDistill(CompressionContract):
    loss = 0.3

    def make(self, **params):
        return Distill(CNNClassifier(width=8, depth=1, random_state=0), **{"epochs": 8, **params})


@torch.no_grad()
@pytest.mark.parametrize("form", ["channels", "spatial"])
def test_full_rank_is_the_layer_itself(form):
    torch.manual_seed(0)
    layer, x = torch.nn.Conv2d(4, 40, (3, 5), (2, 1), (1, 2)), torch.randn(2, 4, 9, 11)
    layer.weight.copy_(torch.einsum("or,rihw->oihw", torch.randn(40, 2), torch.randn(2, 4, 1, 5).expand(2, 4, 3, 5)))
    split = split_layer(layer, lambda singular, full, per_rank: 8, form)
    torch.testing.assert_close(split(x), layer(x), atol=1e-4, rtol=1e-4)


def test_a_layer_that_would_not_get_cheaper_stays():
    assert split_layer(torch.nn.Linear(8, 8), lambda *_: 4) is None
    assert split_layer(torch.nn.Conv2d(8, 8, 1), lambda *_: 1) is None


def test_codewords_are_the_means_of_their_weights_and_zero_stays():
    weight = torch.randn(40, 50, generator=torch.Generator().manual_seed(0))
    weight[weight.abs() < 0.5] = 0
    codes, book = scalar_codes(weight, 3, "layer")
    assert len(book) == 7 and ((codes == -1) == (weight.flatten() == 0)).all()
    for code, value in enumerate(book[:, 0]):
        assert weight.flatten()[codes == code].mean() == pytest.approx(float(value), abs=1e-3)


def test_reconstruction_brings_the_output_nearer(digits_net):
    base, X, _ = digits_net
    net = base.module_
    example = base._prepare(base._tensors(base._check_X(X[:200], reset=False), reset=False), False)[0]
    layer, gram = net.get_submodule("features.6"), input_gram(net, "features.6", example)
    codes, book = scalar_codes(layer.weight, 2, "features.6")

    def error(table):
        gap = table[codes, 0].view_as(layer.weight).flatten(1) - layer.weight.detach().flatten(1)
        return float(((gap @ gram) * gap).sum())

    assert error(reconstruct(layer.weight, codes, book, gram)) < 0.995 * error(book)


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


@pytest.mark.parametrize("backbone", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
def test_int8_is_near_the_float_network_and_falls_back(digits_net, backbone, monkeypatch):
    _, X, y = digits_net
    base = CNNClassifier(backbone=backbone, width=8, depth=1, max_epochs=2, random_state=0)
    clf = CompressedClassifier(base, [("q", Quantize("int8"))]).fit(X, y)
    whole = CompressedClassifier(base).fit(X, y).predict_proba(X)
    assert np.abs(clf.predict_proba(X) - whole).mean() < 0.02
    fast = clf.predict_proba(X)
    monkeypatch.setattr(_int8, "has_int8", lambda: False)
    assert np.abs(clf.predict_proba(X) - fast).mean() < 0.01


def test_int8_ends_a_chain(digits_net):
    base, X, y = digits_net
    with pytest.raises(ValueError, match="put it last"):
        CompressedClassifier(base, [("q", Quantize("int8")), ("r", LowRank())]).fit(X, y)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (LowRank(rank=0), "rank 0 keeps nothing"),
        (LowRank(rank=2, ratio=0.5), "exclude each other"),
        (Quantize(bits=8), "fewer than the 256 codewords"),
        (Quantize(bits=9), "an integer from 1 to 8"),
        (Quantize("int4"), "method of Quantize must be one of"),
        (Quantize(layer_bits={"nowhere": 2}), "the layers are features.0"),
        (Binarize("xnor", activation_bits=0), "an integer from 1 to 8"),
        (Distill(), "needs a student"),
        (Distill(teacher=DummyClassifier().fit([[0], [1]], [0, 1])), "the teacher knows the classes"),
    ],
)
def test_what_cannot_be_done_is_named(digits_net, step, said):
    base, X, y = digits_net
    with pytest.raises(ValueError, match=said):
        TestLowRank.compressed(type("Any", (TestLowRank,), {"make": lambda self: step})(), base, X, y)


def test_costly_choices_are_warned_of(digits_net):
    _, X, y = digits_net
    net = CNNClassifier(backbone="mobilenetv2", width=8, depth=1, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="1 x 1 convolutions"):
        CompressedClassifier(net, [("b", Binarize(epochs=0))]).fit(X[:100], y[:100])
    plain = CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="above 4 bits"):
        CompressedClassifier(plain, [("b", Binarize("xnor", activation_bits=5, epochs=0))]).fit(X[:100], y[:100])


def test_any_classifier_can_teach(digits_net):
    _, X, y = digits_net
    flat = X.reshape(len(X), -1)
    student = CNNClassifier(width=8, depth=1, random_state=0)
    clf = CompressedClassifier(LogisticRegression(C=0.01, max_iter=500), [("d", Distill(student, epochs=10))])
    assert clf.fit(flat, y).score(flat, y) > 0.85
    small = CNNClassifier(width=4, depth=1, max_epochs=2, random_state=0)
    step = Distill(teacher=LogisticRegression(C=0.01, max_iter=500), epochs=6)
    assert CompressedClassifier(small, [("d", step)]).fit(flat, y).score(flat, y) > 0.7
    with pytest.raises(ValueError, match="start with a Distill step"):
        CompressedClassifier(LogisticRegression(max_iter=500), [("l", LowRank())]).fit(flat, y)
