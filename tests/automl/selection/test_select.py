"""Which trials become the model: when a rebalanced one may win, and how members are chosen and mixed."""

from dataclasses import replace

import numpy as np
import pytest

from skauto.automl.selection._select import (
    ENOUGH_TRIALS,
    choose_best,
    choose_members,
    comparable,
    fullest,
    mixed,
    scored_trials,
)
from skauto.resample._label_scores import CONFUSION_METRICS
from skauto.search._history import History
from skauto.search._trial import Result, Status, Trial
from tests.support.trials import scored, small_plan


def test_the_best_natural_trial_wins():
    assert choose_best([scored(3, 0.9, [0.9]), scored(1, 0.8, [0.8], unresampled=False)], 0.25).number == 3


# Differences of the folds are 1, 2, 3 and 4 hundredths: mean 2.5, variance 5/3 (in hundredths); with 4 folds of a
# quarter each, test over train rows are 1/3, and the corrected error is sqrt((1/4 + 1/3) * 5/3) = 0.986 hundredths.
@pytest.mark.parametrize(("gain", "winner"), [(0.0098, 1), (0.0099, 2)])
def test_a_rebalanced_trial_must_win_by_a_corrected_error(gain, winner):
    unresampled = scored(1, 0.5, [0.50, 0.50, 0.50, 0.50])
    rebalanced = scored(2, 0.5 + gain, [0.51, 0.52, 0.53, 0.54], unresampled=False)
    assert choose_best([rebalanced, unresampled], 1 / 3).number == winner


def test_folds_without_a_score_do_not_count():
    unresampled = scored(1, 0.5, [0.5, np.nan, 0.5])
    assert choose_best([scored(2, 0.6, [0.6, 0.6, np.nan], unresampled=False), unresampled], 0.3).number == 1
    assert choose_best([scored(2, 0.6, [0.6, 0.6, 0.6], unresampled=False), unresampled], 0.3).number == 2


def test_a_rebalanced_trial_alone_wins():
    assert choose_best([scored(2, 0.6, [0.6], unresampled=False)], 0.3).number == 2


@pytest.fixture
def plan():
    return small_plan()


def test_members_are_mixed_by_their_weights(plan):
    rng = np.random.default_rng(0)
    y = plan.scoring.y
    trials = []
    for number in range(3):
        p = np.clip(0.5 + 0.3 * (y - 0.5) + rng.normal(0, 0.2, len(y)), 0.01, 0.99)
        trials.append(scored(number, 0.5, [0.5], proba=np.column_stack([1 - p, p])))
    members = choose_members(trials, plan.scoring)
    assert sum(weight for _, weight in members) == pytest.approx(1)
    assert (
        plan.scoring.low_fidelity_score(mixed(members))
        >= max(plan.scoring.low_fidelity_score(trial.proba) for trial in trials) - 1e-9
    )
    weights = [weight for _, weight in members]
    assert weights == sorted(weights, reverse=True)


def test_under_accuracy_members_are_chosen_by_their_likelihood(plan):
    """One ranks the rows perfectly around the wrong middle, the other labels more of them right."""
    scoring = replace(plan.scoring, name="accuracy", metric=CONFUSION_METRICS["accuracy"])
    y = scoring.y
    shifted, noisy = np.where(y == 1, 0.4, 0.2), np.where(np.arange(len(y)) % 10 == 0, 0.5, np.where(y == 1, 0.8, 0.2))
    trials = [scored(n, 0.5, [0.5], proba=np.column_stack([1 - p, p])) for n, p in enumerate((shifted, noisy))]
    assert choose_members(trials, scoring)[0][0].number == 1
    assert choose_members(trials, plan.scoring)[0][0].number == 0  # F1 needs a threshold


def test_members_that_rank_alike_are_told_apart_by_their_likelihood(plan):
    y = plan.scoring.y
    unsure, sure = np.where(y == 1, 0.51, 0.49), np.where(y == 1, 0.9, 0.1)
    trials = [scored(n, 0.5, [0.5], proba=np.column_stack([1 - p, p])) for n, p in enumerate((unsure, sure))]
    weights = {trial.number: weight for trial, weight in choose_members(trials, plan.scoring)}
    assert weights[1] == pytest.approx(0.4)  # the score takes the first of two that it likes alike


def test_the_best_of_each_of_six_kinds_has_a_part(plan):
    y = plan.scoring.y
    trials = [scored(n, 0.5, [0.5], proba=np.column_stack([1 - y, y]) * 0.9 + 0.05) for n in range(9)]
    trials = [replace(trial, values={"candidate": "abcdefgha"[trial.number]}) for trial in trials]
    assert {trial.number for trial, _ in choose_members(trials, plan.scoring)} == {0, 1, 2, 3, 4, 5}
    assert len(choose_members(trials, plan.scoring, even=False)) < 6


