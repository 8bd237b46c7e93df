"""SMOTE: equal to imbalanced-learn where that works, and what it does where that fails."""

import imblearn.over_sampling
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.neighbors import NearestNeighbors

from skauto.resample import SMOTE, ResamplingWarning


def test_equals_imbalanced_learn_on_two_classes_of_numbers():
    X, y = make_classification(n_samples=300, weights=[0.85], random_state=0)
    ours = SMOTE(random_state=3).fit_resample(X, y)
    theirs = imblearn.over_sampling.SMOTE(random_state=3).fit_resample(X, y)
    np.testing.assert_allclose(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1], theirs[1])


def test_neighbours_of_mixed_rows_are_those_of_smotenc():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(200, 4)), rng.integers(0, 3, (200, 2))])
    y = np.repeat([0, 1], [160, 40])
    ours, _ = SMOTE(random_state=0, categorical_features=[4, 5]).fit_resample(X, y)
    theirs, _ = imblearn.over_sampling.SMOTENC([4, 5], random_state=0).fit_resample(X, y)
    np.testing.assert_allclose(ours[:, :4], theirs[:, :4])


@settings(max_examples=30, deadline=None)
@given(
    chosen=st.lists(st.booleans(), min_size=4, max_size=4),
    form=st.sampled_from([sparse.csr_matrix, sparse.csc_matrix]),
    missing=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 2**31 - 1),
)
def test_categories_in_a_sparse_matrix_are_those_of_a_dense_one(chosen, form, missing, seed):
    rng = np.random.default_rng(seed)
    X = np.where(chosen, rng.integers(0, 3, (60, 4)), rng.normal(size=(60, 4)))
    X[rng.random(X.shape) < missing] = np.nan
    sampler = SMOTE(random_state=0, categorical_features=chosen)
    y = np.repeat([0, 1], [45, 15])
    dense = sampler.fit_resample(X, y)[0]
    found = sampler.fit_resample(form(X), y)[0]
    assert found.format == form(X).format
    np.testing.assert_allclose(found.toarray(), dense)
    for j in np.flatnonzero(chosen):
        assert set(dense[~np.isnan(dense[:, j]), j]) <= {0, 1, 2}


def test_nominal_rows_take_the_vote_of_their_neighbours_like_smoten():
    X = np.array(["A"] * 10 + ["B"] * 20 + ["C"] * 30, dtype=object)[:, None]
    y = np.array([0] * 20 + [1] * 40)
    ours, _ = SMOTE(random_state=0).fit_resample(X, y)
    theirs, _ = imblearn.over_sampling.SMOTEN(random_state=0).fit_resample(X, y)
    assert set(ours[60:, 0]) <= set(theirs[60:, 0]) | {"A", "B"}
    assert len(ours) == len(theirs) == 80


def test_classes_have_streams_of_their_own():
    rng = np.random.default_rng(0)
    block = rng.normal(size=(10, 3))
    X = np.vstack([rng.normal(size=(40, 3)), block, block])
    X_new, y_new = SMOTE(random_state=0).fit_resample(X, np.repeat([0, 1, 2], [40, 10, 10]))
    assert not np.allclose(X_new[60:][y_new[60:] == 1], X_new[60:][y_new[60:] == 2])


def test_integers_are_rounded_not_cut():
    X = np.repeat([[0], [1]], [1, 1], axis=0)
    X = np.vstack([np.full((3000, 1), 9), X])
    X_new, _ = SMOTE(k_neighbors=1, random_state=0).fit_resample(X, np.repeat([0, 1], [3000, 2]))
    assert X_new[3002:].mean() == pytest.approx(0.5, abs=0.05)


def test_missing_values_come_from_the_first_parent_and_the_other_one_is_measured_around():
    X = np.array([[0.0, np.nan], [1.0, 4.0], [50.0, 5.0]] + [[9.0, 9.0]] * 9)
    sampler = SMOTE(k_neighbors=1, random_state=0)
    X_new, _ = sampler.fit_resample(X, np.repeat([1, 0], [3, 9]))
    first = sampler.parents_[12:, 0]
    np.testing.assert_array_equal(np.isnan(X_new[12:, 1]), first == 0)
    assert (sampler.parents_[12:, 1][first == 0] == 1).all()


def test_what_the_data_do_not_allow_is_said_in_one_warning():
    X = np.arange(24.0).reshape(12, 2)
    with pytest.warns(ResamplingWarning) as caught:
        SMOTE(random_state=0).fit_resample(X, ["a"] * 8 + ["b"] * 3 + ["c"])
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "the class 'b' has 3 rows, so k_neighbors is 2 there instead of 5" in message
    assert "the class 'c' has one row, which is repeated" in message


