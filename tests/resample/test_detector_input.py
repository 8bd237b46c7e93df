"""Tables as detectors take them: columns of each kind by hand."""

import numpy as np
import pandas as pd

from skauto.resample._detector_input import DetectorInput, as_frame, column_kinds, is_numbers


def test_what_is_a_table_of_numbers():
    assert is_numbers([[1, 2.5]])
    assert is_numbers(pd.DataFrame({"a": [1, 2], "b": [True, False]}))
    assert not is_numbers(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    assert not is_numbers([[1, "x"]])


def test_columns_of_each_kind():
    X = pd.DataFrame(
        {
            "number": pd.array([1, None, 3], dtype="Int64"),
            "date": pd.to_datetime(["1970-01-02", None, "1970-01-03"]),
            "level": pd.Categorical(["u", None, "v"]),
            "object": ["x", 4, "x"],
        }
    )
    kinds = column_kinds(X)
    assert kinds == ["number", "date", "text", "text"]
    frame = as_frame(X, kinds)
    encoder = DetectorInput(fill=True).fit(frame)
    found = encoder.transform(frame)
    assert found[:, 0].tolist() == [1, 2, 3]
    assert found[1, 1] == found[[0, 2], 1].mean()
    assert found[:, 2:].tolist() == [[1, 0, 0, 0, 1], [0, 0, 1, 1, 0], [0, 1, 0, 0, 1]]  # u v none, 4 x
    new = encoder.transform(as_frame(X.assign(level="w", object="z"), kinds))
    assert not new[:, 2:].any()  # levels never seen
    assert np.isnan(DetectorInput(fill=False).fit_transform(frame)[1, 0])


def test_columns_stay_what_they_were():
    day = pd.Timestamp("1970-01-02")
    X = pd.DataFrame({"number": [1.5, 2.0], "date": [day, day], "duration": [day - day, day - day], "text": ["7", "x"]})
    kinds = column_kinds(X)
    assert kinds == ["number", "date", "duration", "text"]
    nanoseconds = 24 * 3600e9
    texts = pd.DataFrame(
        {"number": ["3", "?"], "date": ["1970-01-02", "?"], "duration": ["1 days", "?"], "text": [7, None]}
    )
    found = as_frame(texts, kinds)
    assert found.iloc[0].tolist() == [3.0, nanoseconds, nanoseconds, "7"]
    assert found.iloc[1, :3].isna().all()
    assert found.iloc[1, 3] is None
    gaps = as_frame(pd.DataFrame([[None] * 4]), kinds)
    assert gaps.dtypes.tolist() == as_frame(X, kinds).dtypes.tolist()
    seconds = X.astype({"date": "datetime64[s]", "duration": "timedelta64[s]"})
    pd.testing.assert_frame_equal(as_frame(seconds, kinds), as_frame(X, kinds))
