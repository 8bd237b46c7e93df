import pytest
import torch
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._distill import Distill
from skauto.estimators.compression.steps._lowrank import LowRank
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.images._cnn import CNNClassifier
from tests.contracts.compression import CompressionContract


class TestDistill(CompressionContract):
    loss = 0.3

    def make(self, **params):
        return Distill(CNNClassifier(width=8, depth=1, random_state=0), **{"epochs": 8, **params})


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Distill(), "needs a student"),
        (Distill(teacher=DummyClassifier().fit([[0], [1]], [0, 1])), "the teacher knows the classes"),
    ],
)
def test_what_cannot_be_done_is_named(digits_net, step, said):
    base, X, y = digits_net
    with pytest.raises(ValueError, match=said):
        CompressedClassifier(FrozenEstimator(base), [("step", step)]).fit(X, y)


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


@pytest.mark.slow
def test_trees_on_pixels_teach_a_net_on_images(digits_net):
    _, X, y = digits_net
    forest = RandomForestClassifier(n_estimators=50, random_state=0)
    student = CNNClassifier(width=8, depth=1, max_epochs=2, random_state=0)
    steps = [("d", Distill(student, epochs=8))]
    assert CompressedClassifier(forest, steps).fit(X, y).score(X, y) > 0.85
    fitted = clone(forest).fit(X.reshape(len(X), -1), y)
    assert CompressedClassifier(FrozenEstimator(fitted), steps).fit(X, y).score(X, y) > 0.85
    step = Distill(teacher=forest, epochs=6)
    assert CompressedClassifier(student, [("d", step)]).fit(X, y).score(X, y) > 0.7


def test_what_was_pruned_stays_so(digits_net):
    base, X, y = digits_net
    pruned = ("p", Prune(0.8, rounds=1, epochs=0))
    taught = ("d", Distill(teacher=FrozenEstimator(base), epochs=1))
    nets = [
        CompressedClassifier(FrozenEstimator(base), steps).fit(X, y).estimator_.module_
        for steps in ([pruned], [pruned, taught])
    ]
    before, after = ([p for p in net.parameters() if p.dim() > 1] for net in nets)
    assert all(torch.equal(a == 0, b == 0) for a, b in zip(before, after, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Distill(LogisticRegression()), "student of Distill must be a network that is not fitted yet"),
        (Distill(CNNClassifier(), teacher=LinearSVC()), "teacher of Distill must have predict_proba"),
    ],
)
def test_what_cannot_learn_or_teach_is_named(digits_net, step, said):
    base, X, y = digits_net
    with pytest.raises(ValueError, match=said):
        CompressedClassifier(FrozenEstimator(base), [("d", step)]).fit(X, y)
