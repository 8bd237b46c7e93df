"""Tomek links and edited neighbours: the rows that imbalanced-learn keeps, found without a full search."""

import imblearn.under_sampling as upstream
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.neighbors import NearestNeighbors

from skauto.resample import EditedNearestNeighbours, ResamplingWarning, TomekLinks
from skauto.resample._exact_neighbours import count_within, maybe_linked, nearby_order, nearest, own_neighbours_only

SETTINGS = [
    (TomekLinks, upstream.TomekLinks, {}),
    (TomekLinks, upstream.TomekLinks, {"sampling_strategy": "all"}),
    (EditedNearestNeighbours, upstream.EditedNearestNeighbours, {}),
    (EditedNearestNeighbours, upstream.EditedNearestNeighbours, {"sampling_strategy": "all"}),
    (EditedNearestNeighbours, upstream.EditedNearestNeighbours, {"kind_sel": "mode", "n_neighbors": 5}),
]


@pytest.mark.parametrize("ours, theirs, params", SETTINGS, ids=str)
@pytest.mark.parametrize("weights", [[0.97], [0.5], [0.6, 0.3]])
def test_the_same_rows_as_imbalanced_learn(ours, theirs, params, weights):
    n_classes = max(2, len(weights) + 1)
    X, y = make_classification(
        n_samples=3000, n_informative=6, n_classes=n_classes, weights=weights, class_sep=0.7, random_state=0
    )
    expected = theirs(**params)
    expected.fit_resample(X, y)
    found = ours(**params)
    X_new, y_new = found.fit_resample(X, y)
    np.testing.assert_array_equal(found.sample_indices_, expected.sample_indices_)
    np.testing.assert_array_equal(X_new, X[found.sample_indices_])
    np.testing.assert_array_equal(y_new, y[found.sample_indices_])


@pytest.mark.real
@pytest.mark.parametrize("name", ["mammography", "phoneme", "page_blocks"])
def test_the_same_rows_on_real_tables(name, real_data):
    table = pd.read_csv(real_data / f"{name}.csv.gz").drop_duplicates()
    table = table[~table.drop(columns="target").duplicated(keep=False)]
    X, y = table.drop(columns="target").to_numpy(float), table["target"].to_numpy()
    for ours, theirs in ((TomekLinks(), upstream.TomekLinks()), (EditedNearestNeighbours(), None)):
        theirs = theirs or upstream.EditedNearestNeighbours()
        ours.fit_resample(X, y)
        theirs.fit_resample(X, y)
        different = np.setxor1d(ours.sample_indices_, theirs.sample_indices_)
        assert len(different) <= 0.001 * len(y)  # rows at equal distances may be told in another order


def test_the_scan_counts_what_it_says():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(300, 4)), rng.normal(size=(5000, 4))
    distances = ((A[:, None] - B[None]) ** 2).sum(axis=2)
    to_b, to_a = nearest(A, B)
    np.testing.assert_allclose(to_b, distances.min(axis=1), atol=1e-12)
    np.testing.assert_allclose(to_a, distances.min(axis=0), atol=1e-12)
    np.testing.assert_array_equal(count_within(A, B, np.full(300, 0.5)), (distances < 0.5).sum(axis=1))
    assert sorted(nearby_order(B, 64)) == list(range(5000))


def test_verdicts_are_right_or_withheld():
    X, y = make_classification(n_samples=6000, weights=[0.8], class_sep=0.8, random_state=1)
    verdict = own_neighbours_only(X, y, 3)
    distances = np.argsort(((X[:500, None] - X[None]) ** 2).sum(axis=2), axis=1)[:, 1:4]
    truth = (y[distances] == y[:500, None]).all(axis=1)
    decided = verdict[:500] >= 0
    assert decided.mean() > 0.99
    np.testing.assert_array_equal(verdict[:500][decided] == 1, truth[decided])


def test_few_rows_are_asked_for_their_links_and_none_is_missed():
    X, y = make_classification(n_samples=6000, n_classes=3, n_informative=4, class_sep=0.5, random_state=2)
    X[10], y[10], y[11] = X[11], 0, 1  # twins in two classes
    X[20], X[21], y[20:22] = X[22], X[22], 2  # triplets in one
    two = NearestNeighbors(n_neighbors=2).fit(X[:, :4]).kneighbors(X[:, :4], return_distance=False)
    near = np.where(two[:, 0] == np.arange(6000), two[:, 1], two[:, 0])
    linked = (near[near] == np.arange(6000)) & (y[near] != y)
    mask = maybe_linked(X[:, :4], y)
    assert mask[linked].all()
    assert linked.sum() > 100
    assert mask.sum() < 4 * linked.sum()


def test_twins_across_classes_are_left_to_the_full_search():
    X = np.repeat(np.random.default_rng(0).normal(size=(1500, 3)), 2, axis=0)
    y = np.tile([0, 1], 1500)
    y[:1000] = 0
    assert (own_neighbours_only(X, y, 3)[1000:] == -1).all()


def test_a_class_that_would_vanish_stays():
    X = np.r_[np.zeros((20, 1)), [[0.1]], [[-0.1]]] + np.arange(22)[:, None] * 1e-4
    y = np.r_[np.zeros(20, dtype=int), 1, 1]
    with pytest.warns(ResamplingWarning, match=r"all rows of the classes \[1\] would be taken out"):
        _, y_new = EditedNearestNeighbours(sampling_strategy="all").fit_resample(X, y)
    assert (y_new == 1).sum() == 2
