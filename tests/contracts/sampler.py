"""What every sampler of skauto.resample promises, for any input; subclass SamplerContract and give `sampler`."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.base import clone

from skauto.resample import SMOTE, ResamplingWarning


def mixed_frame(n, rng):
    """A frame of n rows with a column of every kind, each but the first with gaps."""
    frame = pd.DataFrame(
        {
            "whole": rng.integers(0, 100, n),
            "small": rng.integers(0, 255, n).astype("uint8"),
            "number": rng.normal(size=n),
            "nullable": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "text": pd.Series(rng.choice(["x", "y", "z"], n), dtype="str"),
            "objects": pd.Series(rng.choice(["x", "y", "z"], n), dtype=object),
            "level": pd.Categorical(rng.choice(["u", "v"], n), categories=["v", "u", "unused"], ordered=True),
            "flag": rng.random(n) > 0.5,
            "maybe": pd.array(rng.random(n) > 0.5, dtype="boolean"),
            "day": pd.Series(pd.date_range("2020-01-01", periods=n)),
            "moment": pd.Series(pd.date_range("2020-01-01", periods=n, tz="Europe/Berlin", freq="h")),
            "empty": np.full(n, np.nan),
            "never": pd.Series([pd.NaT] * n, dtype="datetime64[s]"),
            "nowhere": pd.Series([pd.NaT] * n, dtype="datetime64[ns, Europe/Berlin]"),
            "constant": np.full(n, 3),
        }
    )
    for name in ("number", "nullable", "text", "objects", "level", "maybe", "day", "moment"):
        frame.loc[rng.choice(n, n // 8, replace=False), name] = None
    return frame


def quiet(sampler, *args, **kwargs):
    """fit_resample without the warning about tiny classes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResamplingWarning)
        return clone(sampler).fit_resample(*args, **kwargs)


# Parameters by which a sampler puts rows around one parent instead of between two.
NOISE = ("shrinkage",)


def noisy(sampler):
    """Whether a sampler puts rows around one parent."""
    return any(getattr(sampler, name, None) for name in NOISE)


def wanted_of_its_class(sampler):
    """How many rows of the rarest class a sampler always looks for, besides the row it starts from."""
    if getattr(sampler, "kind", None) == "borderline-2":  # looks among all rows
        return 0
    if hasattr(sampler, "smote"):
        return SMOTE().k_neighbors
    if sampler._sampling_type == "clean-sampling":
        return 0
    return getattr(sampler, "k_neighbors", getattr(sampler, "n_neighbors", 0))


