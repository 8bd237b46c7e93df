"""Blended probabilities are calibrated where that pays on other folds, and left as they are elsewhere."""

import pickle

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._calibrate import RIDGE, Calibration, calibration_of
from skauto.resample._label_scores import CONFUSION_METRICS
from tests.support.autos import quick


def scoring_of(y, n_folds=5, repeats=1, weight=None):
    """The scoring of rows of some folds."""
    fold = np.tile(np.arange(len(y) // repeats) % n_folds, repeats)
    repeat = np.repeat(np.arange(repeats), len(y) // repeats)
    return Scoring(
        "f1", "labels", CONFUSION_METRICS["f1"], y=y, fold=fold + n_folds * repeat, repeat=repeat, weight=weight
    )


def drawn(n=3000, seed=0):
    """Chances of the second class, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    chance = expit(rng.normal(-1, 2, n))
    return chance, (rng.random(n) < chance).astype(int)


def calibration_error(y, chance, n_bins=15):
    """Of the probabilities of the second class, over bins of equal mass."""
    bins = np.array_split(np.argsort(chance), n_bins)
    return sum(len(rows) * abs(chance[rows].mean() - y[rows].mean()) for rows in bins) / len(y)


def of_two(chance):
    return np.stack([1 - chance, chance], axis=1)


@pytest.mark.parametrize("slope", [0.5, 2.0])
def test_what_is_too_sure_or_too_little_is_mended(slope):
    chance, y = drawn()
    bent = of_two(expit(slope * logit(chance) + 0.4))
    calibration = calibration_of(scoring_of(y), bent)
    mended = calibration(bent)
    new_chance, new_y = drawn(20_000, seed=1)
    new_bent = of_two(expit(slope * logit(new_chance) + 0.4))
    assert log_loss(new_y, calibration(new_bent)) < log_loss(new_y, new_bent)
    assert calibration_error(new_y, calibration(new_bent)[:, 1]) < 0.015
    np.testing.assert_allclose(mended.sum(axis=1), 1)
    assert np.abs(mended[:, 1] - chance).mean() < 0.02


def test_its_weights_are_those_of_a_general_optimizer():
    chance, y = drawn()
    bent = of_two(expit(0.5 * logit(chance)))
    calibration = calibration_of(scoring_of(y), bent)
    assert calibration.kind == "sigmoid"
    odds = logit(bent[:, 1])

    def loss(weights):
        return (
            np.logaddexp(0, (1 - 2 * y) * (weights[0] * odds + weights[1])).sum()
            + RIDGE * np.sum((weights - [1, 0]) ** 2) / 2
        )

    np.testing.assert_allclose(calibration.weights, minimize(loss, [1.0, 0.0]).x, atol=1e-3)


def test_what_is_right_stays_as_it_is():
    kept = []
    for seed in range(20):
        chance, y = drawn(seed=seed)
        kept.append(calibration_of(scoring_of(y), of_two(chance)) is None)
    assert np.mean(kept) >= 0.5


def test_on_new_rows_it_costs_next_to_nothing_where_there_was_nothing_to_mend():
    new_chance, new_y = drawn(50_000, seed=99)
    costs = []
    for seed in range(20):
        chance, y = drawn(seed=seed)
        calibration = calibration_of(scoring_of(y), of_two(chance))
        mended = of_two(new_chance) if calibration is None else calibration(of_two(new_chance))
        costs.append(log_loss(new_y, mended) - log_loss(new_y, new_chance))
    assert np.mean(costs) < 0.0005 and max(costs) < 0.003


def test_the_order_of_rows_stays():
    chance, y = drawn()
    far = np.sort(np.append(chance, [1e-12, 1e-10, 1e-7, 1 - 1e-7, 1 - 1e-10, 1 - 1e-12]))
    for calibration in (Calibration("sigmoid", (2.0, 0.3)), Calibration("beta", (0.6, 1.8, -0.4))):
        mended = calibration(of_two(far))[:, 1]
        assert (np.diff(mended)[np.diff(far) > 0] > 0).all() and ((mended > 0) & (mended < 1)).all()
        proba = calibration(of_two(chance))[:, 1]
        assert roc_auc_score(y, proba) == roc_auc_score(y, chance)
        assert average_precision_score(y, proba) == average_precision_score(y, chance)


@pytest.mark.parametrize("power", [0.5, 2.0])
def test_many_classes_have_one_temperature(power):
    rng = np.random.default_rng(0)
    right = rng.dirichlet([0.5, 0.7, 0.3], 3000)
    y = (rng.random(3000)[:, None] > right.cumsum(axis=1)).sum(axis=1)
    bent = right**power / (right**power).sum(axis=1, keepdims=True)
    calibration = calibration_of(scoring_of(y), bent)
    assert calibration.kind == "temperature" and calibration.weights[0] == pytest.approx(1 / power, rel=0.1)
    np.testing.assert_array_equal(calibration(bent).argmax(axis=1), bent.argmax(axis=1))
    assert log_loss(y, calibration(bent)) < log_loss(y, bent)


@pytest.mark.parametrize("case", ["few rows", "few positives", "no time"])
def test_where_it_would_be_luck_or_late_nothing_is_tried(case):
    chance, y = drawn(900 if case == "few rows" else 3000)
    if case == "few positives":
        y = (np.arange(3000) < 15).astype(int)
    left = (lambda: 0.0) if case == "no time" else (lambda: np.inf)
    assert calibration_of(scoring_of(y), of_two(expit(0.4 * logit(chance))), left) is None


def test_rows_of_weight_zero_do_not_count():
    chance, y = drawn(4000)
    bent = of_two(expit(0.5 * logit(chance)))
    weight = np.repeat([1.0, 0.0], 2000)
    y[2000:] = 1 - y[2000:]
    weighted = calibration_of(scoring_of(y, weight=weight), bent)
    alone = calibration_of(scoring_of(y[:2000]), bent[:2000])
    assert weighted.kind == alone.kind
    np.testing.assert_allclose(weighted.weights, alone.weights, rtol=0.05)


def test_repeats_do_not_make_it_surer():
    chance, y = drawn(1500)
    bent = of_two(expit(0.93 * logit(chance)))
    once = calibration_of(scoring_of(y), bent)
    thrice = calibration_of(scoring_of(np.tile(y, 3), repeats=3), np.tile(bent, (3, 1)))
    assert (once is None) == (thrice is None)


def test_an_ensemble_that_is_off_is_calibrated_with_its_thresholds_and_out_of_fold_rows():
    X, y = make_classification(1600, 8, n_informative=3, n_redundant=4, weights=[0.7], random_state=0)
    X, new_X, y, new_y = X[:1200], X[1200:], y[:1200], y[1200:]
    # Naive Bayes is far too sure of features that say the same.
    auto = quick(n_iter=2, cv=4, candidates=["naive_bayes", "knn"], pos_label=1).fit(X, y)
    ensemble = auto.ensemble_
    assert len(ensemble.estimators_) > 1 and ensemble.calibration_ is not None
    blended = ensemble.calibrated(None).predict_proba(new_X)
    assert log_loss(new_y, auto.predict_proba(new_X)) < log_loss(new_y, blended)
    np.testing.assert_allclose(auto.predict_proba(new_X), ensemble.calibration_(blended))
    np.testing.assert_array_equal(auto.predict(new_X), auto.predict_proba(new_X)[:, 1] >= auto.threshold_)
    assert roc_auc_score(new_y, auto.predict_proba(new_X)[:, 1]) == roc_auc_score(new_y, blended[:, 1])
    # a decision anew is chosen among the calibrated probabilities
    threshold = auto.threshold_
    assert auto.set_decision(threshold=0.9).set_decision(scoring="f1").threshold_ == threshold
    again = pickle.loads(pickle.dumps(auto))
    np.testing.assert_array_equal(again.predict_proba(new_X), auto.predict_proba(new_X))


def test_a_single_model_that_was_asked_for_stays_as_it_is():
    X, y = make_classification(1200, 8, n_informative=3, n_redundant=4, weights=[0.7], random_state=0)
    settings = {"n_iter": 1, "candidates": ["naive_bayes"], "pos_label": 1}
    auto = quick(ensemble=False, **settings).fit(X, y)
    np.testing.assert_allclose(auto.predict_proba(X), auto.best_estimator_.predict_proba(X), rtol=1e-10)
    auto = quick(**settings).fit(X, y)
    assert len(auto.ensemble_.estimators_) == 1 and auto.ensemble_.calibration_ is not None
    assert roc_auc_score(y, auto.predict_proba(X)[:, 1]) == roc_auc_score(
        y, auto.best_estimator_.predict_proba(X)[:, 1]
    )