def told(plan, number, size, quality):
    """A trial with probabilities of the first rows: right by so much."""
    y = plan.scoring.y[:size]
    p = 0.5 + quality * (y - 0.5)
    return replace(scored(number, quality, [quality] * 9), proba=np.column_stack([1 - p, p]))


def test_trials_of_all_folds_are_compared_as_they_are(plan):
    size = len(plan.scoring.y)
    trials = [told(plan, 1, size, 0.6), told(plan, 0, size, 0.5)]
    found, scoring = comparable(trials, plan.scoring)
    assert found == trials and scoring is plan.scoring


def noisy(plan, number, size):
    """A trial that guesses."""
    p = np.random.default_rng(number).random(size)
    return replace(scored(number, 0.4, [0.4] * 9), proba=np.column_stack([1 - p, p]))


def test_a_trial_of_one_fold_counts_where_it_is_the_best_on_these_rows(plan):
    """Five forests in one fold each, and naive Bayes in all: a busy machine ends like that."""
    size = len(plan.scoring.y)
    fold = int(np.sum(plan.scoring.fold == plan.scoring.fold[0]))
    found, scoring = comparable([told(plan, 3, fold, 0.9), noisy(plan, 1, size)], plan.scoring)
    assert [trial.number for trial in found] == [3, 1]
    assert {len(trial.proba) for trial in found} == {len(scoring.y)} == {fold}
    assert found[0].score > found[1].score
    assert len({len(trial.fold_scores) for trial in found}) == 1
    assert mixed([(trial, 1.0) for trial in found]).shape == (fold, 2)


def test_a_trial_of_one_fold_is_left_out_where_another_is_as_good_on_more(plan):
    size = len(plan.scoring.y)
    fold = int(np.sum(plan.scoring.fold == plan.scoring.fold[0]))
    full = told(plan, 0, size, 0.9)
    found, scoring = comparable([noisy(plan, 3, fold), full], plan.scoring)
    assert [trial.number for trial in found] == [0]
    assert scoring is plan.scoring


def test_trials_of_fewer_folds_are_left_out_where_enough_saw_all(plan):
    """On a busy machine the best of some trials of one fold was the best there by luck, and all were judged on it."""
    size = len(plan.scoring.y)
    fold = int(np.sum(plan.scoring.fold == plan.scoring.fold[0]))
    full = [told(plan, number, size, 0.6) for number in range(ENOUGH_TRIALS)]
    found, scoring = comparable([told(plan, 9, fold, 0.9), *full], plan.scoring)
    assert [trial.number for trial in found] == [trial.number for trial in full] and scoring is plan.scoring
    few = [noisy(plan, number, size) for number in range(ENOUGH_TRIALS - 1)]
    found, _ = comparable([told(plan, 9, fold, 0.9), *few], plan.scoring)
    assert 9 in {trial.number for trial in found}


@pytest.mark.parametrize("fidelities", [(1 / 9, 1 / 3), (1 / 3, 1.0)])
def test_without_a_full_trial_those_of_the_fullest_fidelity_count(plan, fidelities):
    history = History(plan.space, 0)
    for number, fidelity in enumerate(fidelities):
        trial = told(plan, number, len(plan.scoring.y), 0.5)
        details = {"proba": trial.proba, "fit_seconds": 1.0, "best_iteration": None, "fold_scores": [0.5] * 9}
        history.asked(Trial(number, plan.initial[0], fidelity))
        history.told(Result(number, Status.COMPLETE, 0.9 - fidelity / 10, details=details))
    trials, _ = comparable(scored_trials(history), plan.scoring)
    assert [trial.number for trial in trials] == [1]
    assert len(trials[0].fold_scores) == len(np.unique(plan.scoring.fold))


def counted(plan, monkeypatch):
    """The sizes of the reports that a scoring is asked for."""
    sizes, real = [], type(plan.scoring).report

    def report(self, proba, *left):
        sizes.append(len(proba))
        return real(self, proba, *left)

    monkeypatch.setattr(type(plan.scoring), "report", report)
    return sizes


def test_trials_of_as_many_folds_are_judged_once(plan, monkeypatch):
    sizes = counted(plan, monkeypatch)
    fold = int(np.sum(plan.scoring.fold == plan.scoring.fold[0]))
    found, scoring = comparable([told(plan, number, fold, 0.5) for number in range(4)], plan.scoring)
    assert sizes == [fold] * 4
    assert len(found) == 4 and len(scoring.y) == fold


def test_the_comparison_ends_when_no_time_is_left(plan, monkeypatch):
    sizes = counted(plan, monkeypatch)
    fold = int(np.sum(plan.scoring.fold == plan.scoring.fold[0]))
    trials = [told(plan, 0, len(plan.scoring.y), 0.5), *(told(plan, number, fold, 0.9) for number in range(1, 9))]
    with pytest.raises(TimeoutError, match="compare trials of fewer folds"):
        comparable(trials, plan.scoring, lambda: 3 - len(sizes))
    assert len(sizes) == 3
    assert fullest(trials, plan.scoring) == (trials[:1], plan.scoring)
