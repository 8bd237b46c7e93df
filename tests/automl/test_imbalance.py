"""Imbalance strategies: what the search space of imbalance offers is what trials get, in folds and in the refit."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from skauto import AutoClassifier
from skauto.automl._imbalance import SAMPLERS, imbalance_strategies, separated, with_imbalance_strategy, with_labels
from skauto.resample._priors import PriorCorrectedClassifier
from skauto.resample._resampling_classifier import ResamplingClassifier
from skauto.resample._search_space import imbalance_search_space

Y = np.repeat([0, 1], [400, 40])


def test_the_ways_are_those_of_the_search_space():
    ways, space = imbalance_strategies(Y), imbalance_search_space(Y, LogisticRegression())
    assert list(ways) == ["none", "class_weight", *SAMPLERS]
    assert ways["none"] == {"imbalance": ["none"]}
    assert len(ways) == len(space)
    for way, entry in zip(ways.values(), space, strict=True):
        settings = [values for name, values in entry.items() if name != "sampler"]
        assert [values for name, values in way.items() if name != "imbalance"] == settings


def test_balanced_classes_are_left_alone_and_few_rows_have_no_neighbours():
    assert list(imbalance_strategies(np.arange(90) % 2)) == ["none"]
    assert "SMOTE" not in imbalance_strategies(np.repeat([0, 1], [90, 4]))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_setting_keeps_natural_probabilities(n_classes):
    rng = np.random.default_rng(0)
    y = np.where(rng.random(1500) < 0.7, 0, rng.integers(1, n_classes, 1500))
    X = rng.normal(size=(1500, 3)) + y[:, None]
    unresampled = np.mean(y == 0)
    for way in imbalance_strategies(y).values():
        for strategy in ParameterGrid(way):
            model = clone(with_imbalance_strategy(LogisticRegression(), strategy, seed=1))
            assert model.fit(X, y).predict_proba(X)[:, 0].mean() == pytest.approx(unresampled, abs=0.06), strategy


def test_no_strategy_is_the_classifier_itself():
    model = LogisticRegression()
    assert with_imbalance_strategy(model, {"imbalance": "none"}, 0) is model


def test_class_weights_go_to_the_heart_and_are_corrected():
    outer = with_imbalance_strategy(CalibratedClassifierCV(SVC()), {"imbalance": "class_weight"}, 0)
    assert isinstance(outer, PriorCorrectedClassifier)
    assert outer.estimator.estimator.class_weight == "balanced"
    halves = {"imbalance": "class_weight", "imbalance__class_weight": {0: 1.0, 1: 2.0}}
    assert with_imbalance_strategy(LogisticRegression(), halves, 0).estimator.class_weight == {0: 1.0, 1: 2.0}
    assert with_imbalance_strategy(OneVsRestClassifier(SVC()), halves, 0).estimator.estimator.class_weight == "balanced"


def test_a_sampler_gets_its_settings_and_the_seed_of_the_trial():
    values = {"C": 1.0, "imbalance": "SMOTE", "imbalance__k_neighbors": 3, "imbalance__sampling_strategy": 0.25}
    own, strategy = separated(values)
    assert own == {"C": 1.0}
    model = with_imbalance_strategy(LogisticRegression(), strategy, seed=7)
    assert isinstance(model, ResamplingClassifier)
    sampler = model.sampler
    assert (sampler.k_neighbors, sampler.sampling_strategy, sampler.random_state) == (3, 0.25, 7)


def test_weights_by_code_become_weights_by_label():
    values = {"C": 1.0, "imbalance": "class_weight", "imbalance__class_weight": {0: 0.7, 1: 2.1}}
    assert with_labels(values, np.array(["no", "yes"]))["imbalance__class_weight"] == {"no": 0.7, "yes": 2.1}
    X, labels = np.random.default_rng(0).normal(size=(440, 2)), np.array(["no", "yes"])
    model = with_imbalance_strategy(LogisticRegression(), separated(with_labels(values, labels))[1], 0).fit(
        X, labels[Y]
    )
    np.testing.assert_allclose(model.trained_priors_, [10 / 13, 3 / 13])
    assert with_labels({"imbalance__class_weight": "balanced"}, np.array(["no", "yes"])) == {
        "imbalance__class_weight": "balanced"
    }


def test_auto_classifier_tries_them_and_refits_what_it_chose():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(440, 3)) + 1.5 * Y[:, None]
    auto = AutoClassifier(
        candidates=["logistic"],
        strategy="random",
        n_iter=12,
        time_limit=None,
        cv=2,
        n_jobs=1,
        verbose=0,
        random_state=0,
    ).fit(X, np.array(["no", "yes"])[Y])
    board = auto.leaderboard(details=True)
    params = board.loc[board["trial"] >= 0, "params"]
    assert {"none"} < {given["imbalance"] for given in params} <= set(imbalance_strategies(Y))
    assert (auto.leaderboard_["status"] == "complete").all()
