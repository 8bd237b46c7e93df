import pytest
import torch
from sklearn.frozen import FrozenEstimator

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._lowrank import LowRank, split_layer
from tests.contracts.compression import CompressionContract


class TestLowRank(CompressionContract):
    def make(self, **params):
        return LowRank(**{"ratio": 0.6, "epochs": 6, **params})


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


def test_the_convolution_of_the_pixels_stays(digits_net):
    base, X, y = digits_net
    step = LowRank(ratio=0.5, epochs=0)
    features = CompressedClassifier(FrozenEstimator(base), [("low", step)]).fit(X, y).estimator_.module_.features
    assert type(features[0]) is torch.nn.Conv2d
    assert type(features[3]) is torch.nn.Sequential


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (LowRank(rank=0), "rank 0 keeps nothing"),
        (LowRank(rank=2, ratio=0.5), "exclude each other"),
    ],
)
def test_what_cannot_be_done_is_named(digits_net, step, said):
    base, X, y = digits_net
    with pytest.raises(ValueError, match=said):
        CompressedClassifier(FrozenEstimator(base), [("step", step)]).fit(X, y)
