import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.steps._binarize import Binarize
from skauto.estimators.compression.steps._distill import Distill
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.compression.steps._quantize import Quantize
from skauto.estimators.images._cnn import CNNClassifier
from skauto.estimators.tables._mlp import MLPClassifier
from tests.contracts.neural import EXPECTED_FAILURES


@pytest.mark.slow
@parametrize_with_checks(
    [
        CompressedClassifier(
            CNNClassifier(width=8, depth=1, max_epochs=12, batch_size=32, lr=0.01, random_state=0),
            [("prune", Prune(0.3, rounds=1, epochs=1)), ("quantize", Quantize(bits=4, smallest=100, epochs=1))],
        )
    ],
    expected_failed_checks=lambda clf: EXPECTED_FAILURES,
    xfail_strict=False,
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("steps", [[Prune()], [("a", "b")], [("p", Prune()), ("p", Prune())]])
def test_bad_steps_are_named(digits_net, steps):
    _, X, y = digits_net
    with pytest.raises(ValueError, match=r"steps\[0\]|Names provided are not unique"):
        CompressedClassifier(CNNClassifier(), steps).fit(X, y)


def test_members_are_refused_unless_they_teach_one_net():
    X, y = make_blobs(200, centers=3, random_state=0)
    many = MLPClassifier(n_members=3, hidden_size=16, max_epochs=4, random_state=0)
    with pytest.raises(ValueError, match="n_members=3 of MLPClassifier.*Distill"):
        CompressedClassifier(many, [("p", Prune(0.5))]).fit(X, y)
    with pytest.raises(ValueError, match="n_members=3 of MLPClassifier.*Distill"):
        CompressedClassifier(many, [("d", Distill(many))]).fit(X, y)
    one = MLPClassifier(n_members=1, hidden_size=16, random_state=0)
    taught = CompressedClassifier(many, [("d", Distill(one, epochs=5)), ("q", Quantize(bits=4, smallest=40, epochs=1))])
    assert taught.fit(X, y).score(X, y) > 0.9
    assert len(taught.to_bytes()) < 3000


@pytest.mark.parametrize("first", [Quantize(bits=4, smallest=100, epochs=0), Binarize("binaryconnect", epochs=0)])
def test_a_step_that_would_undo_the_one_before_is_named(digits_net, first):
    _, X, y = digits_net
    with pytest.raises(ValueError, match="step 'p' cannot follow step 'a'"):
        CompressedClassifier(CNNClassifier(), [("a", first), ("p", Prune(0.5))]).fit(X, y)


def test_passthrough_leaves_a_step_out(digits_net):
    base, X, y = digits_net
    search = GridSearchCV(
        CompressedClassifier(FrozenEstimator(base), [("p", "passthrough"), ("q", Quantize(smallest=300, epochs=0))]),
        {"p": ["passthrough", Prune(np.float32(0.5), rounds=np.int64(1), epochs=0)], "q__bits": np.arange(5, 7)},
        cv=2,
    )
    search.fit(X[:200], y[:200])
    best = search.best_estimator_
    left = [] if search.best_params_["p"] == "passthrough" else ["p"]
    assert best.steps_report_["step"].tolist() == ["fit", *left, "q"]
    assert best.steps[1][1].bits == search.best_params_["q__bits"]
    plain = clone(best).set_params(p="passthrough").fit(X[:200], y[:200])
    assert plain.steps_report_["step"].tolist() == ["fit", "q"]
    with pytest.raises(ValueError, match="estimator must be a classifier"):
        CompressedClassifier(None).fit(X, y)
    with pytest.raises(ValueError, match=r"steps\[0\] must be"):
        CompressedClassifier(FrozenEstimator(base), [("p", Prune)]).fit(X, y)


def test_an_unfitted_frozen_network_is_said_to_be(digits_net):
    _, X, y = digits_net
    with pytest.raises(NotFittedError):
        CompressedClassifier(FrozenEstimator(CNNClassifier()), [("q", Quantize("int8"))]).fit(X, y)


def test_a_copy_keeps_a_fitted_teacher(digits_net):
    base, X, y = digits_net
    teacher = LogisticRegression(max_iter=300).fit(X.reshape(len(X), -1), y)
    clf = CompressedClassifier(CNNClassifier(width=4), [("d", Distill(teacher=teacher, epochs=1))])
    assert hasattr(copy.deepcopy(clf).steps[0][1].teacher, "coef_")


def test_what_could_not_be_loaded_is_not_saved_but_pickled(digits_net, tmp_path, monkeypatch):
    base, X, y = digits_net
    clf = CompressedClassifier(FrozenEstimator(base), [("q", Quantize("int8"))]).fit(X, y)
    monkeypatch.setattr("skauto.estimators.compression.storage._fitted.MOST_PRODUCTS", 1000)
    with pytest.raises(TypeError, match="cannot hold a .* that makes .* products; pickle"):
        clf.save(tmp_path / "model")
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
