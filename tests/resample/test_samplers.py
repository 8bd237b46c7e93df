"""Every sampler keeps the contract, and passes the checks of scikit-learn and imbalanced-learn."""

import numpy as np
import pandas as pd
import pytest
import sklearn.utils.estimator_checks
from imblearn.utils import estimator_checks
from sklearn.cluster import KMeans

import skauto.resample
from tests.contracts.sampler import SamplerContract

SAMPLERS = [
    skauto.resample.SMOTE(random_state=0),
    skauto.resample.BorderlineSMOTE(random_state=0),
    skauto.resample.BorderlineSMOTE(kind="borderline-2", random_state=0),
    skauto.resample.ADASYN(random_state=0),
    skauto.resample.SVMSMOTE(random_state=0),
    skauto.resample.KMeansSMOTE(random_state=0),
    skauto.resample.RandomOverSampler(random_state=0),
    skauto.resample.RandomUnderSampler(random_state=0),
    skauto.resample.NearMiss(),
    skauto.resample.TomekLinks(),
    skauto.resample.EditedNearestNeighbours(),
    skauto.resample.SMOTEENN(random_state=0),
    skauto.resample.SMOTETomek(random_state=0),
]


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


# The checks are about the class, not about one of its settings.
CHECKED = [sampler for sampler in SAMPLERS if getattr(sampler, "kind", None) != "borderline-2"]


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