def test_a_ratio_that_is_met_does_nothing():
    X, y = np.arange(24.0).reshape(12, 2), np.repeat([0, 1], [7, 5])
    with pytest.warns(ResamplingWarning, match=r"the classes \[1\] already meet sampling_strategy=0.5"):
        X_new, y_new = SMOTE(sampling_strategy=0.5).fit_resample(X, y)
    np.testing.assert_array_equal(X_new, X)
    np.testing.assert_array_equal(y_new, y)


def test_a_ratio_for_many_classes():
    X = np.random.default_rng(0).normal(size=(150, 2))
    _, y_new = SMOTE(sampling_strategy=0.5, random_state=0).fit_resample(X, np.repeat(["a", "b", "c"], [100, 30, 20]))
    assert pd.Series(y_new).value_counts().to_dict() == {"a": 100, "b": 50, "c": 50}


def test_a_search_object_is_used_and_held_within_the_class():
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.warns(ResamplingWarning, match="k_neighbors is 3 there instead of 7"):
        X_new, _ = SMOTE(k_neighbors=NearestNeighbors(n_neighbors=8, metric="manhattan"), random_state=0).fit_resample(
            X, np.repeat([0, 1], [36, 4])
        )
    assert len(X_new) == 72


def test_a_search_object_measures_around_gaps():
    X = np.random.default_rng(0).normal(size=(60, 3))
    X[::7, 1] = np.nan
    y = np.repeat([0, 1], [40, 20])
    expected, _ = SMOTE(random_state=0).fit_resample(X, y)
    search = NearestNeighbors(n_neighbors=6, algorithm="kd_tree")
    found, _ = SMOTE(k_neighbors=search, random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="k_neighbors=.*manhattan.*nan_euclidean"):
        SMOTE(k_neighbors=NearestNeighbors(n_neighbors=6, metric="manhattan")).fit_resample(X, y)


def test_infinite_values_and_unknown_columns_are_named():
    X = pd.DataFrame({"a": [1.0, np.inf, 2.0], "b": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="infinity"):
        SMOTE().fit_resample(X, [0, 0, 1])
    with pytest.raises(ValueError, match=r"columns that X does not have: \['c'\]"):
        SMOTE(categorical_features=["c"]).fit_resample(X.fillna(0), [0, 0, 1])
    with pytest.raises(ValueError, match="mask of 1 values, but X has 2 columns"):
        SMOTE(categorical_features=[True]).fit_resample(X, [0, 0, 1])
    with pytest.raises(ValueError, match=r"X has 2 columns: \[5, -3\] should be from 0 to 1"):
        SMOTE(categorical_features=[1, 5, -3]).fit_resample(X, [0, 0, 1])
    with pytest.raises(ValueError, match="Got 'a' instead"):  # a name goes into a list
        SMOTE(categorical_features="a").fit_resample(X.fillna(0), [0, 0, 1])


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 25), min_size=2, max_size=4),
    ratio=st.one_of(st.just("auto"), st.floats(0.05, 1.0)),
    missing=st.floats(0, 0.5),
    seed=st.integers(0, 2**31 - 1),
)
@pytest.mark.filterwarnings("ignore::skauto.resample._targets.ResamplingWarning")
def test_targets_are_met_and_rows_lie_between_their_parents(counts, ratio, missing, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    X = rng.normal(size=(len(y), 3))
    X[rng.random(X.shape) < missing] = np.nan
    sampler = SMOTE(sampling_strategy=ratio, random_state=seed)
    X_new, y_new = sampler.fit_resample(X, y)
    wanted = int(max(counts) * (1.0 if ratio == "auto" else ratio))
    np.testing.assert_array_equal(np.bincount(y_new), np.maximum(counts, wanted))
    np.testing.assert_array_equal(X_new[: len(y)], X)
    first, second = X[sampler.parents_[:, 0]], X[sampler.parents_[:, 1]]
    np.testing.assert_array_equal(np.isnan(X_new), np.isnan(first))
    both = ~np.isnan(first) & ~np.isnan(second)
    low, high = np.minimum(first, second), np.maximum(first, second)
    assert ((X_new >= low - 1e-12) & (X_new <= high + 1e-12))[both].all()
    assert (y[sampler.parents_] == y_new[:, None]).all()
