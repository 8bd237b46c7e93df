"""Outlier scores: out-of-fold on training rows, any detector, ECOD by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.resample import ECOD, OutlierScoreTransformer


@pytest.mark.parametrize("detector", ["isolation_forest", "lof", "ecod", KernelDensity()])
def test_the_stranger_scores_highest_in_and_out_of_training(detector):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(199, 3)), [[9, 9, 9]]])
    transformer = OutlierScoreTransformer(detector, random_state=0)
    train = transformer.fit_transform(X)
    np.testing.assert_array_equal(train[:, :3], X)
    assert train[:, 3].argmax() == 199
    assert transformer.transform([[0, 0, 0], [8, 8, 8]])[:, 3].argmax() == 1
    np.testing.assert_array_equal(train, transformer.fit_transform(X))


def test_training_rows_are_scored_by_detectors_that_have_not_seen_them():
    # one nearest neighbour at distance zero would give the row away
    X = np.random.default_rng(0).normal(size=(60, 2))
    narrow = OutlierScoreTransformer(KernelDensity(bandwidth=1e-3), append=False, random_state=0)
    outside = narrow.fit_transform(X)[:, 0]
    assert outside.min() > narrow.transform(X)[:, 0].max()


def test_names_and_missing_values():
    X = pd.DataFrame({"a": [1.0, np.nan, 2.0, 1.5, 9.0] * 4, "b": np.arange(20.0)})
    transformer = OutlierScoreTransformer(random_state=0).set_output(transform="pandas")
    assert transformer.fit_transform(X).columns.tolist() == ["a", "b", "outlier_score"]
    assert not transformer.transform(X)["outlier_score"].isna().any()
    with pytest.raises(ValueError, match="detector='magic' must be one of isolation_forest, lof, ecod"):
        OutlierScoreTransformer("magic").fit(X)
    assert isinstance(OutlierScoreTransformer(IsolationForest()).fit(X.fillna(0)).detector_, IsolationForest)


def test_ecod_by_hand():
    X = np.array([[1.0], [2.0], [3.0], [4.0], [np.nan]])
    # tails of 1: log(1/4) on the left, 0 on the right
    np.testing.assert_allclose(ECOD().fit(X).score_samples([[1.0], [4.0], [np.nan]]), [np.log(0.25), np.log(0.25), 0])
    with pytest.raises(ValueError, match="contamination=0.7"):
        ECOD(contamination=0.7).fit(X)


def test_a_detector_keeps_its_own_seed_unless_one_is_given():
    X = np.random.default_rng(0).normal(size=(60, 2))
    own = [
        OutlierScoreTransformer(IsolationForest(n_estimators=5, random_state=3)).fit(X).detector_.random_state
        for _ in range(2)
    ]
    assert own == [3, 3]
    given = OutlierScoreTransformer(IsolationForest(n_estimators=5, random_state=3), random_state=0).fit(X)
    assert given.detector_.random_state != 3


def test_a_detector_in_a_pipeline_is_seeded():
    X = np.random.default_rng(0).normal(size=(60, 2))
    scorer = OutlierScoreTransformer(make_pipeline(StandardScaler(), IsolationForest(n_estimators=5)), random_state=0)
    np.testing.assert_array_equal(scorer.fit_transform(X), scorer.fit_transform(X))


@pytest.mark.parametrize("detector", [IsolationForest(n_estimators=5), ECOD(), "isolation_forest", "ecod"], ids=str)
def test_missing_values_go_to_detectors_that_take_them(detector):
    X = np.random.default_rng(0).normal(size=(60, 2))
    X[::7, 0] = np.nan
    assert np.isfinite(OutlierScoreTransformer(detector, random_state=0, append=False).fit_transform(X)).all()
    for other in (LocalOutlierFactor(novelty=True), "lof"):  # filled by medians
        filled = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
        ours, theirs = (OutlierScoreTransformer(other, append=False).fit(data).transform(data) for data in (X, filled))
        np.testing.assert_allclose(ours, theirs)


def test_a_detector_without_scores_for_new_rows_is_named():
    with pytest.raises(ValueError, match=r"detector=LocalOutlierFactor\(\) has neither .*novelty=True"):
        OutlierScoreTransformer(LocalOutlierFactor()).fit(np.random.default_rng(0).normal(size=(60, 2)))
