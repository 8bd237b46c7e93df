"""The recurrent network that writes configurations."""

import numpy as np
import pytest
from scipy.stats import uniform

from skauto.search._space import Space
from skauto.search.strategies._controller import Controller, Tokens

SPACE = Space([{"x": uniform(0, 1), "kind": ["a", "b", "c"]}, {"n": list(range(4))}, {}])


def made(seed=0):
    tokens = Tokens(SPACE, 4)
    return tokens, Controller(tokens.sizes, 3, np.random.default_rng(seed))


def test_tokens_and_back():
    tokens, rng = Tokens(SPACE, 4), np.random.default_rng(0)
    assert tokens.sizes == [3, 3, 4, 4]
    for _ in range(50):
        params = SPACE.sample(rng)
        written = tokens.of(params)
        again = tokens.params(written, rng)
        assert tokens.of(again) == written
        assert again["branch"] == params["branch"]
        assert again["values"].get("kind") == params["values"].get("kind")


def test_writes_configurations():
    tokens, controller = made()
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert SPACE.contains(tokens.params(controller.write(tokens, rng), rng))


def objective(controller, written, rewards, entropy):
    """Mean over configurations of reward times log-probability plus entropy, from the outputs alone."""
    total = 0.0
    for tokens, reward in zip(written, rewards, strict=True):
        state = np.zeros(3)
        for i, (head, cell) in enumerate(tokens):
            state = controller._advance(state, tokens[:i])
            proba = controller._probabilities(state, head)
            total += (reward * np.log(proba[cell]) - entropy * (proba * np.log(proba)).sum()) / len(written)
    return total


@pytest.mark.parametrize("name", ["vectors", "state", "bias", "heads", "levels"])
def test_gradient_is_that_of_the_objective(name):
    tokens, controller = made()
    rng = np.random.default_rng(1)
    written, rewards = [tokens.of(SPACE.sample(rng)) for _ in range(4)], [1.0, -0.5, 2.0, 0.3]
    gradient = {key: np.zeros_like(value) for key, value in controller.weights.items()}
    for one, reward in zip(written, rewards, strict=True):
        controller._add_gradient(gradient, one, reward / 4, 0.1 / 4)
    weights = controller.weights[name]
    for index in np.ndindex(weights.shape):
        heights = []
        for step in (1e-5, -2e-5):
            weights[index] += step
            heights.append(objective(controller, written, rewards, 0.1))
        weights[index] += 1e-5
        assert gradient[name][index] == pytest.approx((heights[0] - heights[1]) / 2e-5, abs=1e-6)


def test_training_makes_what_was_rewarded_likelier_and_leaves_the_old_weights():
    tokens, controller = made()
    written = [[(0, 1), (3, 2)], [(0, 0), (1, 0), (2, 0)]]
    before = {name: value.copy() for name, value in controller.weights.items()}
    after = controller
    for _ in range(20):
        after = after.trained(written, [1.0, -1.0], 0.1, 0.0)
    assert objective(after, written[:1], [1.0], 0.0) > objective(controller, written[:1], [1.0], 0.0) + 0.5
    assert all((controller.weights[name] == value).all() for name, value in before.items())
