"""The data set that comes with skauto."""

import numpy as np
import pandas as pd
import pytest

from skauto._datasets import load_online_shoppers


def test_shape_types_and_target():
    X, y = load_online_shoppers(return_X_y=True)
    assert X.shape == (12_330, 17)
    assert y.dtype == bool and y.name == "purchase" and y.sum() == 1_908
    assert not X.isna().any().any()
    kinds = {
        kind: int(sum(test(X[c]) for c in X))
        for kind, test in {
            "bool": pd.api.types.is_bool_dtype,
            "string": pd.api.types.is_string_dtype,
            "float": pd.api.types.is_float_dtype,
            "integer": pd.api.types.is_integer_dtype,
        }.items()
    }
    assert kinds == {"bool": 1, "string": 2, "float": 7, "integer": 7}


def test_bunch_holds_the_same_and_says_where_it_comes_from():
    bunch = load_online_shoppers()
    X, y = load_online_shoppers(return_X_y=True)
    pd.testing.assert_frame_equal(bunch.data, X)
    pd.testing.assert_frame_equal(bunch.frame, X.assign(purchase=y))
    np.testing.assert_array_equal(bunch.feature_names, X.columns)
    assert bunch.target_names == ["purchase"]
    for word in ("10.24432/C5F88Q", "CC BY 4.0", "Sakar", "Neural Computing and Applications"):
        assert word in bunch.DESCR


def test_each_call_gives_data_of_its_own():
    X, _ = load_online_shoppers(return_X_y=True)
    X.iloc[:, 0] = -1
    assert (load_online_shoppers(return_X_y=True)[0].iloc[:, 0] >= 0).all()


@pytest.mark.real
def test_it_is_the_public_data_set(real_data):
    original = pd.read_csv(real_data / "online_shoppers.csv.gz").rename(columns={"target": "purchase"})
    pd.testing.assert_frame_equal(load_online_shoppers().frame, original.astype({"purchase": bool}))
