"""The history and what count mode shows of it."""

import pytest

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial

SPACE = Space({"x": list(range(100))})


def trial(number, fidelity=1.0):
    return Trial(number, {"branch": 0, "values": {"x": number}}, fidelity)


def history_with(n_asked, told):
    """So many trials, with the scores given by number."""
    history = History(SPACE, seed=0)
    for number in range(n_asked):
        history.asked(trial(number))
    for number, score in told.items():
        history.told(Result(number, Status.COMPLETE, score))
    return history


def numbers(pairs):
    return [result.number for _, result in pairs]


def test_results_come_in_any_order_and_are_read_in_the_order_asked():
    history = history_with(5, {3: 0.3, 0: 0.0, 1: 0.1})
    assert len(history) == 5
    assert numbers(history.finished) == [0, 1, 3]
    assert [t.number for t in history.pending] == [2, 4]
    assert history.n_told_in_order == 2
    history.told(Result(2, Status.COMPLETE, 0.2))
    assert history.n_told_in_order == 4
    assert list(history.results) == [3, 0, 1, 2]


def test_best_is_the_highest_complete_score_at_a_fidelity():
    history = history_with(3, {0: 0.5, 1: 0.5})
    history.told(Result(2, Status.FAILED))
    history.asked(trial(3, fidelity=0.3))
    history.told(Result(3, Status.COMPLETE, 0.9))
    assert history.best()[0].number == 0
    assert history.best(fidelity=0.3)[0].number == 3
    assert history.best(fidelity=0.1) is None


@pytest.mark.parametrize("visible", [0, 1, 2, 3, 5, 6])
def test_a_view_hides_later_results_but_no_trials(visible):
    history = history_with(6, {0: 0.0, 1: 0.1, 2: 0.2, 4: 0.4})
    view = history.view(visible)
    assert len(view) == 6
    assert view.trials == history.trials
    assert numbers(view.finished) == [n for n in (0, 1, 2, 4) if n < visible]
    assert [t.number for t in view.pending] == [n for n in range(6) if n >= visible or n in (3, 5)]
    assert view.result(2) == (history.result(2) if visible > 2 else None)


def test_plus_shows_more_trials_and_leaves_the_history_alone():
    history = history_with(2, {0: 0.0})
    more = history.view(0).plus([trial(2), trial(3)])
    assert (len(more), len(history)) == (4, 2)
    assert more.has_asked(trial(3).params)
    assert not history.has_asked(trial(3).params)
    assert (more.n_distinct, history.n_distinct) == (4, 2)
    assert [t.number for t in more.pending] == [0, 1, 2, 3]
    assert history.plus([]) is history


def test_configurations_are_counted_once():
    history = history_with(1, {})
    history.asked(Trial(1, trial(0).params, fidelity=0.5))
    assert history.n_distinct == 1


def test_misuse_is_refused():
    history = history_with(2, {0: 0.0})
    with pytest.raises(ValueError, match="trial number 5 is out of order: 2 comes next"):
        history.asked(trial(5))
    with pytest.raises(ValueError, match="trial 0 has a result already"):
        history.told(Result(0, Status.FAILED))
    with pytest.raises(ValueError, match="result for trial 2, which was never asked"):
        history.told(Result(2, Status.FAILED))


def told(history, number, score, fidelity=1.0):
    history.asked(trial(number, fidelity))
    history.told(Result(number, Status.COMPLETE, score))


def test_complete_pairs_by_fidelity():
    history = history_with(0, {})
    for number, fidelity in enumerate([0.5, 0.5, 1.0]):
        told(history, number, float(number), fidelity)
    history.asked(trial(3))
    history.told(Result(3, Status.FAILED))
    history.asked(trial(4))
    told(history, 5, 5.0, 0.1)  # ahead of trial 4
    assert {fidelity: numbers(pairs) for fidelity, pairs in history.complete().items()} == {
        0.5: [0, 1],
        1.0: [2],
        0.1: [5],
    }
    assert {fidelity: numbers(pairs) for fidelity, pairs in history.view(1).complete().items()} == {0.5: [0]}


def test_the_top_is_that_of_what_is_visible():
    history = history_with(0, {})
    for number, score in enumerate([3.0, 5.0, 4.0, 5.0]):
        told(history, number, score)
    history.asked(trial(4))
    told(history, 5, 4.5)
    assert numbers(history.top(4)) == [1, 3, 5, 2]
    assert numbers(history.view(3).top(2)) == [1, 2]
    assert numbers(history.top(9)) == [1, 3, 5, 2, 0]
    assert history.top(3, fidelity=0.5) == []
    assert history.best()[0].number == 1
    assert history.view(0).best() is None


def test_points_are_kept_by_trial():
    history = history_with(2, {})
    first = history.units(history.trials[0])
    assert first.tolist() == SPACE.to_unit_branch(history.trials[0].params)
    assert history.units(history.trials[0]) is first
    supposed = [trial(2), trial(3)]
    assert history.plus(supposed[:1]).units(supposed[0]).tolist() == SPACE.to_unit_branch(supposed[0].params)
    other = Trial(2, {"branch": 0, "values": {"x": 50}})
    assert history.units(other).tolist() == SPACE.to_unit_branch(other.params)


def test_what_is_remembered_is_made_once():
    history, made = history_with(0, {}), []
    assert [history.view(0).remember("key", lambda: made.append(1) or 7) for _ in range(3)] == [7, 7, 7]
    assert made == [1]
