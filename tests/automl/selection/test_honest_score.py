"""Honest scores beside what is true: choices by luck, scores of new rows, and draws that keep groups together."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss, roc_auc_score

from skauto import AutoClassifier
from skauto.automl.evaluation._ranking import ap_of, auc_of
from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._bootstrap import Units
from skauto.automl.selection._calibrate import Calibration
from skauto.automl.selection._honest_score import ENSEMBLE, honest_scores
from skauto.resample._label_scores import accuracy, f1
from tests.support.trials import scored


def scoring_of(y, metric, judged_by="proba", n_folds=5):
    fold = np.arange(len(y)) % n_folds
    return Scoring("score", judged_by, metric, y, fold, np.zeros(len(y)))


def trials_of(scoring, scores):
    """A trial for each column of scores of the positive class, which is a kind of its own."""
    trials = []
    for number, score in enumerate(scores.T):
        proba = np.column_stack([1 - score, score])
        report = scoring.report(proba)
        trial = scored(number, report["score"], report["fold_scores"], proba=proba)
        trial.values["candidate"] = f"candidate {number}"
        trials.append(trial)
    return sorted(trials, key=lambda trial: -trial.score)


def units_of(y):
    return Units(np.arange(len(y)), y)


def test_the_best_of_many_that_know_nothing_is_worth_nothing():
    """Forty random guesses: the best one shows an AUC far above a half, and its honest score is a half."""
    rng = np.random.default_rng(0)
    shown, honest, of_ensemble = [], [], []
    for seed in range(4):
        y = (np.arange(300) < 60).astype(int)
        scoring = scoring_of(y, auc_of)
        trials = trials_of(scoring, rng.uniform(size=(300, 30)))
        found = honest_scores(trials, scoring, units_of(y), seed=seed)
        shown.append(trials[0].score)
        honest.append(found[trials[0].number].score)
        of_ensemble.append(found[ENSEMBLE].score)
    assert min(shown) > 0.56
    assert np.mean(honest) == pytest.approx(0.5, abs=0.03)
    assert np.mean(of_ensemble) == pytest.approx(0.5, abs=0.03)


def test_a_single_trial_has_its_score():
    """Without a choice nothing flatters: the estimate is the score of all rows."""
    rng = np.random.default_rng(1)
    y = (rng.uniform(size=800) < 0.3).astype(int)
    scoring = scoring_of(y, auc_of)
    score = 1 / (1 + np.exp(-(rng.normal(size=800) + 1.2 * y)))
    trials = trials_of(scoring, score[:, None])
    found = honest_scores(trials, scoring, units_of(y), seed=0)[0]
    assert found.score == pytest.approx(roc_auc_score(y, score), abs=0.005)
    assert found.low < found.score < found.high


@pytest.mark.slow
def test_the_interval_holds_the_score_of_new_rows():
    """Accuracy of labels that are right in four of five rows, and of as many new rows as the interval is for."""
    rng, held, widths = np.random.default_rng(2), 0, []
    for seed in range(40):
        y = np.repeat([0, 1], 150)
        right = rng.uniform(size=len(y)) < 0.8
        scoring = scoring_of(y, accuracy, "labels")
        trials = trials_of(scoring, np.where(right, y, 1 - y)[:, None].astype(float))
        found = honest_scores(trials, scoring, units_of(y), seed=seed, n_new=100)[0]
        new = np.mean(rng.uniform(size=100) < 0.8)
        held += found.low - 1e-9 <= new <= found.high + 1e-9
        widths.append(found.high - found.low)
    # The deviation of the difference of two means of 300 and of 100 rows.
    expected = 2 * 1.96 * np.sqrt(0.8 * 0.2 * (1 / 300 + 1 / 100))
    assert np.mean(widths) == pytest.approx(expected, rel=0.12)
    assert 0.88 <= held / 40 <= 1


def test_a_wider_interval_for_fewer_new_rows():
    rng = np.random.default_rng(3)
    y = (rng.uniform(size=500) < 0.3).astype(int)
    scoring = scoring_of(y, f1, "labels")
    trials = trials_of(scoring, np.clip(rng.normal(0.4 + 0.25 * y, 0.2)[:, None], 0, 1))
    few, many = (honest_scores(trials, scoring, units_of(y), seed=0, n_new=n)[ENSEMBLE] for n in (50, 5_000))
    assert few.high - few.low > 1.5 * (many.high - many.low)
    assert few.score == pytest.approx(many.score, abs=0.01)  # F1 of fifty rows is a little biased


def test_large_groups():
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=60_000) < 0.3).astype(int)
    score = 1 / (1 + np.exp(-(rng.normal(size=len(y)) + 1.2 * y)))
    scoring = scoring_of(y, auc_of)
    units = Units(np.arange(len(y)), y, np.arange(len(y)) // 10_000)
    found = honest_scores(trials_of(scoring, score[:, None]), scoring, units, seed=0, n_members=1)
    assert found[ENSEMBLE].score == pytest.approx(roc_auc_score(y, score), abs=0.01)


def test_what_is_calibrated_is_judged_so():
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=2_000) < 0.3).astype(int)
    odds = rng.normal(size=2_000) + 3 * y - 2
    scores = 1 / (1 + np.exp(-12 * odds))  # far too sure: the log-odds are 3 * odds + .65
    scoring = scoring_of(y, lambda y, proba, weight=None: -log_loss(y, proba[:, 1], labels=[0, 1]))
    trials, units = trials_of(scoring, np.column_stack([scores, scores])), units_of(y)
    calm = Calibration("sigmoid", (0.25, 0.65))
    plain, calibrated = (
        honest_scores(trials, scoring, units, seed=0, calibration=how)[ENSEMBLE].score for how in (None, calm)
    )
    assert calibrated > plain + 0.1


def test_no_time_gives_no_score():
    y = np.repeat([0, 1], 50)
    scoring = scoring_of(y, ap_of)
    trials = trials_of(scoring, np.random.default_rng(0).uniform(size=(100, 2)))
    assert honest_scores(trials, scoring, units_of(y), seed=0, left=lambda: 0.0) == {}
    assert honest_scores([], scoring, units_of(y), seed=0) == {}


@pytest.mark.slow
def test_a_fit_tells_what_its_choice_is_worth():
    X, y = make_classification(400, 8, weights=[0.8], flip_y=0.1, random_state=0)
    settings = {"time_limit": None, "cv": 3, "candidates": ["logistic", "knn", "naive_bayes"], "verbose": 0}
    one, two = (AutoClassifier(n_iter=6, n_jobs=n, random_state=0, **settings).fit(X, y) for n in (1, 2))
    assert one.honest_score_ == two.honest_score_
    assert one.honest_interval_ == two.honest_interval_
    low, high = one.honest_interval_
    assert 0 < low < one.honest_score_ < high < 1
    board = one.leaderboard_
    predicts, best = (board[board["chosen"] == chosen].iloc[0] for chosen in ("predicts", "best"))
    assert predicts[["honest", "low", "high"]].tolist() == [one.honest_score_, low, high]
    assert best["honest"] <= best["score"]
    assert board["honest"].notna().all()
