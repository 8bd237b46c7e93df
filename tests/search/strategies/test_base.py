"""What strategies share."""

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.linear_model import LogisticRegression

from skauto import AutoClassifier
from skauto.search import SearchCV, maximize
from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._base import Strategy, bounded, comparable, first_new, sample_new
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._random import Random
from skauto.search.strategies._warm_start import WarmStart
from tests.support.autos import X


def history_of(*fidelities):
    history = History(Space({"x": uniform(0, 1)}), seed=0)
    for number, fidelity in enumerate(fidelities):
        history.asked(Trial(number, {"branch": 0, "values": {"x": number / 100}}, fidelity))
        history.told(Result(number, Status.COMPLETE, float(number)))
    return history


def test_comparable_takes_the_highest_fidelity_with_enough():
    history = history_of(0.1, 0.1, 0.1, 0.3, 0.3, 1.0)
    numbers = {least: [trial.number for trial, _ in comparable(history, least)] for least in (1, 2, 3, 9)}
    assert numbers == {1: [5], 2: [3, 4], 3: [0, 1, 2], 9: [0, 1, 2]}
    assert comparable(history_of(), 1) == []


def test_comparable_leaves_out_failures():
    history = history_of(1.0)
    history.asked(Trial(1, {"branch": 0, "values": {"x": 0.5}}))
    history.told(Result(1, Status.FAILED))
    assert len(comparable(history, 1)) == 1


def test_randomness_comes_from_seed_and_trials_asked():
    one, other = history_of(1.0), history_of(1.0, 1.0)
    assert Strategy.rng(one).random() == Strategy.rng(one.view(0)).random() != Strategy.rng(other).random()


def test_nearly_exhausted_spaces_give_their_last_configuration():
    history = History(Space({"x": list(range(2000))}), seed=0)
    for number in range(1999):
        history.asked(Trial(number, {"branch": 0, "values": {"x": number}}))
    last = {"branch": 0, "values": {"x": 1999}}
    assert sample_new(history, Strategy.rng(history)) == first_new(history) == last
    history.asked(Trial(1999, last))
    assert sample_new(history, Strategy.rng(history)) is first_new(history) is None


def test_positions_stop_at_the_ends_or_are_turned_back():
    units = np.array([-0.25, 0.0, 0.5, 1.0, 1.25])
    assert bounded(units, "clip").tolist() == [0, 0, 0.5, 1, 1]
    assert bounded(units, "reflect").tolist() == [0.25, 0, 0.5, 1, 0.75]
    assert bounded(1.25, "reflect") == 0.75


def test_repr_shows_the_settings():
    assert repr(Halving(Random(), n_initial=5)).startswith("Halving(base=Random(), factor=3,")


def test_a_strategy_without_propose():
    with pytest.raises(NotImplementedError, match="Strategy must define propose"):
        Strategy().ask(history_of(), 1)


class Gives(Strategy):
    """Proposes what a function makes of (strategy, history)."""

    def __init__(self, make):
        self.make = make

    def propose(self, history):
        return self.make(self, history)


class Asked:
    """No Strategy, only an object with `ask`."""

    def __init__(self, given):
        self.given = given

    def ask(self, history, n):
        return self.given


def trial_of(params, **more):
    return Gives(lambda strategy, history: strategy.next_trial(history, params, **more))


