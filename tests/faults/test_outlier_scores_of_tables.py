"""Outlier scores of tables as they are: gaps and categories are seen to inside, for every detector."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.svm import OneClassSVM

from skauto.resample import OutlierScoreTransformer

ENCODER = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1)
DETECTORS = {
    "isolation_forest": "isolation_forest",
    "lof": "lof",
    "ecod": "ecod",
    "forest": IsolationForest(n_estimators=20),
    "local": LocalOutlierFactor(novelty=True),
    "density": KernelDensity(),
    "support": OneClassSVM(),
}


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "amount": rng.normal(size=200),
            "age": pd.array(rng.integers(20, 60, 200), dtype="Int64"),
            "city": pd.Categorical(rng.choice(["Ulm", "Bonn"], 200)),
            "note": rng.choice(["x", "y"], 200),
            "paid": rng.choice([True, False], 200),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, 200), unit="D"),
        }
    )
    X.loc[::9, ["amount", "age", "city", "note", "day"]] = None
    X.loc[5, ["amount", "note"]] = [25.0, "never elsewhere"]
    return X


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_scores_a_mixed_frame_with_gaps(table, name):
    transformer = OutlierScoreTransformer(DETECTORS[name], random_state=0)
    scored = transformer.fit_transform(table)
    pd.testing.assert_frame_equal(scored[list(table)], table)  # the columns as they came
    assert np.isfinite(scored["outlier_score"]).all()
    new = table.iloc[:3].assign(city="Köln", amount=np.nan)
    answer = transformer.transform(new)
    assert np.isfinite(answer["outlier_score"].astype(float)).all()
    assert transformer.get_feature_names_out().tolist() == [*table, "outlier_score"]


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_scores_numbers_with_gaps_also_if_they_come_later(name):
    X = np.random.default_rng(0).normal(size=(100, 3))
    holes = X.copy()
    holes[::7, 1] = np.nan
    transformer = OutlierScoreTransformer(DETECTORS[name], random_state=0, append=False)
    assert np.isfinite(transformer.fit_transform(holes)).all()
    assert np.isfinite(transformer.fit(X).transform(holes)).all()
    assert transformer.set_params(append=True).fit_transform(holes).shape == (100, 4)


@pytest.mark.parametrize("name", ["isolation_forest", "lof", "ecod"])
def test_the_stranger_among_the_rows_is_found(table, name):
    scored = OutlierScoreTransformer(name, random_state=0).fit_transform(table[["amount", "note", "city"]])
    assert scored["outlier_score"].rank(ascending=False)[5] <= 10


def test_an_encoder_of_ones_own_and_a_pipeline(table):
    ordinal = make_column_transformer((ENCODER, ["city", "note"]))
    scores = OutlierScoreTransformer("lof", encoder=ordinal, append=False).fit_transform(table)
    assert scores.shape == (200, 1)
    y = np.arange(200) % 2
    model = make_pipeline(OutlierScoreTransformer("lof", append=False), LogisticRegression())
    assert np.isfinite(cross_val_score(model, table, y, cv=3)).all()
    objects = table[["amount", "note"]].to_numpy()
    assert OutlierScoreTransformer("ecod").fit_transform(objects).shape == (200, 3)


@pytest.mark.parametrize("name", ["isolation_forest", "lof", "ecod"])
def test_columns_stay_what_they_were_at_fit(table, name):
    """A batch may hold nothing but gaps in a column of numbers, and nothing but numbers in one of texts."""
    transformer = OutlierScoreTransformer(name, random_state=0, append=False).fit(table)
    new = table.iloc[1:4]
    written = new.assign(amount=new["amount"].astype(str), day=new["day"].astype(str), city=new["city"].astype(str))
    np.testing.assert_array_equal(transformer.transform(written), transformer.transform(new))
    for batch in (new.assign(amount=None, day=None), new.assign(note=7, city=1.0), new.assign(amount=[None, "x", 1])):
        assert np.isfinite(transformer.transform(batch)).all()


def test_a_column_of_the_name_of_the_scores_is_kept(table):
    chained = make_pipeline(
        OutlierScoreTransformer("ecod", random_state=0), OutlierScoreTransformer("lof", random_state=0)
    )
    found = chained.fit_transform(table)
    assert list(found) == [*table, "outlier_score", "outlier_score_2"] == chained.get_feature_names_out().tolist()
    expected = OutlierScoreTransformer("ecod", random_state=0).fit_transform(table)
    pd.testing.assert_frame_equal(found[list(expected)], expected)


def test_infinite_numbers_are_still_refused():
    with pytest.raises(ValueError, match="infinity"):
        OutlierScoreTransformer("lof").fit([[0.0], [np.inf], [1.0]])
    with pytest.raises(ValueError, match="infinity"):
        OutlierScoreTransformer("lof").fit(pd.DataFrame({"a": [0.0, np.inf, 1.0], "b": list("xyz")}))
