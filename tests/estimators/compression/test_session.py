import copy

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._binarize import Binarize
from skauto.estimators.compression.steps._distill import Distill
from skauto.estimators.compression.steps._lowrank import LowRank
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.compression.steps._quantize import Quantize
from skauto.estimators.images._cnn import CNNClassifier
from skauto.estimators.sequences._recurrent import MinGRUClassifier


class Looping(torch.nn.Module):
    """Looks at its rows one by one, which no tracer can follow."""

    def __init__(self, channels, classes):
        super().__init__()
        self.layer = torch.nn.Linear(64 * channels, classes)

    def forward(self, x):
        return torch.stack([self.layer(x[i].flatten()) for i in range(x.shape[0])])


def test_rows_of_weight_zero_teach_nothing(digits_net):
    base, X, y = digits_net
    weights = np.ones(200)
    weights[::2] = 0
    step = Distill(CNNClassifier(width=4, depth=1, random_state=0), epochs=1)
    whole = CompressedClassifier(FrozenEstimator(base), [("d", step)]).fit(X[:200], y[:200], sample_weight=weights)
    half = CompressedClassifier(FrozenEstimator(base), [("d", step)]).fit(X[1:200:2], y[1:200:2])
    np.testing.assert_allclose(whole.predict_proba(X[:9]), half.predict_proba(X[:9]), atol=1e-6)


def test_labels_that_a_fitted_net_does_not_know_are_named(digits_net):
    base, X, y = digits_net
    for labels in (y + 5, (y + 5).astype(str)):
        with pytest.raises(ValueError, match="y has labels .* that CNNClassifier does not know"):
            CompressedClassifier(FrozenEstimator(base), [("p", Prune(0.5, epochs=1))]).fit(X, labels)


def test_a_network_compressed_for_good_is_not_worked_on_again(digits_net):
    base, X, y = digits_net
    final = CompressedClassifier(FrozenEstimator(base), [("q", Quantize("int8"))]).fit(X, y).estimator_
    with pytest.raises(ValueError, match="compressed for good, with Int8Conv2d"):
        CompressedClassifier(FrozenEstimator(final), [("p", Prune(0.5))]).fit(X, y)
    student = CNNClassifier(width=4, depth=1, random_state=0)
    taught = CompressedClassifier(FrozenEstimator(final), [("d", Distill(student, epochs=4))]).fit(X, y)
    assert taught.score(X, y) > 0.5


def test_sparse_layers_become_whole_again_for_the_next_step(digits_net):
    _, X, y = digits_net
    big = np.kron(X[:300], np.ones((2, 2)))
    net = CNNClassifier(backbone="lenet5", width=8, max_epochs=1, random_state=0)
    pruned = CompressedClassifier(net, [("p", Prune(0.95, rounds=1, epochs=0))]).fit(big, y[:300])
    assert "SparseLinear" in {type(m).__name__ for m in pruned.estimator_.module_.modules()}
    again = CompressedClassifier(FrozenEstimator(pruned.estimator_), [("q", Quantize(bits=3, epochs=0))])
    assert len(again.fit(big, y[:300]).to_bytes()) < len(pruned.to_bytes())


def test_binary_networks_have_their_norms_folded(digits_net):
    base, X, y = digits_net
    small = CompressedClassifier(FrozenEstimator(base), [("b", Binarize("xnor", epochs=0))]).fit(X, y)
    first = small.estimator_.module_.features[1]
    assert isinstance(first, torch.nn.Identity)


def test_a_network_that_cannot_be_followed_is_kept_as_it_is(digits_net):
    _, X, y = digits_net
    net = CNNClassifier(backbone=lambda c, k, w, d: Looping(c, k), max_epochs=1, random_state=0)
    clf = CompressedClassifier(net).fit(X[:100], y[:100])
    assert clf.predict(X[:5]).shape == (5,)
    with pytest.raises(ValueError, match="the graph of Looping cannot be read"):
        CompressedClassifier(net, [("p", Prune(0.5, what="filters"))]).fit(X[:100], y[:100])


def test_the_report_ends_with_the_size_of_the_file(digits_net):
    base, X, y = digits_net
    clf = CompressedClassifier(FrozenEstimator(base), [("p", Prune(0.8, rounds=1, epochs=0))]).fit(X, y)
    assert clf.steps_report_["bytes"].iloc[-1] == len(clf.to_bytes())


def test_a_copy_keeps_what_is_frozen_and_predicts_alike(digits_net):
    base, X, y = digits_net
    clf = CompressedClassifier(FrozenEstimator(base), [("p", Prune(0.5, rounds=1, epochs=0))]).fit(X, y)
    made = copy.deepcopy(clf)
    assert isinstance(made.estimator, FrozenEstimator) and made.estimator_ is not clf.estimator_
    np.testing.assert_array_equal(made.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize(
    "step",
    [
        LowRank(),
        Quantize("int8", reconstruct=True),
        Quantize(reconstruct=True),
        Binarize("xnor"),
        Prune(0.5, what="filters"),
    ],
)
def test_steps_that_rebuild_layers_refuse_recurrent_nets(step):
    X, y = np.random.default_rng(0).normal(size=(24, 6, 1)), np.arange(24) % 2
    net = MinGRUClassifier(hidden_size=8, max_epochs=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="step 's' rebuilds layers, which MinGRUClassifier does not bear"):
        CompressedClassifier(FrozenEstimator(net), [("s", step)]).fit(X, y)
    kept = CompressedClassifier(FrozenEstimator(net), [("s", Prune(0.5, rounds=1, epochs=1))]).fit(X, y)
    assert kept.predict_proba(X).shape == (24, 2)
