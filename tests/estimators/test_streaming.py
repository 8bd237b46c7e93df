import pickle

import numpy as np
import pytest

from skauto.estimators._recurrent import MinGRUClassifier, MinLSTMClassifier
from tests.estimators.test_recurrent import waves


def fitted(make=MinGRUClassifier, **params):
    X, y = waves(n=30)
    X[::3, 5, 0] = np.nan
    return make(hidden_size=8, max_epochs=2, random_state=0, **params).fit(X, y), X


@pytest.mark.parametrize("make", [MinGRUClassifier, MinLSTMClassifier])
@pytest.mark.parametrize("pooling", ["mean", "last", "attention"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("more", [{}, {"normalization": "batch", "conv_size": 1}])
def test_streamed_equals_batch_at_every_step(make, pooling, dtype, tolerance, more):
    clf, X = fitted(make, pooling=pooling, dtype=dtype, **more)
    stream = clf.stream(len(X))
    for t in range(X.shape[1]):
        streamed = stream.step(X[:, t])
        if not np.isnan(X[:, t]).any():  # a gap at the end of an array is padding, in a stream it is a step
            np.testing.assert_allclose(streamed, clf.predict_proba(X[:, : t + 1]), atol=tolerance, rtol=0)


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
    with pytest.raises(ValueError, match="at least 1"):
        clf.stream(0)
    stream = clf.stream(2)
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        stream.step(X[:3, 0])
    with pytest.raises(ValueError, match="infinity"):
        stream.step(np.full((2, 2), np.inf))
    with pytest.raises(ValueError, match="bidirectional"):
        fitted(bidirectional=True)[0].stream(1)
