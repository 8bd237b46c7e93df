import pickle

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skauto.estimators.sequences._recurrent import MinGRUClassifier, MinLSTMClassifier
from tests.support.series import waves


def fitted(make=MinGRUClassifier, **params):
    X, y = waves(n=30)
    X[::3, 5, 0] = np.nan
    X[::2, 8:10] = np.nan
    return make(hidden_size=8, max_epochs=2, random_state=0, **params).fit(X, y), X


@pytest.mark.parametrize("make", [MinGRUClassifier, MinLSTMClassifier])
@pytest.mark.parametrize("pooling", ["mean", "last", "attention"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("more", [{}, {"normalization": "batch", "conv_size": 1}])
def test_streamed_equals_batch_at_every_step(make, pooling, dtype, tolerance, more):
    clf, X = fitted(make, pooling=pooling, dtype=dtype, **more)
    stream = clf.stream(len(X))
    for t in range(X.shape[1]):
        np.testing.assert_allclose(stream.step(X[:, t]), clf.predict_proba(X[:, : t + 1]), atol=tolerance, rtol=0)


def test_steps_before_the_first_value():
    clf, X = fitted()
    X[:, :2] = np.nan
    stream = clf.stream(len(X))
    for t in range(2):
        assert (stream.step(X[:, t]) == 1 / 3).all()
    np.testing.assert_allclose(stream.step(X[:, 2]), clf.predict_proba(X[:, :3]), atol=1e-5)


def test_a_stream_keeps_its_net():
    clf, X = fitted()
    expected = clf.predict_proba(X[:, :2])
    stream = clf.stream(len(X))
    stream.step(X[:, 0])
    y = np.arange(len(X)) % 3
    clf.set_params(dtype="float64", bidirectional=True)
    np.testing.assert_array_equal(clf.predict_proba(X[:, :2]), expected)
    clf.stream(1)
    clf.partial_fit(X, clf.classes_[y])
    clf.fit(10 * X[:, :, :1], y)
    np.testing.assert_allclose(stream.step(X[:, 1]), expected, atol=1e-5)
    with pytest.raises(ValueError, match="bidirectional"):
        clf.set_params(bidirectional=False).stream(1)


def test_no_rows_are_no_error_and_a_row_twice_is():
    clf, X = fitted()
    stream = clf.stream(3)
    stream.step(X[:3, 0])
    for nothing in ([], np.zeros(3, bool)):
        assert stream.step(np.zeros((0, 2)), rows=nothing).shape == (0, 3)
        stream.reset(nothing)
    np.testing.assert_allclose(stream.step(X[:3, 1]), clf.predict_proba(X[:3, :2]), atol=1e-5)
    for call in (lambda rows: stream.step(X[:2, 2], rows=rows), stream.reset):
        with pytest.raises(ValueError, match="rows names stream 2 more than once"):
            call([2, -1])
        with pytest.raises(ValueError, match="rows must be positions from 0 to 2"):
            call([0, 3])


def test_the_state_does_not_grow_and_the_estimator_stays():
    clf, X = fitted()
    before = pickle.dumps(clf)
    stream = clf.stream(2)
    stream.step(X[:2, 0])
    size = len(pickle.dumps(stream))
    for t in range(1, 20):
        stream.step(X[:2, t])
    assert len(pickle.dumps(stream)) == size
    assert pickle.dumps(clf) == before


def test_a_pickled_stream_goes_on():
    clf, X = fitted()
    stream = clf.stream(3)
    stream.step(X[:3, 0])
    copy = pickle.loads(pickle.dumps(stream))
    np.testing.assert_array_equal(copy.step(X[:3, 1]), stream.step(X[:3, 1]))


def test_reset_of_some_rows():
    clf, X = fitted()
    stream = clf.stream(3)
    for t in range(4):
        stream.step(X[:3, t])
    stream.reset([1])
    after = stream.step(X[:3, 4])
    np.testing.assert_allclose(after[1], clf.predict_proba(X[1:2, 4:5])[0], atol=1e-5)
    np.testing.assert_allclose(after[[0, 2]], clf.predict_proba(X[:3, :5])[[0, 2]], atol=1e-5)
    stream.reset()
    np.testing.assert_allclose(stream.step(X[:3, 0]), clf.predict_proba(X[:3, :1]), atol=1e-5)


def test_rows_that_wait():
    clf, X = fitted()
    stream = clf.stream(3)
    stream.step(X[:3, 0])
    stream.step(X[[0, 2], 1], rows=np.array([True, False, True]))
    after = stream.step(X[1:2, 1], rows=[1])
    np.testing.assert_allclose(after, clf.predict_proba(X[1:2, :2]), atol=1e-5)
    np.testing.assert_allclose(stream.step(X[:3, 2]), clf.predict_proba(X[:3, :3]), atol=1e-5)


def test_what_cannot_be():
    clf, X = fitted()
    for n in (0, 1.5, True):
        with pytest.raises(ValueError, match=f"whole number of streams, at least 1, got {n}"):
            clf.stream(n)
    with pytest.raises(NotFittedError):
        MinGRUClassifier().stream()
    stream = clf.stream(2)
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        stream.step(X[:3, 0])
    with pytest.raises(ValueError, match="infinity"):
        stream.step(np.full((2, 2), np.inf))
    with pytest.raises(ValueError, match="bidirectional"):
        fitted(bidirectional=True)[0].stream(1)


@pytest.mark.slow
def test_a_long_stream_does_not_drift():
    X, y = waves(n=30)
    clf = MinGRUClassifier(hidden_size=8, n_layers=1, conv_size=1, max_epochs=10, lr=0.01, random_state=0).fit(X, y)
    x, stream = np.array([[-1.5, 1.5]]), clf.stream(1)
    for _ in range(8000):
        last = stream.step(x)
    np.testing.assert_allclose(last, clf.predict_proba(np.repeat(x[:, None], 8000, 1)), atol=1e-5, rtol=0)
