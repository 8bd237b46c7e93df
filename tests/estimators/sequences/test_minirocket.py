import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto import _native
from skauto.estimators.sequences import _minirocket
from skauto.estimators.sequences._minirocket import POSITIONS, MiniRocketTransformer, _convolve


@parametrize_with_checks([MiniRocketTransformer(168, random_state=0)])
def test_estimator_checks(estimator, check):
    check(estimator)


def ragged(n=30, seed=0, features=1, shortest=9):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rng.integers(shortest, 60), features)) for _ in range(n)]


def test_kernels_sum_to_zero():
    assert POSITIONS.shape == (84, 3)
    for positions in POSITIONS:
        out = _convolve(np.ones((1, 30)), 2, positions)
        np.testing.assert_allclose(out[0, 8:-8], 0)


def test_convolution_against_numpy():
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=40), np.full(9, -1.0)
    weights[[0, 3, 7]] = 2
    expected = np.convolve(x, weights[::-1], mode="same")
    np.testing.assert_allclose(_convolve(x[None], 1, np.array([0, 3, 7]))[0], expected, atol=1e-12)


@pytest.mark.parametrize("features", [1, 3])
@pytest.mark.skipif(_native.load(_minirocket.SOURCE) is None, reason="no compiled kernel")
def test_kernel_and_numpy_agree(monkeypatch, features):
    X = ragged(features=features, shortest=1)
    transformer = MiniRocketTransformer(840, random_state=0).fit(X)
    compiled = transformer.transform(X)
    monkeypatch.setattr(_native, "load", lambda source: None)
    np.testing.assert_array_equal(compiled, transformer.transform(X))


def test_features_of_a_series_do_not_depend_on_the_others():
    X = ragged()
    transformer = MiniRocketTransformer(840, random_state=0).fit(X)
    together = transformer.transform(X)
    np.testing.assert_array_equal(np.concatenate([transformer.transform([x]) for x in X]), together)
    assert together.shape == (30, 841) and transformer.get_feature_names_out().shape == (841,)
    assert (together[:, :840] >= 0).all() and (together[:, :840] <= 1).all()


def test_gaps_are_interpolated():
    t = np.arange(40.0)
    X = np.stack([0.5 * t, 20 - t])
    gappy = X.copy()
    gappy[:, 10:13] = np.nan
    transformer = MiniRocketTransformer(84, random_state=0).fit(X)
    np.testing.assert_allclose(transformer.transform(gappy), transformer.transform(X))


def test_random_state_fixes_the_features():
    X = ragged(features=4)
    first, again, other = (MiniRocketTransformer(168, random_state=s).fit_transform(X) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_as_a_classifier_of_frequencies():
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = np.sin(np.arange(60) * (0.6 + 0.1 * y[:, None]) + rng.uniform(0, 6, (80, 1))) + rng.normal(0, 0.3, (80, 60))
    model = make_pipeline(MiniRocketTransformer(840, random_state=0), RidgeClassifierCV())
    assert model.fit(X[:40], y[:40]).score(X[40:], y[40:]) > 0.95


def test_a_large_offset_changes_little():
    X = np.stack([x[:9] for x in ragged(features=2)])
    near, far = (MiniRocketTransformer(840, random_state=0).fit_transform(x) for x in (X, X + 1e9))
    assert (np.abs(near - far) > 1e-6).mean() < 0.01


def test_a_feature_of_nothing_but_gaps():
    X = np.stack([x[:9] for x in ragged(features=2)])
    X[:, :, 1] = np.nan
    assert np.isfinite(MiniRocketTransformer(168, random_state=0).fit_transform(X)).all()


def test_lists_of_equal_lengths_are_series():
    transformer = MiniRocketTransformer(84, random_state=0).fit([np.arange(20.0), np.arange(20.0) ** 2])
    assert transformer.n_features_in_ == 1
    assert transformer.transform([np.arange(12.0)]).shape == (1, 84)


def test_a_feature_without_values_in_fit_is_left_out_for_good():
    X = np.random.default_rng(0).normal(size=(20, 30, 2))
    empty = X.copy()
    empty[:, :, 1] = np.nan
    rocket = MiniRocketTransformer(168, random_state=0).fit(empty)
    np.testing.assert_array_equal(rocket.transform(empty), rocket.transform(X))
