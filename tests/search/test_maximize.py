"""Maximising a plain function."""

import pytest
from scipy.stats import uniform

from skauto.search._maximize import maximize
from skauto.search._space import Space
from skauto.search._trial import Status
from skauto.search.strategies._grid import Grid
from skauto.search.strategies._names import STRATEGIES

LINE = {"x": uniform(0, 1)}


def peak(params):
    return -abs(params["x"] - 0.3)


@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"grid"}))
def test_every_strategy_by_name(strategy):
    history = maximize(
        lambda params, fidelity: peak(params) - 0.1 * (1 - fidelity), LINE, strategy=strategy, n_iter=30,
        fidelity=1 / 3, random_state=0,
    )  # fmt: skip
    assert len(history.results) == 30
    assert history.best()[1].score > -0.2
    assert history.space.decode(history.best()[0].params)["x"] == pytest.approx(0.3, abs=0.2)


def test_the_same_seed_gives_the_same_search():
    one, same, other = (maximize(peak, LINE, n_iter=15, random_state=s) for s in (0, 0, 1))
    assert one.trials == same.trials != other.trials


def test_a_grid_ends_by_itself():
    history = maximize(lambda params: params["n"], {"n": [3, 1, 2]}, strategy=Grid(), random_state=0)
    assert [result.score for result in history.results.values()] == [3, 1, 2]


def test_a_space_may_be_given_ready_made():
    assert maximize(peak, Space(LINE), n_iter=2, random_state=0).space.n_dims == 1


def test_least_fidelity_is_where_schedules_begin():
    seen = []
    maximize(lambda params, fidelity: seen.append(fidelity) or peak(params), LINE, strategy="hyperband", n_iter=13,
             fidelity=1 / 9, random_state=0)  # fmt: skip
    assert seen == pytest.approx([1 / 9] * 9 + [1 / 3] * 3 + [1])


def test_a_journal_goes_on_where_it_was(tmp_path):
    """Ended in the middle and begun again with the same arguments: the same search, nothing tried twice."""
    calls = []

    def counted(params):
        calls.append(params["x"])
        if len(calls) == 8:
            raise KeyboardInterrupt
        return peak(params)

    settings = {"strategy": "genetic", "random_state": 3}
    maximize(counted, LINE, n_iter=20, journal=tmp_path / "j", **settings)
    history = maximize(counted, LINE, n_iter=20, journal=tmp_path / "j", **settings)
    whole = maximize(peak, LINE, n_iter=20, **settings)
    assert [trial.params for trial in history.trials] == [trial.params for trial in whole.trials]
    assert history.best()[1].score == whole.best()[1].score
    assert len(calls) == 21  # the one that was interrupted ran again
    more = maximize(counted, LINE, n_iter=25, journal=tmp_path / "j", **settings)
    assert (len(more.results), len(calls)) == (25, 26)


def test_a_journal_of_another_function_is_refused(tmp_path):
    maximize(peak, LINE, n_iter=2, journal=tmp_path, random_state=0)
    with pytest.raises(ValueError, match="belongs to another search: objective was"):
        maximize(lambda params: params["x"], LINE, n_iter=2, journal=tmp_path, random_state=0)
    with pytest.raises(ValueError, match="belongs to another search: space was"):
        maximize(peak, {"x": uniform(0, 2)}, n_iter=2, journal=tmp_path, random_state=0)


def test_exceptions_are_failed_trials():
    def sometimes(params):
        if params["x"] > 0.5:
            raise ArithmeticError("too large")
        return params["x"]

    history = maximize(sometimes, LINE, strategy="random", n_iter=20, random_state=0)
    failed = [result for result in history.results.values() if result.status == Status.FAILED]
    assert 0 < len(failed) < 20
    assert failed[0].reason == "ArithmeticError: too large"


def test_a_search_that_failed_all_through_is_an_error():
    with pytest.raises(
        RuntimeError, match="all 3 trials failed; the first one: the score is not a finite number: None"
    ):
        maximize(lambda params: None, LINE, n_iter=3)


def test_fidelity_of_a_function_without():
    with pytest.raises(
        RuntimeError, match=r"asks for fidelity 0.111111, but the function has none: give maximize\(fid"
    ):
        maximize(peak, LINE, strategy="hyperband", n_iter=3)


def test_ctrl_c_ends_it_with_what_there_is():
    def impatient(params):
        calls.append(1)
        if len(calls) > 4:
            raise KeyboardInterrupt
        return peak(params)

    calls = []
    history = maximize(impatient, LINE, random_state=0)
    statuses = [result.status for result in history.results.values()]
    assert statuses == [Status.COMPLETE] * 4 + [Status.CANCELLED]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"objective": 3}, TypeError, "objective must be a function of the parameters, got 3"),
        ({"n_iter": 0}, ValueError, "n_iter must be an integer of at least 1, got 0"),
        ({"n_iter": True}, ValueError, "n_iter must be"),
        ({"fidelity": 1}, ValueError, "fidelity must be a number between 0 and 1"),
        ({"strategy": "tpee"}, ValueError, "Did you mean 'tpe'"),
    ],
)
def test_bad_input(settings, error, message):
    with pytest.raises(error, match=message):
        maximize(**{"objective": peak, "space": LINE, **settings})
