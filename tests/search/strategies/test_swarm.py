"""Particle swarm."""

import pytest

from skauto.search._history import History
from skauto.search._maximize import maximize
from skauto.search._space import Space
from skauto.search.strategies._random import Random
from skauto.search.strategies._swarm import Swarm
from tests.contracts.strategy import BOWL, StrategyContract, bowl, mean_best


class TestSwarm(StrategyContract):
    def make(self):
        return Swarm(particles=6)


class TestReflectingSwarm(StrategyContract):
    def make(self):
        return Swarm(particles=6, bounds="reflect")


def test_climbs_better_than_random():
    assert mean_best(Swarm(), bowl, BOWL) > mean_best(Random(), bowl, BOWL) / 2


def test_particles_move_in_turn_and_keep_to_their_branch():
    space = [BOWL, {"x": BOWL["a"]}]
    history = maximize(bowl, space, strategy=Swarm(particles=4, random_probability=0.0), n_iter=20, random_state=0)
    particles = [trial.tags["swarm"]["particle"] for trial in history.trials]
    assert particles == [0, 1, 2, 3] * 5
    for particle in range(4):
        assert len({trial.params["branch"] for trial in history.trials[particle::4]}) == 1


def test_a_particle_at_the_end_of_the_range_is_turned():
    history = maximize(
        lambda params: params["x"], {"x": BOWL["a"]}, strategy=Swarm(random_probability=0.0), n_iter=80, random_state=0
    )
    places = [(trial.tags["swarm"]["at"][0], trial.tags["swarm"]["velocity"][0]) for trial in history.trials]
    ends = [velocity for at, velocity in places if at == 1.0]
    assert ends and all(velocity <= 0 for velocity in ends)
    assert all(0 <= at <= 1 for at, _ in places)


def test_wrong_bounds():
    with pytest.raises(ValueError, match="bounds of Swarm must be 'clip' or 'reflect', got None"):
        Swarm(bounds=None).ask(History(Space(BOWL), seed=0), 1)
