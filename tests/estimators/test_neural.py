import numpy as np
import pytest
import torch

from skauto.estimators._mlp import MLPClassifier
from skauto.estimators._neural import TRAINING_PARAMETERS, NeuralClassifier, choose_device, placed


def test_prepare_sees_training_and_predict_batches():
    seen = []

    class Spy(MLPClassifier):
        def _prepare(self, inputs, training):
            seen.append((training, len(inputs[0])))
            return inputs

    X = np.random.default_rng(0).normal(size=(64, 2))
    Spy(max_epochs=1, batch_size=32, random_state=0).fit(X, X[:, 0] > 0).predict(X)
    assert seen == [(True, 32), (True, 32), (False, 64)]


def test_partial_fit_wants_classes_and_refuses_balanced():
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.where(X[:, 0] > 0, "b", "a")
    clf = MLPClassifier(random_state=0).partial_fit(X, y, classes=["a", "b", "c"])
    assert clf.predict_proba(X).shape == (40, 3)
    with pytest.raises(ValueError, match="not among the classes"):
        clf.partial_fit(X, np.where(X[:, 0] > 0, "b", "z"))
    with pytest.raises(ValueError, match="balanced"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y)


def test_balanced_weights_lift_a_rare_class():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 2)), np.r_[np.ones(20, int), np.zeros(380, int)]
    plain, balanced = (
        MLPClassifier(class_weight=w, max_epochs=5, random_state=0).fit(X, y).predict_proba(X)[:, 1].mean()
        for w in (None, "balanced")
    )
    assert balanced > 3 * plain


def test_tiny_classes_stay_out_of_validation():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(62, 2)), np.r_[np.zeros(30, int), np.ones(30, int), 2, 3]
    clf = MLPClassifier(early_stopping=True, max_epochs=3, random_state=0).fit(X, y)
    assert "valid_loss" in clf.history_[0]
    assert clf.predict_proba(X).shape == (62, 4)


def test_device_auto_is_what_there_is():
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == "cpu"


def test_every_shared_parameter_is_checked_and_described():
    assert set(NeuralClassifier._parameter_constraints) == {
        line.split(" : ")[0].strip() for line in TRAINING_PARAMETERS.splitlines() if " : " in line and line[4] != " "
    }


def test_a_module_that_is_in_place_is_not_touched(monkeypatch):
    module = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(2, 3))
    moved = []
    monkeypatch.setattr(module, "to", lambda device: moved.append(device.type))
    placed(module, "cpu")
    placed(torch.nn.ReLU(), "cpu")
    assert moved == []
    placed(module, "meta")
    assert moved == ["meta"]
