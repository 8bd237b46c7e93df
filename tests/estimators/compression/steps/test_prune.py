import copy

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator

from skauto.estimators.compression import _session
from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.compression.steps._task import weighted_layers
from skauto.estimators.images._cnn import CNNClassifier
from tests.contracts.compression import CompressionContract


class TestWeights(CompressionContract):
    def make(self, **params):
        return Prune(**{"amount": 0.7, "rounds": 2, "epochs": 2, **params})


class TestFilters(CompressionContract):
    def make(self, **params):
        return Prune(**{"amount": 0.3, "what": "filters", "rounds": 1, "epochs": 3, "sparsity": 1e-4, **params})


def test_fractions_are_kept(digits_net):
    base, X, y = digits_net
    clf = CompressedClassifier(CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0))
    clf.set_params(steps=[("p", Prune(0.8, rounds=2, epochs=1, layer_amounts={"features.0": 0.25}))]).fit(X, y)
    zeros = {n: float((p == 0).float().mean()) for n, p in clf.estimator_.module_.named_parameters() if p.dim() > 1}
    assert zeros["features.0.weight"] == pytest.approx(0.25, abs=0.02)
    assert zeros["features.6.weight"] == pytest.approx(0.8, abs=0.001)
    network = clf.set_params(p=Prune(0.6, rounds=1, epochs=0, scope="network")).fit(X, y).estimator_.module_
    weights = torch.cat([p.flatten() for p in network.parameters() if p.dim() > 1])
    assert float((weights == 0).float().mean()) == pytest.approx(0.6, abs=0.001)


def test_scales_are_pulled_to_zero(digits_net, monkeypatch):
    base, X, y = digits_net
    monkeypatch.setattr(_session, "fold_norms", lambda net, example: net)  # or no scale would be left to look at
    task_steps = [("p", Prune(0.1, what="filters", norm="bn", rounds=1, epochs=3, sparsity=s)) for s in (0.0, 0.05)]
    sizes = []
    for step in task_steps:
        clf = CompressedClassifier(CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0), [step]).fit(X, y)
        norms = [m for m in clf.estimator_.module_.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        sizes.append(torch.cat([m.weight for m in norms]).abs().mean())
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"amount": 1.0}, "1 would leave nothing"),
        ({"what": "channels"}, r"one of \['filters', 'weights'\]"),
        ({"amount": 0.999, "what": "filters", "rounds": 1}, "would remove every one of the"),
        ({"layer_amounts": {"features.9": 0.5}}, "the layers are features.0"),
        ({"rounds": 0}, "rounds of Prune"),
    ],
)
def test_bad_parameters_are_named(digits_net, params, said):
    base, X, y = digits_net
    with pytest.raises(ValueError, match=said):
        TestWeights().compressed(base, X, y, **params)


def test_of_equal_weights_no_more_go_than_asked(digits_net):
    base, X, y = digits_net
    layer = copy.deepcopy(base)
    for weight in layer.module_.parameters():
        weight.data = torch.where(weight.data >= 0, 1.0, -1.0)
    steps = [("p", Prune(0.3, rounds=1, epochs=0))]
    net = CompressedClassifier(FrozenEstimator(layer), steps).fit(X[:200], y[:200]).estimator_.module_
    assert float((net.classifier.weight == 0).float().mean()) == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Prune(0.5, what="filters", layer_amounts={"classifier": 0.5}), "layer_amounts goes with what='weights'"),
        (Prune(0.5, scope="network", layer_amounts={"classifier": 0.5}), "layer_amounts goes with what='weights'"),
        (Prune(0.5, what="filters", norm="bn"), "the network has none"),
        (Prune(0.5, sparsity=0.1), "the network has none"),
    ],
)
def test_what_would_have_no_effect_is_refused(digits_net, step, said):
    _, X, y = digits_net
    net = CNNClassifier(backbone="lenet5", width=4, max_epochs=1, random_state=0)
    big = np.kron(X[:100], np.ones((2, 2)))
    with pytest.raises(ValueError, match=said):
        CompressedClassifier(net, [("p", step)]).fit(big, y[:100])


@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize(("amount", "left"), [(0.5, [4, 8, 16]), (0.75, [2, 4, 8])])
def test_rounds_remove_as_many_filters_as_one(digits_net, rounds, amount, left):
    _, X, y = digits_net
    net = CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0).fit(X[:200], y[:200])
    step = Prune(amount, what="filters", rounds=rounds, epochs=0)
    small = CompressedClassifier(FrozenEstimator(net), [("p", step)]).fit(X[:200], y[:200])
    sizes = [m.out_channels for m in small.estimator_.module_.modules() if isinstance(m, torch.nn.Conv2d)]
    assert sizes == left


@pytest.mark.parametrize("rounds", [1, 3])
def test_filters_that_would_all_go_are_named_before_the_first_round(digits_net, rounds):
    _, X, y = digits_net
    net = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(X[:200], y[:200])
    step = Prune(0.9, what="filters", rounds=rounds, epochs=0)
    with pytest.raises(ValueError, match=r"amount=0.9 would remove every one of the 4 filters of .*at most 0.750"):
        CompressedClassifier(FrozenEstimator(net), [("p", step)]).fit(X[:200], y[:200])


def test_one_weight_at_least_stays(digits_net):
    base, X, y = digits_net
    clf = CompressedClassifier(FrozenEstimator(base), [("p", Prune(0.99999, rounds=1, epochs=0))]).fit(X, y)
    assert sum(int((layer.weight != 0).sum()) for layer in weighted_layers(clf.estimator_.module_).values()) >= 1