class SamplerContract:
    """Checks for one sampler, given as the fixture `sampler`."""

    @pytest.fixture
    def data(self):
        """Two overlapping clouds, 120 and 30 rows."""
        rng = np.random.default_rng(0)
        y = np.repeat([0, 1], [120, 30])
        return rng.normal(size=(150, 4)) + y[:, None], y

    @pytest.fixture
    def order(self):
        """An order that mixes the classes."""
        return np.random.default_rng(1).permutation(150)

    def test_same_seed_same_rows(self, sampler, data):
        X, y = data
        first, second = quiet(sampler, X, y), quiet(pickle.loads(pickle.dumps(sampler)), X, y)
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])

    def test_same_rows_on_any_number_of_workers(self, sampler, data):
        X, y = data
        expected = quiet(sampler, X, y)[0]
        if "n_jobs" in sampler.get_params():
            np.testing.assert_array_equal(quiet(clone(sampler).set_params(n_jobs=2), X, y)[0], expected)
        for found, _ in Parallel(n_jobs=2)(delayed(quiet)(sampler, X, y) for _ in range(2)):
            np.testing.assert_array_equal(found, expected)

    def test_input_and_parameters_are_not_changed(self, sampler, data):
        X, y = data
        before, params = (X.copy(), y.copy()), repr(sampler)
        quiet(sampler, X, y)
        np.testing.assert_array_equal(X, before[0])
        np.testing.assert_array_equal(y, before[1])
        assert repr(sampler) == params

    @pytest.mark.parametrize("way", ["auto", 0.6, "counts"])
    def test_targets_are_met_exactly(self, sampler, way):
        rng = np.random.default_rng(0)
        counts = np.array([70, 34, 20])
        y = rng.permutation(np.repeat([0, 1, 2], counts))
        kind = sampler._sampling_type
        if kind == "clean-sampling" or hasattr(sampler, "smote"):
            pytest.skip("what is taken out depends on where the rows lie")
        over = kind == "over-sampling"
        wanted = {"auto": [70] * 3 if over else [20] * 3, 0.6: [70, 42, 42] if over else [33, 33, 20]}
        wanted["counts"] = [70, 45, 51] if over else [25, 34, 20]
        strategy = {1: 45, 2: 51} if over else {0: 25}
        sampler = clone(sampler).set_params(sampling_strategy=strategy if way == "counts" else way)
        _, y_new = quiet(sampler, rng.normal(size=(124, 3)) + y[:, None] / 2, y)
        np.testing.assert_array_equal(np.bincount(y_new), wanted[way])

    @pytest.mark.parametrize("rare", [1, 2, 3])
    @pytest.mark.parametrize("others", [[40], [40, 15]])
    def test_tiny_classes_survive(self, sampler, rare, others):
        rng = np.random.default_rng(0)
        y = np.repeat(np.arange(len(others) + 1), [*others, rare])
        X = pd.DataFrame(rng.normal(size=(len(y), 3)), columns=list("abc"))
        X["d"] = rng.choice(list("xyz"), len(y))
        found = rare if sampler._sampling_type == "under-sampling" else rare - 1
        for rows in (X[["a", "b", "c"]].to_numpy(), X, X[["d"]]):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                _, y_new = clone(sampler).fit_resample(rows, y)
            assert set(np.unique(y_new)) == set(np.unique(y))
            assert [w.category for w in caught] == [ResamplingWarning] * len(caught)
            assert (wanted_of_its_class(sampler) > found) <= len(caught) <= 1

    def test_frames_keep_their_dtypes(self, sampler):
        rng = np.random.default_rng(0)
        X, y = mixed_frame(64, rng), pd.Series(["often"] * 50 + ["rare"] * 14, name="label")
        X_new, y_new = quiet(sampler, X, y)
        assert X_new.dtypes.equals(X.dtypes)
        assert X_new.columns.equals(X.columns)
        assert X_new[["empty", "never", "nowhere"]].isna().all(axis=None)
        assert (X_new["constant"] == 3).all()
        assert (y_new.name, y_new.dtype) == ("label", y.dtype)
        assert y_new.index.equals(X_new.index)

    def test_categories_alone(self, sampler):
        rng = np.random.default_rng(0)
        X = pd.DataFrame({"a": rng.choice(list("xyz"), 80), "b": rng.choice(list("uv"), 80)})
        X_new, _ = quiet(sampler, X, np.repeat([0, 1], [65, 15]))
        assert set(X_new["a"]) <= set("xyz")
        assert set(X_new["b"]) <= set("uv")

    def test_lists_keep_what_each_column_holds(self, sampler):
        rng = np.random.default_rng(0)
        X = [[float(x), "often" if x > 0 else "seldom", int(x * 100)] for x in rng.normal(size=50)]
        X_new, y_new = quiet(sampler, X, [0] * 38 + [1] * 12)
        assert isinstance(X_new, list)
        assert isinstance(y_new, list)
        assert [{type(value) for value in column} for column in zip(*X_new, strict=True)] == [{float}, {str}, {int}]

    @pytest.mark.parametrize("shape", [(6, 5), (4, 4, 3)])
    def test_arrays_of_any_rank_keep_shape_and_dtype(self, sampler, shape):
        X = np.random.default_rng(0).integers(0, 255, (50, *shape)).astype(np.uint8)
        X_new, y_new = quiet(sampler, X, np.repeat([0, 1], [38, 12]))
        assert X_new.shape == (len(y_new), *shape)
        assert X_new.dtype == np.uint8

    def test_sparse_equals_dense(self, sampler, data):
        X, y = data
        X = np.where(np.abs(X) < 0.3, 0, X)
        X_new, y_new = quiet(sampler, sparse.csr_matrix(X), y)
        dense, y_dense = quiet(sampler, X, y)
        np.testing.assert_allclose(X_new.toarray(), dense)
        np.testing.assert_array_equal(y_new, y_dense)

    def test_sparse_with_missing_values_equals_dense(self, sampler, data):
        X, y = data
        X = np.where(np.abs(X) < 0.3, 0, X)
        X[np.random.default_rng(0).random(X.shape) < 0.15] = np.nan
        X_new, y_new = quiet(sampler, sparse.csr_matrix(X), y)
        dense, y_dense = quiet(sampler, X, y)
        np.testing.assert_allclose(X_new.toarray(), dense)
        np.testing.assert_array_equal(y_new, y_dense)

    @pytest.mark.parametrize("label", [0, 1])
    def test_missing_values_in_one_class_are_no_error(self, sampler, data, label):
        X, y = data
        X = np.where((np.random.default_rng(0).random(X.shape) < 0.15) & (y[:, None] == label), np.nan, X)
        X_new, y_new = quiet(sampler, X, y)
        assert np.isnan(X_new[y_new == label]).any()
        assert not np.isnan(X_new[y_new != label]).any()

    def test_rows_lie_between_their_parents(self, sampler, data, order):
        X, y = (part[order] for part in data)
        fitted = clone(sampler)
        X_new, y_new = fitted.fit_resample(X, y)
        least = -getattr(sampler, "out_step", 0)  # by design SVMSMOTE also moves away from the other classes
        assert ((fitted.steps_ >= least) & (fitted.steps_ <= 1)).all()
        first, second = X[fitted.parents_[:, 0]], X[fitted.parents_[:, 1]]
        if not noisy(sampler):
            np.testing.assert_allclose(X_new, first + fitted.steps_[:, None] * (second - first))
        np.testing.assert_array_equal(y_new, y[fitted.parents_[:, 0]])

    def test_weights_follow_the_rows(self, sampler, data):
        X, y = data
        X_new, y_new, weight = quiet(sampler, X, y, sample_weight=X[:, 0] + 10)
        if noisy(sampler):
            assert set(weight) <= set(X[:, 0] + 10)
        else:
            np.testing.assert_allclose(weight, X_new[:, 0] + 10)
        assert len(X_new) == len(y_new) == len(weight)

    def test_missing_values_are_no_error(self, sampler, data):
        X, y = data
        X = X.copy()
        X[np.random.default_rng(0).random(X.shape) < 0.15] = np.nan
        fitted = clone(sampler)
        X_new, _ = fitted.fit_resample(X, y)
        np.testing.assert_array_equal(np.isnan(X_new), np.isnan(X[fitted.parents_[:, 0]]))
