"""Categories of many levels become target means of all levels; tables without such stay the object they were."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skauto.estimators.tables._many_levels import ManyLevelsEncoder

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 150, 3_000)
X = pd.DataFrame(
    {
        "shop": pd.Categorical([f"s{c}" for c in CODES]),
        "size": RNG.normal(size=3_000),
        "kind": pd.Categorical(RNG.choice(["a", "b"], 3_000)),
    }
)
Y = (RNG.random(3_000) < CODES / 150).astype(int)


def test_all_levels_are_encoded_and_the_rest_stays():
    encoder = ManyLevelsEncoder().fit(X, Y)
    out = encoder.transform(X)
    assert out.columns.tolist() == encoder.get_feature_names_out().tolist() == ["size", "kind", "shop"]
    pd.testing.assert_frame_equal(out[["size", "kind"]], X[["size", "kind"]])
    assert np.corrcoef(out["shop"], CODES)[0, 1] > 0.9


def test_training_rows_are_encoded_by_other_rows():
    noise = RNG.integers(0, 2, 3_000)
    fitted = ManyLevelsEncoder().fit_transform(X, noise)["shop"]
    assert abs(np.corrcoef(fitted, noise)[0, 1]) < 0.1


def test_of_more_classes_one_column_each():
    encoder = ManyLevelsEncoder()
    out = encoder.fit_transform(X, np.arange(3_000) % 3)
    assert out.columns.tolist() == encoder.get_feature_names_out().tolist()
    assert out.columns[2:].tolist() == ["shop_0", "shop_1", "shop_2"]


@pytest.mark.parametrize("table", [X.drop(columns="shop"), X[["size"]].to_numpy()], ids=["frame", "array"])
def test_nothing_to_encode(table):
    encoder = clone(ManyLevelsEncoder())
    assert encoder.fit_transform(table, Y) is table
    assert encoder.transform(table) is table
    assert len(encoder.get_feature_names_out()) == table.shape[1]
