import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.estimators.sequences._sequence_summary import SequenceSummaryTransformer


@parametrize_with_checks([SequenceSummaryTransformer()])
def test_estimator_checks(estimator, check):
    check(estimator)


def test_padding_changes_nothing():
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(n, 2)) for n in (1, 5, 30)]
    padded = np.full((3, 50, 2), np.nan)
    for row, x in zip(padded, series, strict=True):
        row[: len(x)] = x
    transformer = SequenceSummaryTransformer().fit(series)
    features = transformer.transform(series)
    np.testing.assert_array_equal(features, transformer.transform(padded))
    np.testing.assert_array_equal(features[1:2], transformer.transform(series[1:2]))
    assert np.isfinite(features).all()
    assert features.shape == (3, 2 * 49 + 1 + 1) == (3, len(transformer.get_feature_names_out()))


def test_known_values():
    features = SequenceSummaryTransformer().fit_transform([np.arange(16.0), np.full(16, 3.0)])
    assert features[0, :2] == pytest.approx([7.5, np.std(np.arange(16))])
    assert features[0, 2:9] == pytest.approx(np.quantile(np.arange(16), [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]))
    assert features[0, 9:11] == pytest.approx([0, 15])
    assert features[:, -1] == pytest.approx([16, 16])
    assert features[1, :2] == pytest.approx([3, 0])


def test_gaps_are_interpolated():
    x = np.arange(20.0)
    gappy = x.copy()
    gappy[4:7] = np.nan
    features = SequenceSummaryTransformer().fit_transform(np.stack([x, gappy]))
    np.testing.assert_allclose(features[0], features[1])


def test_rounding_is_no_variation():
    x = np.full(1000, 0.1)
    assert x.std() > 0
    features = SequenceSummaryTransformer().fit_transform([x, np.full(1000, 0.125)])
    np.testing.assert_allclose(features[0, 11:30], features[1, 11:30], atol=1e-9)


def test_a_series_without_a_feature_is_at_its_mean():
    X = np.random.default_rng(0).normal(size=(20, 30, 2)) + 1000
    X[3, :, 1] = np.nan
    features = SequenceSummaryTransformer().fit_transform(X)
    assert features[3, 1] == pytest.approx(np.nanmean(X[:, :, 1]))


def test_a_feature_without_values_in_fit_is_left_out_for_good():
    X = np.random.default_rng(0).normal(size=(20, 30, 2))
    empty = X.copy()
    empty[:, :, 1] = np.nan
    summary = SequenceSummaryTransformer().fit(empty)
    np.testing.assert_array_equal(summary.transform(empty), summary.transform(X))
