"""Rows of any kind as numbers and back: what does not move comes back as it was, to the last bit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skauto.resample import SMOTE, RandomOverSampler

pytestmark = pytest.mark.filterwarnings("ignore::skauto.resample._targets.ResamplingWarning")
UNITS = ["s", "ms", "us", "ns"]
SECONDS = st.integers(-(2**32), 2**32)  # from 1833 to 2106, which every unit holds
WIDE = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=40, deadline=None)
@given(seconds=st.lists(SECONDS, min_size=4, max_size=8), wide=WIDE, unit=st.sampled_from(UNITS))
def test_a_row_that_is_repeated_is_the_row(seconds, wide, unit):
    n = len(seconds)
    moments = pd.Series(np.array(seconds, dtype="M8[s]").astype(f"M8[{unit}]"))
    integers = np.array([wide, *range(1, n - 1), wide])
    X = pd.DataFrame(
        {
            "moment": moments,
            "zoned": moments.dt.tz_localize("UTC"),
            "duration": moments - pd.Timestamp(0),
            "integer": integers,
            "nullable": pd.array(integers, dtype="Int64"),
            "number": np.linspace(0, 1, n),
        }
    )
    y = [0] * (n - 1) + [1]
    for sampler in (SMOTE(random_state=0), RandomOverSampler(shrinkage=1.0, random_state=0)):
        X_new, _ = sampler.fit_resample(X, y)
        expected = X.iloc[[n - 1] * (n - 2)].reset_index(drop=True)
        pd.testing.assert_frame_equal(X_new.iloc[n:].reset_index(drop=True), expected)
        for matrix in (integers[:, None], sparse.csr_matrix(integers[:, None])):
            made = sampler.fit_resample(matrix, y)[0][n:]
            assert (made.toarray() if sparse.issparse(made) else made).ravel().tolist() == [wide] * (n - 2)


@settings(max_examples=40, deadline=None)
@given(seconds=st.lists(SECONDS, min_size=8, max_size=12), unit=st.sampled_from(["s", "ms"]), seed=st.integers(0, 99))
def test_dates_lie_between_their_parents(seconds, unit, seed):
    n = len(seconds)
    X = pd.DataFrame({"moment": np.array(seconds, dtype="M8[s]").astype(f"M8[{unit}]")})
    sampler = SMOTE(random_state=seed)
    X_new, _ = sampler.fit_resample(X, [0] * (n - 3) + [1] * 3)
    moments = X["moment"].to_numpy()[sampler.parents_]
    made = X_new["moment"].to_numpy()
    assert ((made >= moments.min(axis=1)) & (made <= moments.max(axis=1))).all()


def test_dates_are_rounded_not_cut():
    X = pd.DataFrame({"moment": np.array([0] * 3000 + [0, 1], dtype="M8[s]")})
    X_new, _ = SMOTE(k_neighbors=1, random_state=0).fit_resample(X, np.repeat([0, 1], [3000, 2]))
    assert X_new["moment"].iloc[3002:].astype("int64").mean() == pytest.approx(0.5, abs=0.05)
