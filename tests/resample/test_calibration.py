"""Calibration that is learnt when probabilities are first asked for."""

import copy
import pickle
from threading import Thread

import numpy as np
import pytest
from imblearn.under_sampling import RandomUnderSampler
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from skauto.resample import RandomOverSampler, ResamplingClassifier, correct_priors
from skauto.resample._calibration import Sigmoid


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [500, 60])
    return rng.normal(size=(560, 4)) + y[:, None], y


def fitted(data):
    return ResamplingClassifier(GaussianNB(), RandomOverSampler(random_state=0)).fit(*data)


def test_as_scikit_learn_calibrates(data):
    X, y = data
    model = LogisticRegression()
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    theirs = CalibratedClassifierCV(model, cv=cv, ensemble=False).fit(X, y)
    ours = ResamplingClassifier(model, prior_correction="calibration").fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
    three = np.arange(len(y)) % 3
    proba = np.random.default_rng(0).dirichlet([1, 1, 1], len(y))
    np.testing.assert_allclose(Sigmoid(proba, three)(proba).sum(axis=1), 1)


def test_rows_that_change_after_fit_do_not_matter(data):
    X, y = data
    expected = fitted(data).predict_proba(X)
    changed = X.copy()
    model = fitted((changed, y))
    changed[:] = 0
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_copies_pickles_and_threads_agree(data):
    X, y = data
    expected = fitted(data).predict_proba(X)
    model = fitted(data)
    np.testing.assert_array_equal(copy.deepcopy(model).predict_proba(X), expected)
    stored = pickle.dumps(fitted(data))
    assert len(stored) < X.nbytes  # without the rows
    np.testing.assert_array_equal(pickle.loads(stored).predict_proba(X), expected)
    model, answers = fitted(data), []
    threads = [Thread(target=lambda: answers.append(model.predict_proba(X))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        np.testing.assert_array_equal(answer, expected)


def test_where_a_fold_has_too_few_rows_bayes_rule_takes_the_place_of_the_sigmoid(data):
    X, y = data
    sampler = RandomUnderSampler(sampling_strategy={0: 400}, random_state=0)
    model = ResamplingClassifier(GaussianNB(), sampler).fit(X, y)
    copied = copy.copy(model)
    with pytest.warns(UserWarning, match="corrected by Bayes' rule and not calibrated"):
        found = model.predict_proba(X)
    priors = [400 / 460, 60 / 460], [500 / 560, 60 / 560]
    np.testing.assert_allclose(found, correct_priors(model.estimator_.predict_proba(X), *priors))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), found)  # warns no more
    np.testing.assert_array_equal(copied.predict_proba(X), found)
