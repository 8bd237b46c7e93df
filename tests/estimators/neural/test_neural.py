import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skauto.estimators.neural._neural import TRAINING_PARAMETERS, NeuralClassifier
from skauto.estimators.tables._mlp import MLPClassifier


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


def test_every_shared_parameter_is_checked_and_described():
    assert set(NeuralClassifier._parameter_constraints) == {
        line.split(" : ")[0].strip() for line in TRAINING_PARAMETERS.splitlines() if " : " in line and line[4] != " "
    }


def test_partial_fit_keeps_what_weights_are_relative_to():
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.arange(40) % 2
    moved = []
    for weight in (1.0, 1e-6):
        clf = MLPClassifier(optimizer="sgd", lr_schedule="constant", weight_decay=0.0, clip_norm=None, random_state=0)
        clf.partial_fit(X, y)
        before = clf.predict_proba(X)
        clf.partial_fit(X, y, sample_weight=np.full(40, weight))
        moved.append(np.abs(clf.predict_proba(X) - before).max())
    assert moved[1] < 1e-3 * moved[0]
    # A chunk with one class only: its class weight still counts.
    light, heavy = (MLPClassifier(class_weight={1: w}, optimizer="sgd", lr=0.1, random_state=0) for w in (0.01, 1.0))
    lifted = []
    for clf in (light, heavy):
        clf.partial_fit(X, y)
        before = clf.predict_proba(X)[:, 1].mean()
        clf.partial_fit(X[y == 1], y[y == 1])
        lifted.append(clf.predict_proba(X)[:, 1].mean() - before)
    assert lifted[1] > 10 * lifted[0]


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_partial_fit_after_fit_still_learns(schedule):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = X[:, 0] > 0
    clf = MLPClassifier(max_epochs=2, lr_schedule=schedule, random_state=0).fit(X, y)
    before = clf.predict_proba(X)
    clf.partial_fit(X, y)
    assert np.abs(clf.predict_proba(X) - before).max() > 0
    assert clf.history_[-1]["lr"] == pytest.approx(0.01 * clf.lr)


def test_partial_fit_refuses_other_classes():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    clf = MLPClassifier(random_state=0).partial_fit(X, y, classes=[0, 1])
    clf.partial_fit(X, y, classes=[1, 0])
    with pytest.raises(ValueError, match=r"classes=\[0, 1, 2\] differ"):
        clf.partial_fit(X, y, classes=[0, 1, 2])


def test_labels_that_are_no_strings_among_strings_are_named():
    X = np.random.default_rng(0).normal(size=(4, 2))
    for stray in (None, np.nan, 3, pd.NA):
        with pytest.raises(ValueError, match=f"y has {stray!r} among strings, first in row 2"):
            MLPClassifier().fit(X, np.array(["a", "b", stray, "a"], dtype=object))


def test_class_weights_are_checked():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    with pytest.raises(ValueError, match=r"class_weight=\{1: -1\}"):
        MLPClassifier(class_weight={0: 1, 1: -1}).fit(X, y)
    with pytest.raises(ValueError, match="class_weight is zero for all rows"):
        MLPClassifier(class_weight={0: 0, 1: 0}).fit(X, y)


def test_a_fit_that_is_interrupted_leaves_nothing_behind():
    class Interrupted(MLPClassifier):
        def _prepare(self, inputs, training):
            raise KeyboardInterrupt

    X = np.random.default_rng(0).normal(size=(64, 2))
    clf = Interrupted(max_epochs=1, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, X[:, 0] > 0)
    with pytest.raises(NotFittedError):
        clf.predict(X)


def test_an_interrupted_partial_fit_leaves_the_net_predicting():
    X = np.random.default_rng(0).normal(size=(64, 2))
    clf = MLPClassifier(dropout=0.5, n_members=1, random_state=0).partial_fit(X, X[:, 0] > 0)
    clf._prepare = lambda inputs, training: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        clf.partial_fit(X, X[:, 0] > 0)
    del clf._prepare
    assert not clf.module_.training
    np.testing.assert_array_equal(clf.predict_proba(X), clf.predict_proba(X))


def test_long_rows_are_predicted_a_few_at_a_time(monkeypatch):
    seen = []

    class Spy(MLPClassifier):
        def _prepare(self, inputs, training):
            seen.append(len(inputs[0]))
            return inputs

    X = np.random.default_rng(0).normal(size=(40, 8))
    clf = Spy(max_epochs=1, random_state=0).fit(X, X[:, 0] > 0)
    whole = clf.predict_proba(X)
    seen.clear()
    monkeypatch.setattr("skauto.estimators.neural._neural.PREDICT_VALUES", 128)
    np.testing.assert_allclose(clf.predict_proba(X), whole, atol=1e-6)
    assert seen == [16, 16, 8]


def test_numpy_booleans_of_early_stopping_wait_as_pythons_do():
    clf = MLPClassifier(early_stopping=np.True_)
    clf._seed = 0
    assert clf._settings(100, "cpu", np.True_).patience == clf._settings(100, "cpu", True).patience > 1
