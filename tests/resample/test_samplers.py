"""Every sampler keeps the contract, and passes the checks of scikit-learn and imbalanced-learn."""

import numpy as np
import pandas as pd
import pytest
import sklearn.utils.estimator_checks
from imblearn.utils import estimator_checks
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from sklearn.svm import SVC

import skauto.resample
from skauto.resample._targets import class_seeds
from tests.contracts.sampler import SamplerContract

SAMPLERS = [
    skauto.resample.SMOTE(random_state=0),
    skauto.resample.BorderlineSMOTE(random_state=0),
    skauto.resample.BorderlineSMOTE(kind="borderline-2", random_state=0),
    skauto.resample.ADASYN(random_state=0),
    skauto.resample.SVMSMOTE(random_state=0),
    skauto.resample.KMeansSMOTE(random_state=0),
    skauto.resample.RandomOverSampler(random_state=0),
    skauto.resample.RandomOverSampler(random_state=0, shrinkage=0.5),
    skauto.resample.RandomUnderSampler(random_state=0),
    skauto.resample.NearMiss(),
    skauto.resample.NearMiss(version=2),
    skauto.resample.NearMiss(version=3, n_neighbors_ver3=40),
    skauto.resample.TomekLinks(),
    skauto.resample.EditedNearestNeighbours(),
    skauto.resample.EditedNearestNeighbours(kind_sel="mode"),
    skauto.resample.SMOTEENN(random_state=0),
    skauto.resample.SMOTETomek(random_state=0),
]


def test_every_public_sampler_is_among_them():
    public = {getattr(skauto.resample, name) for name in skauto.resample.__all__}
    assert {cls for cls in public if hasattr(cls, "fit_resample")} == {type(sampler) for sampler in SAMPLERS}


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
class TestContract(SamplerContract):
    """The contract, for each of them."""


def test_a_clustering_that_fails_is_said_and_done_without():
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.repeat([0, 1], [24, 6])
    sampler = skauto.resample.KMeansSMOTE(kmeans_estimator=KMeans(50), random_state=0)
    with pytest.warns(skauto.resample.ResamplingWarning, match="the clustering failed .*n_clusters=50") as caught:
        _, y_new = sampler.fit_resample(X, y)
    assert len(caught) == 1
    assert np.bincount(y_new).tolist() == [24, 24]


# The checks are about the class, not about one of its settings: the first of each.
CHECKED = [s for i, s in enumerate(SAMPLERS) if type(s) not in map(type, SAMPLERS[:i])]


# The checks do not expect the warnings of samplers that go on where imbalanced-learn's own would stop.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skauto.resample._targets.ResamplingWarning")
@pytest.mark.parametrize(
    "estimator, check",
    [pair for sampler in CHECKED for pair in estimator_checks.estimator_checks_generator(sampler)],
)
def test_imbalanced_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@sklearn.utils.estimator_checks.parametrize_with_checks(CHECKED)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("sampler", [skauto.resample.SMOTEENN(), skauto.resample.SMOTETomek()], ids=str)
def test_two_samplers_in_one_speak_once(sampler):
    X = pd.DataFrame({"city": np.random.default_rng(0).choice(list("xyz"), 31)})
    with pytest.warns(skauto.resample.ResamplingWarning, match=f"^{type(sampler).__name__}: .*is repeated") as caught:
        sampler.fit_resample(X, [0] * 30 + [1])
    assert len(caught) == 1


def test_fewer_rows_than_neighbours_are_said_by_all_who_look_for_them():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(9, 2)), np.repeat(["often", "rare"], [6, 3])
    few = "the class 'rare' has 3 rows, so k_neighbors is 2 there instead of 5"
    said = {
        skauto.resample.BorderlineSMOTE(): ["X has 9 rows, so m_neighbors is 8 there instead of 10", few],
        skauto.resample.SVMSMOTE(): ["X has 9 rows, so m_neighbors is 8 there instead of 10", few],
        skauto.resample.ADASYN(n_neighbors=9): ["X has 9 rows, so n_neighbors is 8 there instead of 9"],
        skauto.resample.NearMiss(n_neighbors=4): ["the class 'rare' has 3 rows, so n_neighbors is 3 there"],
        skauto.resample.NearMiss(version=3, n_neighbors_ver3=7): ["'often' has 6 rows, so n_neighbors_ver3 is 6"],
        skauto.resample.EditedNearestNeighbours(n_neighbors=9): ["X has 9 rows, so n_neighbors is 8"],
    }
    for sampler, sentences in said.items():
        with pytest.warns(skauto.resample.ResamplingWarning) as caught:
            sampler.fit_resample(X, y)
        assert len(caught) == 1
        assert [s for s in sentences if s not in str(caught[0].message)] == []


