import pytest
from sklearn.frozen import FrozenEstimator

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._binarize import Binarize
from skauto.estimators.images._cnn import CNNClassifier
from tests.contracts.compression import CompressionContract


class TestBinary(CompressionContract):
    def make(self, **params):
        return Binarize(**{"epochs": 4, **params})


class TestCountedBits(CompressionContract):
    loss = 0.3

    def make(self, **params):
        return Binarize("xnor", **{"activation_bits": 2, "epochs": 4, **params})


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Binarize("xnor", activation_bits=0), "an integer from 1 to 8"),
        (Binarize("bnw"), "method of Binarize must be one of"),
    ],
)
def test_what_cannot_be_done_is_named(digits_net, step, said):
    base, X, y = digits_net
    with pytest.raises(ValueError, match=said):
        CompressedClassifier(FrozenEstimator(base), [("step", step)]).fit(X, y)


def test_costly_choices_are_warned_of(digits_net):
    _, X, y = digits_net
    net = CNNClassifier(backbone="mobilenetv2", width=8, depth=1, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="1 x 1 convolutions"):
        CompressedClassifier(net, [("b", Binarize(epochs=0))]).fit(X[:100], y[:100])
    plain = CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="above 4 bits"):
        CompressedClassifier(plain, [("b", Binarize("xnor", activation_bits=5, epochs=0))]).fit(X[:100], y[:100])
