import pytest
from sklearn.frozen import FrozenEstimator

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._lowrank import LowRank
from skauto.estimators.compression.steps._quantize import Quantize
from tests.contracts.compression import CompressionContract


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


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Quantize(bits=9), "an integer from 1 to 8"),
        (Quantize("int4"), "method of Quantize must be one of"),
        (Quantize(layer_bits={"nowhere": 2}), "the layers are features.0"),
    ],
)
def test_what_cannot_be_done_is_named(digits_net, step, said):
    base, X, y = digits_net
    with pytest.raises(ValueError, match=said):
        CompressedClassifier(FrozenEstimator(base), [("step", step)]).fit(X, y)


def test_int8_ends_a_chain(digits_net):
    base, X, y = digits_net
    with pytest.raises(ValueError, match="Put 'q' last"):
        CompressedClassifier(base, [("q", Quantize("int8")), ("r", LowRank())]).fit(X, y)