def test_too_few_near_rows_are_said():
    X, y = np.arange(12.0)[:, None], np.repeat([0, 1], [8, 4])
    sampler = skauto.resample.NearMiss(version=3, n_neighbors=1, n_neighbors_ver3=1)
    with pytest.warns(skauto.resample.ResamplingWarning, match="only 1 rows of the class 0 are among") as caught:
        _, y_new = sampler.fit_resample(X, y)
    assert len(caught) == 1
    assert np.bincount(y_new).tolist() == [1, 4]


STREAMED = [
    skauto.resample.SMOTE(),
    skauto.resample.BorderlineSMOTE(),
    skauto.resample.BorderlineSMOTE(kind="borderline-2"),
    skauto.resample.ADASYN(),
    skauto.resample.SVMSMOTE(),
    skauto.resample.KMeansSMOTE(kmeans_estimator=KMeans(2, random_state=0), cluster_balance_threshold=0.1),
]


@pytest.mark.parametrize("sampler", STREAMED, ids=str)
def test_each_class_is_drawn_as_if_alone_with_a_seed_of_its_own(sampler):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [60, 20, 20])
    X = rng.normal(size=(100, 3)) + y[:, None]
    together = clone(sampler).set_params(random_state=7, sampling_strategy={1: 50, 2: 50})
    X_new, y_new = together.fit_resample(X, y)
    for label, seed in zip([1, 2], class_seeds(7, 2), strict=True):
        alone = clone(sampler).set_params(random_state=seed, sampling_strategy={label: 50})
        expected, _ = alone.fit_resample(X, y)
        np.testing.assert_array_equal(X_new[100:][y_new[100:] == label], expected[100:])


class CountedKMeans(KMeans):
    """Says in a list how often it was fitted."""

    fitted = []

    def fit(self, X, y=None, sample_weight=None):
        """Cluster, and count it."""
        self.fitted.append(len(X))
        return super().fit(X, y, sample_weight)


class CountedSVC(SVC):
    """Says in a list how often it was fitted."""

    fitted = []

    def fit(self, X, y, sample_weight=None):
        """Fit, and count it."""
        self.fitted.append(len(X))
        return super().fit(X, y, sample_weight)


def test_what_serves_all_classes_is_fitted_once():
    y = np.repeat([0, 1, 2], [60, 20, 20])
    X = np.random.default_rng(0).normal(size=(100, 3)) + y[:, None]
    skauto.resample.KMeansSMOTE(
        kmeans_estimator=CountedKMeans(2, random_state=0), cluster_balance_threshold=0.1
    ).fit_resample(X, y)
    skauto.resample.SVMSMOTE(svm_estimator=CountedSVC()).fit_resample(X, y)
    assert (CountedKMeans.fitted, CountedSVC.fitted) == ([100], [100])


def test_a_clusterer_gets_the_rows_in_a_form_that_it_takes():
    y = np.repeat([0, 1], [80, 20])
    X = np.random.default_rng(0).normal(size=(100, 3)) + 3 * y[:, None]
    sampler = skauto.resample.KMeansSMOTE(kmeans_estimator=GaussianMixture(2, random_state=0), random_state=0)
    dense, _ = sampler.fit_resample(X, y)
    found, _ = sampler.fit_resample(sparse.csr_matrix(X), y)
    np.testing.assert_allclose(found.toarray(), dense)


def series():
    """A list of series of unequal lengths, and labels of which one is rarer."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [9, 4])
    return [rng.normal(size=(rng.integers(3, 9), 2)) for _ in y], y


def test_whole_series_are_repeated_and_left_out():
    X, y = series()
    for sampler, counts in (
        (skauto.resample.RandomOverSampler(random_state=0), [9, 9]),
        (skauto.resample.RandomUnderSampler(random_state=0), [4, 4]),
    ):
        X_new, y_new = sampler.fit_resample(X, y)
        assert np.bincount(y_new).tolist() == counts
        assert all(x is X[i] for x, i in zip(X_new, sampler.sample_indices_, strict=True))


@pytest.mark.parametrize(
    "sampler", [skauto.resample.SMOTE(), skauto.resample.TomekLinks(), skauto.resample.RandomOverSampler(shrinkage=1.0)]
)
def test_nothing_lies_between_series_of_unequal_lengths(sampler):
    with pytest.raises(ValueError, match="unequal shapes, .* RandomUnderSampler"):
        sampler.fit_resample(*series())
