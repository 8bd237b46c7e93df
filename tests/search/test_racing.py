"""The forgiving rule of fold racing."""

import numpy as np
import pytest

from skauto.search._history import History
from skauto.search._racing import Race, races
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial

SPACE = Space({"x": list(range(9))})


def history(*folds, pruned=()):
    """Trials with these fold scores, in the order asked."""
    made = History(SPACE, seed=0)
    for number, scores in enumerate(folds):
        made.asked(Trial(number, SPACE.nth(number)))
        details = {"fold_scores": list(scores), "pruned": number in pruned}
        made.told(Result(number, Status.COMPLETE, float(np.mean(scores)), details=details))
    return made


def test_stops_below_the_worst_fold_of_the_best_trial():
    made = history([0.9, 0.7, 0.8], [0.5, 0.5, 0.5])
    race = Race.against(made, Trial(2, SPACE.nth(2)), lag=None)
    assert race.worst == 0.7
    assert race.stops([0.6])
    assert not race.stops([0.71])
    assert not race.stops([0.6, 0.9])  # its mean is what counts
    assert not race.stops([np.nan])


def test_without_an_incumbent_nothing_stops():
    assert not Race().stops([-1e9])


def test_count_mode_sees_only_what_the_ask_saw():
    made = history([0.5, 0.5], [0.9, 0.9], [0.9, 0.9])
    assert Race.against(made, Trial(3, SPACE.nth(3)), lag=2).worst == 0.5
    assert Race.against(made, Trial(3, SPACE.nth(3)), lag=1).worst == 0.9
    assert Race.against(made, Trial(2, SPACE.nth(2)), lag=3) == Race()


def test_pruned_trials_and_other_fidelities_are_no_incumbents():
    made = history([0.5, 0.5], [0.9], pruned={1})
    assert Race.against(made, Trial(2, SPACE.nth(2)), lag=None).worst == 0.5
    assert Race.against(made, Trial(2, SPACE.nth(2), fidelity=0.5), lag=None) == Race()


def test_a_stopped_trial_is_shrunk_but_stays_below_the_best():
    made = history([0.9, 0.7], [0.2, 0.2])
    race = Race.against(made, Trial(2, SPACE.nth(2)), lag=None)
    assert race.prior == pytest.approx(0.5)
    assert race.shrunk([0.6]) == pytest.approx(0.55)
    assert race.shrunk([0.69, 0.69]) < 0.8


@pytest.mark.parametrize(
    ("racing", "strategy", "time_limit", "several", "expected"),
    [
        ("auto", "Grid", None, False, False),
        ("auto", "Random", None, False, False),
        ("auto", "Random", 60, False, True),
        ("auto", "Bayes", None, False, True),
        ("auto", "Bayes", None, True, False),
        (True, "Grid", None, False, True),
        (False, "Bayes", 60, False, False),
    ],
)
def test_when_auto_races(racing, strategy, time_limit, several, expected):
    assert races(racing, strategy, time_limit, several) is expected


def test_the_replay_keeps_the_best_and_saves_most_folds():
    """Sixty trials on folds of which some are harder for all of them; their luck is ten times smaller than that."""
    rng = np.random.default_rng(0)
    kept, run = 0, 0
    for _ in range(50):
        merit = rng.uniform(0.5, 0.9, 60)
        scores = merit[:, None] + rng.normal(0, 0.03, 10) + rng.normal(0, 0.003, (60, 10))
        best, worst, top = scores.mean(axis=1).argmax(), -np.inf, -np.inf
        survived = []
        for number, folds in enumerate(scores):
            race = Race(worst, 0.0)
            stop = next((k for k in range(1, 10) if race.stops(folds[:k])), 10)
            run += stop
            if stop == 10:
                survived.append(number)
                if folds.mean() > top:
                    top, worst = folds.mean(), folds.min()
        kept += best in survived
    assert kept >= 49
    assert run / (50 * 60 * 10) < 0.4
