"""compress() within its time, and with networks whose classes stand inside functions."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.tree import DecisionTreeClassifier

from skauto import compress
from skauto.estimators import (
    CNNClassifier,
    CompressedClassifier,
    MinGRUClassifier,
    MLPClassifier,
    Prune,
    Quantize,
    footprint,
)

X, Y = load_digits(return_X_y=True)
X, Y = X[:400], Y[:400]
IMAGES = X.reshape(-1, 8, 8)


def test_the_chain_that_runs_at_the_limit_is_stopped_and_left_out(clock):
    """The limit was looked at between chains: 5 seconds became more than 150."""
    net = MLPClassifier(n_members=1, max_epochs=2, batch_size=16, random_state=0).fit(X, Y)
    began = clock[0]
    small = compress(net, X, Y, {"max_loss": 1.0}, epochs=2, time_limit=110, random_state=0)  # 40 steps a codebook
    assert clock[0] - began <= 110
    assert small.pareto_front_["chain"].tolist() == ["codebook 6", "codebook 4"]


def test_the_first_chain_is_shortened_with_a_warning(clock):
    net = MLPClassifier(n_members=1, max_epochs=2, batch_size=16, random_state=0).fit(X, Y)
    began = clock[0]
    with pytest.warns(UserWarning, match="time_limit=15 was over before the first chain, 'codebook 6', was trained"):
        small = compress(net, X, Y, {"max_loss": 1.0}, epochs=2, time_limit=15, random_state=0)
    assert clock[0] - began <= 15
    assert len(small.pareto_front_) == 1 and small.predict(X).shape == Y.shape


@pytest.mark.parametrize(
    ("estimator", "rows"),
    [
        (CNNClassifier(width=8, depth=1, max_epochs=50, batch_size=16), IMAGES),
        (MinGRUClassifier(hidden_size=8, max_epochs=50, batch_size=16), IMAGES),
    ],
)
def test_an_unfitted_network_is_trained_within_the_limit_too(clock, estimator, rows):
    began = clock[0]
    with pytest.warns(
        UserWarning, match=r"time_limit=60 was too short to train (CNN|MinGRU)Classifier\(\) as it should"
    ):
        small = compress(
            estimator.set_params(random_state=0), rows, Y, {"max_loss": 1.0}, epochs=1, time_limit=60, random_state=0
        )
    assert clock[0] - began <= 60
    assert small.pareto_front_["chain"].iloc[0] == "int8"


def test_students_are_taught_within_the_limit(clock):
    tree = DecisionTreeClassifier(max_depth=5, random_state=0).fit(X, Y)
    began = clock[0]
    with pytest.warns(UserWarning, match="'student of 8', was trained"):
        compress(tree, X, Y, {"max_loss": 1.0}, epochs=20, time_limit=30, random_state=0)
    assert clock[0] - began <= 30


def test_the_steps_of_a_compressed_classifier_are_shortened_to_its_limit(clock):
    """The network kept its limit, and the steps after it trained on as long as they had epochs."""
    net = MLPClassifier(n_members=1, max_epochs=2, batch_size=16, random_state=0)
    steps = [("prune", Prune(0.5, rounds=2, epochs=40)), ("codebook", Quantize(bits=4, epochs=40))]
    began = clock[0]
    small = CompressedClassifier(net, steps, time_limit=80).fit(X, Y)
    assert 60 < clock[0] - began <= 82  # the last step has a batch at least
    assert small.score(X, Y) > 0.3
    with pytest.raises(ValueError, match="time_limit of CompressedClassifier must be a number of seconds above 0, or"):
        small.set_params(time_limit=0).fit(X, Y)


def local_backbone():
    class Local(torch.nn.Module):
        def __init__(self, channels, n_classes, width, depth):
            super().__init__()
            self.conv, self.head = torch.nn.Conv2d(channels, width, 3), torch.nn.Linear(width, n_classes)

        def forward(self, x):
            return self.head(torch.relu(self.conv(x)).mean((2, 3)))

    return Local


def test_a_backbone_inside_a_function_is_compressed_measured_and_pickled():
    """A PicklingError after 42 seconds."""
    net = CNNClassifier(backbone=local_backbone(), width=8, max_epochs=2, random_state=0).fit(IMAGES, Y)
    assert footprint(net, IMAGES).bytes > 1000
    model = CompressedClassifier(FrozenEstimator(net), [("p", Prune(0.5, rounds=1, epochs=0))]).fit(IMAGES, Y)
    for again in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        np.testing.assert_array_equal(again.predict_proba(IMAGES), model.predict_proba(IMAGES))
    assert footprint(model, IMAGES).parameters == footprint(net, IMAGES).parameters


def test_joblib_keeps_a_compressed_network_of_a_class_inside_a_function(tmp_path):
    net = CNNClassifier(backbone=local_backbone(), width=4, max_epochs=1, random_state=0)
    model = CompressedClassifier(net, [("p", Prune(0.5, rounds=1, epochs=0))]).fit(IMAGES, Y)
    joblib.dump(model, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(again.predict_proba(IMAGES), model.predict_proba(IMAGES))
    assert again.fit(IMAGES[:40], Y[:40]).predict(IMAGES).shape == Y.shape


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:compress left out the chain 'filters")
def test_compress_takes_a_network_whose_class_stands_inside_a_function():
    net = CNNClassifier(backbone=local_backbone(), width=8, max_epochs=2, random_state=0).fit(IMAGES, Y)
    small = compress(net, IMAGES, Y, {"max_loss": 1.0}, epochs=1, time_limit=20, random_state=0)
    assert small.pareto_front_["bytes"].min() > 0
    pickle.loads(pickle.dumps(small)).predict(IMAGES)