C = {"branch": 0, "values": {"C": 1}}
WRONG = [
    (Gives(lambda strategy, history: {"C": 1}), TypeError, "strategy Gives gave {'C': 1} as a trial: ask must return"),
    (Gives(lambda strategy, history: [Trial(0, C)]), TypeError, r"strategy Gives gave \[Trial\(.* one Trial or None"),
    (Gives(lambda strategy, history: Trial(7, C)), ValueError, "strategy Gives gave trial 7, where 0 is next: ask"),
    (trial_of({"C": 1}), ValueError, "strategy Gives gave a trial with params {'C': 1}, .*space.sample.*space.encode"),
    (trial_of({"branch": 5, "values": {"C": 1}}), ValueError, "strategy Gives gave a trial with params"),
    (trial_of({"branch": 0, "values": {"D": 1}}), ValueError, "strategy Gives gave a trial with params"),
    (trial_of({"branch": 0, "values": {"C": 17}}), ValueError, "strategy Gives gave a trial with params"),
    (trial_of({"branch": 0, "values": {"C": "x"}}), ValueError, "strategy Gives gave a trial with params"),
    (trial_of(7), ValueError, "strategy Gives gave a trial with params 7"),
    (trial_of(C, fidelity=3.0), ValueError, r"strategy Gives gave a trial of fidelity 3.0, which must be in \(0, 1\]"),
    (
        Gives(lambda strategy, history: None),
        ValueError,
        "strategy Gives.* gave no trial .* ask must return a list",
    ),
    (Asked([]), ValueError, "strategy .*Asked.* gave no trial when nothing was tried yet: ask must return a list"),
    (Asked(None), TypeError, "ask of strategy Asked gave None: ask must return a list of up to n Trial"),
    (Asked(3), TypeError, "ask of strategy Asked gave 3: ask must return"),
    (Asked([{"C": 1}]), TypeError, "strategy Asked gave {'C': 1} as a trial: ask must return"),
    (Asked([Trial(0, C), Trial(1, C)]), ValueError, "ask of strategy Asked gave 2 trials where n=1: ask must return"),
]


@pytest.mark.parametrize(("strategy", "kind", "said"), WRONG)
def test_a_strategy_that_gives_something_else_is_told_what_it_must_give(strategy, kind, said):
    space = {"C": [0.1, 1.0]}
    with pytest.raises(kind, match=said):
        SearchCV(LogisticRegression(), space, strategy=strategy, n_iter=4, cv=2).fit(X, np.arange(len(X)) % 2)
    with pytest.raises(kind, match=said):
        maximize(lambda params: params["C"], space, strategy=strategy, n_iter=4)


@pytest.mark.parametrize("around", [lambda base: Halving(base, n_initial=4), lambda base: WarmStart([C], base)])
@pytest.mark.parametrize("strategy", [WRONG[0][0], Asked([{"C": 1}])])
def test_a_wrong_strategy_within_another_is_named(around, strategy):
    said = f"strategy {type(strategy).__name__} gave .* as a trial: ask must return"
    with pytest.raises(TypeError, match=said):
        maximize(lambda params, fidelity: 0.0, {"C": [0.1, 1.0]}, strategy=around(strategy), fidelity=0.1, n_iter=4)


def test_a_wrong_strategy_of_autoclassifier_is_named():
    auto = AutoClassifier(candidates="logistic", strategy=WRONG[0][0], time_limit=None, n_iter=9, cv=2, verbose=0)
    with pytest.raises(TypeError, match="strategy Gives gave {'C': 1} as a trial: ask must return"):
        auto.fit(X, np.arange(len(X)) % 3 == 0)


def test_a_strategy_with_ask_alone_serves_within_another():
    class Only:
        def ask(self, history, n):
            return [Strategy.next_trial(history, C, fidelity=0.5)]

    history = maximize(
        lambda params, fidelity: fidelity, {"C": [0.1, 1.0]}, strategy=WarmStart([C], Only()), fidelity=0.1, n_iter=3
    )
    assert [trial.fidelity for trial in history.trials] == [1.0, 0.5, 0.5]


def test_a_schedule_of_ones_own_needs_public_names_alone():
    class HalfThenFull(Strategy):
        def propose(self, history):
            level = 1.0 if len(history) >= 4 else 0.5
            return self.next_trial(history, history.space.sample(self.rng(history)), fidelity=level)

    space = {"C": uniform(0.1, 10)}
    search = SearchCV(
        LogisticRegression(), space, strategy=HalfThenFull(), fidelity="rows", n_iter=6, cv=2, random_state=0
    )
    search.fit(X, np.arange(len(X)) % 2)
    assert list(search.cv_results_["fidelity"]) == [0.5] * 4 + [1.0] * 2
