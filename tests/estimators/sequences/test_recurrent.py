import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.estimators.sequences._recurrent import MinGRUClassifier, MinLSTMClassifier
from tests.contracts.neural import EXPECTED_FAILURES, NeuralContract
from tests.support.series import waves

QUICK = {"hidden_size": 8, "max_epochs": 15}


@parametrize_with_checks(
    [make(hidden_size=16, max_epochs=30, random_state=0) for make in (MinGRUClassifier, MinLSTMClassifier)],
    expected_failed_checks=lambda clf: EXPECTED_FAILURES,
    xfail_strict=False,
)
def test_estimator_checks(estimator, check):
    check(estimator)


class SequenceContract(NeuralContract):
    def data(self):
        return waves()


class TestMinGRU(SequenceContract):
    def make(self, **params):
        return MinGRUClassifier(**{**QUICK, **params})


class TestMinLSTM(SequenceContract):
    def make(self, **params):
        return MinLSTMClassifier(**{**QUICK, **params})


@pytest.mark.parametrize(
    "params",
    [
        {"bidirectional": True, "pooling": "attention"},
        {"pooling": "last", "normalization": "batch"},
        {"normalization": "none", "expansion": 2.0, "n_layers": 1, "conv_size": 6},
        {"dropout": 0.2, "init": "orthogonal", "n_layers": 3},
    ],
)
def test_every_option_learns(params):
    X, y = waves()
    assert MinGRUClassifier(**{**QUICK, "max_epochs": 25, **params}, random_state=0).fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("normalization", ["layer", "batch"])
@pytest.mark.parametrize("pooling", ["mean", "last", "attention"])
def test_padding_changes_nothing(pooling, normalization):
    X, y = waves()
    ragged = [x[: 10 + i % 11] for i, x in enumerate(X)]
    padded = np.full((len(X), 40, 2), np.nan)
    for row, x in zip(padded, ragged, strict=True):
        row[: len(x)] = x
    clf = MinGRUClassifier(**QUICK, pooling=pooling, normalization=normalization, bidirectional=True, random_state=0)
    from_list, from_array = clf.fit(ragged, y).predict_proba(ragged), clf.fit(padded, y).predict_proba(padded)
    np.testing.assert_allclose(from_list, from_array, rtol=1e-5)
    alone = np.concatenate([clf.predict_proba([x]) for x in ragged[:5]])
    np.testing.assert_allclose(alone, from_array[:5], rtol=1e-4)


def test_two_axes_are_one_feature():
    X, y = waves()
    clf = MinGRUClassifier(**QUICK, random_state=0).fit(X[:, :, 0], y)
    assert clf.n_features_in_ == 20
    np.testing.assert_array_equal(clf.predict_proba(X[:, :, 0]), clf.predict_proba(X[:, :, :1]))
    assert clf.predict(X[:3, :12, :1]).shape == (3,)


def test_missing_values_inside_a_series():
    X, y = waves(n=120)
    rng = np.random.default_rng(1)
    X[rng.random(X.shape) < 0.2] = np.nan
    X[:, 0] = X[:, -1] = 0
    clf = MinGRUClassifier(**{**QUICK, "max_epochs": 30}, random_state=0).fit(X[:90], y[:90])
    assert clf.module_.front.in_channels == 4
    assert clf.score(X[90:], y[90:]) > 0.8
    whole, _ = waves(n=30)
    plain = MinGRUClassifier(**QUICK, random_state=0).fit(whole, y[:30])
    whole[:, 3] = np.nan
    assert np.isfinite(plain.predict_proba(whole)).all()


@pytest.mark.slow
def test_long_memory_is_learnt():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 300, 1)), rng.integers(0, 2, 200)
    X[:, 0, 0] = 6 * (2 * y - 1)
    clf = MinGRUClassifier(hidden_size=16, n_layers=1, pooling="last", max_epochs=40, lr=0.01, random_state=0)
    assert clf.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.95


def test_predict_in_another_order_and_shorter():
    X, y = waves()
    clf = MinGRUClassifier(**QUICK, random_state=0).fit(X, y)
    order = np.random.default_rng(0).permutation(len(y))
    np.testing.assert_allclose(clf.predict_proba(X[order]), clf.predict_proba(X)[order], atol=1e-6)


def test_double_precision():
    X, y = waves()
    clf = MinLSTMClassifier(**QUICK, dtype="float64", random_state=0).fit(X, y)
    assert {p.dtype for p in clf.module_.parameters()} == {torch.float64}
    assert clf.score(X, y) > 0.9


def test_a_feature_of_nothing_but_gaps_is_ignored():
    X, y = waves(n=30)
    X[:, :, 1] = np.nan
    clf = MinGRUClassifier(**QUICK, random_state=0).fit(X, y)
    proba = clf.predict_proba(X)
    assert np.isfinite(proba).all()
    X[:, :, 1] = 5
    np.testing.assert_array_equal(clf.predict_proba(X), proba)


def test_a_large_offset_changes_little():
    X, y = waves()
    near, far = (MinGRUClassifier(**QUICK, random_state=0).fit(x, y).predict_proba(x) for x in (X, X + 1e9))
    np.testing.assert_allclose(far, near, atol=1e-3)
    clf = MinGRUClassifier(**QUICK, random_state=0).fit(X + 1e9, y)
    stream = clf.stream(len(X))
    for t in range(3):
        streamed = stream.step(X[:, t] + 1e9)
    np.testing.assert_allclose(streamed, clf.predict_proba(X[:, :3] + 1e9), atol=1e-5)


def test_a_constant_feature_in_double_precision():
    X, y = waves(n=30)
    X[:, :, 1] = 0.1
    clf = MinGRUClassifier(**QUICK, dtype="float64", random_state=0).fit(X, y)
    proba = clf.predict_proba(X)
    X[:, :, 1] += 1e-9
    np.testing.assert_allclose(clf.predict_proba(X), proba, atol=1e-6)


def test_lists_of_equal_lengths_are_series():
    X, y = waves(n=30)
    clf = MinGRUClassifier(**QUICK, random_state=0).fit([x[:, 0] for x in X], y)
    assert clf.n_features_in_ == 1
    assert clf.predict([x[:12, 0] for x in X[:3]]).shape == (3,)


def test_no_series_at_predict():
    X, y = waves(n=30)
    with pytest.raises(ValueError, match="empty list: MinGRUClassifier needs at least one series"):
        MinGRUClassifier(**QUICK, random_state=0).fit(X, y).predict([])
