"""Steps of compression on networks that used to fail, to change nothing, or to go by something else than they said."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skauto import compress
from skauto.estimators import (
    CNNClassifier,
    CompressedClassifier,
    Distill,
    MLPClassifier,
    Prune,
    Quantize,
)

X, Y = load_digits(return_X_y=True)
X, Y = X[:500], Y[:500]
IMAGES = X.reshape(-1, 8, 8)


@pytest.fixture(scope="module")
def cnn():
    return CNNClassifier(width=8, depth=1, max_epochs=3, random_state=0).fit(IMAGES, Y)


def compressed(net, rows, *steps):
    return CompressedClassifier(FrozenEstimator(net), [(f"s{i}", step) for i, step in enumerate(steps)]).fit(rows, Y)


@pytest.mark.parametrize("method", ["codebook", "product"])
@pytest.mark.parametrize("bits", [4, 8])
def test_a_layer_of_fewer_weights_than_codewords_is_kept_as_it_is(cnn, bits, method):
    """A search over pruning and codebooks lost 15 of 18 fits to "fewer than the 15 codewords"."""
    pruned = compressed(cnn, IMAGES, Prune(0.9, rounds=1, epochs=0))
    both = compressed(cnn, IMAGES, Prune(0.9, rounds=1, epochs=0), Quantize(method, bits=bits, epochs=0))
    before, after = (model.estimator_.module_.features[0].weight.detach() for model in (pruned, both))
    assert 0 < int((before != 0).sum()) < 15
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    assert len(np.unique(both.estimator_.module_.features[6].weight.detach())) <= 4 * 2**bits


def normed_last(channels, n_classes, width, depth):
    """Norms behind the activations, where nothing folds them away."""
    layers = [torch.nn.Conv2d(channels, width, 3), torch.nn.ReLU(), torch.nn.BatchNorm2d(width)]
    layers += [torch.nn.Conv2d(width, 2 * width, 3, stride=2), torch.nn.ReLU(), torch.nn.BatchNorm2d(2 * width)]
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(8 * width, n_classes))


def test_a_penalty_on_scales_goes_by_its_strength_and_reaches_zero():
    """It went through Adam, which divides its size away: scales ended at .914 and .900 for .001 and .1."""
    net = CNNClassifier(backbone=normed_last, width=8, max_epochs=3, random_state=0).fit(IMAGES, Y)
    scales = []
    for sparsity in (1e-3, 1e-1, 1.0):
        step = Prune(0.1, what="filters", norm="bn", rounds=1, epochs=0, sparsity=sparsity, lr=0.01)
        layers = compressed(net, IMAGES, step).estimator_.module_
        scales.append(torch.cat([layers[2].weight.detach(), layers[5].weight.detach()]).abs())
    mild, middle, strong = scales
    assert float(mild.mean()) > 0.85
    assert float(middle.mean()) < 0.8 * float(mild.mean())
    assert int((strong == 0).sum()) > len(strong) / 4 and not (mild == 0).any()


class Table:
    """No estimator of scikit-learn's kind: what the user has, with labels in an order of its own."""

    def __init__(self, order, flat):
        self.classes_ = np.asarray(order)
        self.model = LogisticRegression(C=0.01, max_iter=500).fit(X, Y)
        self.flat = flat

    def predict_proba(self, rows):
        proba = self.model.predict_proba(np.reshape(rows, (len(rows), -1)))
        return proba[:, np.searchsorted(self.model.classes_, self.classes_)].tolist()


@pytest.mark.parametrize("images", [False, True])
@pytest.mark.parametrize("order", [range(10), range(9, -1, -1)])
def test_any_object_with_classes_and_predict_proba_teaches(order, images):
    """AttributeError about tags."""
    rows = IMAGES if images else X
    net = CNNClassifier(width=8, depth=1, max_epochs=1) if images else MLPClassifier(n_members=1, max_epochs=1)
    step = Distill(teacher=Table(list(order), not images), epochs=12, soft_weight=1.0, lr=0.01)
    model = CompressedClassifier(net.set_params(random_state=0), [("distill", step)]).fit(rows, Y)
    assert model.score(rows, Y) > 0.85


def test_a_teacher_that_says_too_little_is_refused_with_what_it_lacks():
    class Silent:
        def predict_proba(self, rows):
            return np.full((len(rows), 10), 0.1)

    class Short(Silent):
        classes_ = np.arange(10)

        def predict_proba(self, rows):
            return np.full((1, 10), 0.1)

    for teacher, said in ((Silent(), "must have classes_"), (Short(), r"shape \(1, 10\)")):
        steps = [("distill", Distill(teacher=teacher, epochs=1))]
        with pytest.raises(ValueError, match=said):
            CompressedClassifier(MLPClassifier(n_members=1, max_epochs=1), steps).fit(X, Y)


def test_compress_says_how_an_object_of_another_kind_teaches():
    with pytest.raises(
        ValueError, match=r"needs a classifier of scikit-learn's kind, got Table: .*Distill\(teacher=it"
    ):
        compress(Table(range(10), False), X, Y)
