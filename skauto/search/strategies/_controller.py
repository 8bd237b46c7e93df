"""The recurrent network of Reinforce, in numpy: it writes tokens and learns which were good."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from skauto.search._space import Space
from skauto.search._types import Params

BETAS, TINY = (0.9, 0.99), 1e-8  # of Adam

# The number of a head, and the cell that it has written.
Token: TypeAlias = tuple[int, int]


class Tokens:
    """Configurations as lists of tokens: (head, cell), the branch first, then the dimensions of the branch.

    Attributes
    ----------
    sizes : list of int
        Cells of each head: that of the branch, then one for each dimension of each branch.
    """

    def __init__(self, space: Space, cells: int) -> None:
        self.space = space
        self.sizes = [len(space.branches)]
        self.heads: list[list[int]] = []
        for branch in space.branches:
            wide = [dim.ordered and dim.size > cells for dim in branch.values()]
            self.heads.append(list(range(len(self.sizes), len(self.sizes) + len(branch))))
            self.sizes += [cells if w else int(d.size) for w, d in zip(wide, branch.values(), strict=True)]

    def of(self, params: Params) -> list[Token]:
        """The tokens of a configuration."""
        units = self.space.to_unit_branch(params)
        heads = self.heads[params["branch"]]
        cells = [min(int(u * self.sizes[h]), self.sizes[h] - 1) for u, h in zip(units, heads, strict=True)]
        return [(0, params["branch"]), *zip(heads, cells, strict=True)]

    def params(self, written: Sequence[Token], rng: np.random.Generator) -> Params:
        """The configuration that tokens stand for, each value anywhere in its cell."""
        units = [(cell + rng.random()) / self.sizes[head] for head, cell in written[1:]]
        return self.space.from_unit_branch(units, written[0][1])


class Controller:
    """An Elman network: the last token's vector and the state give the next state, a head the next token.

    Parameters
    ----------
    sizes : list of int
        Cells of each head.
    hidden_size : int
    rng : numpy.random.Generator
        Draws the first weights.
    """

    moments: dict[str, tuple[np.ndarray, ...]]

    def __init__(self, sizes: list[int], hidden_size: int, rng: np.random.Generator) -> None:
        n_cells = sum(sizes)
        self.starts = np.cumsum([0, *sizes])
        shapes = {
            "vectors": (n_cells, hidden_size), "state": (hidden_size, hidden_size), "bias": (hidden_size,),
            "heads": (n_cells, hidden_size), "levels": (n_cells,),
        }  # fmt: skip
        scales = {"vectors": 0.1, "state": 0.5 / hidden_size**0.5, "bias": 0.0, "heads": 0.1, "levels": 0.0}
        self.weights = {name: scales[name] * rng.normal(size=shape) for name, shape in shapes.items()}
        self.moments = {name: (np.zeros(shape), np.zeros(shape)) for name, shape in shapes.items()}
        self.n_steps = 0

    def write(self, tokens: Tokens, rng: np.random.Generator, heat: float = 1.0) -> list[Token]:
        """The tokens of one configuration; the more heat, the further from the most probable ones."""
        written: list[Token] = []
        state = np.zeros(len(self.weights["bias"]))
        heads = [0]
        while heads:
            head = heads.pop(0)
            state = self._advance(state, written)
            proba = self._probabilities(state, head, heat)
            cell = int(np.searchsorted(np.cumsum(proba), rng.random()).clip(0, len(proba) - 1))
            written.append((head, cell))
            heads = list(tokens.heads[cell]) if head == 0 else heads
        return written

    def _advance(self, state: np.ndarray, written: Sequence[Token]) -> np.ndarray:
        """The state before the next token."""
        w = self.weights
        last = w["vectors"][self.starts[written[-1][0]] + written[-1][1]] if written else 0.0
        return np.tanh(w["state"] @ state + last + w["bias"])

    def _probabilities(self, state: np.ndarray, head: int, heat: float = 1.0) -> np.ndarray:
        """Probabilities of the cells of a head."""
        rows = slice(self.starts[head], self.starts[head + 1])
        logits = self.weights["heads"][rows] @ state + self.weights["levels"][rows]
        proba = np.exp((logits - logits.max()) / heat)
        return proba / proba.sum()

    def trained(self, written: list[list[Token]], rewards: np.ndarray, lr: float, entropy: float) -> "Controller":
        """A new controller, one step further along the gradient of reward times log-probability, plus entropy."""
        new = object.__new__(Controller)
        new.starts, new.n_steps = self.starts, self.n_steps
        new.weights = {name: value.copy() for name, value in self.weights.items()}
        new.moments = {name: tuple(m.copy() for m in pair) for name, pair in self.moments.items()}
        total = {name: np.zeros_like(value) for name, value in new.weights.items()}
        for tokens, reward in zip(written, rewards, strict=True):
            new._add_gradient(total, tokens, reward / len(written), entropy / len(written))
        new._ascend(total, lr)
        return new

    def _add_gradient(
        self, total: dict[str, np.ndarray], tokens: Sequence[Token], reward: float, entropy: float
    ) -> None:
        """Back through one configuration; `total` is changed."""
        states, slopes = [np.zeros(len(self.weights["bias"]))], []
        for i, (head, cell) in enumerate(tokens):
            states.append(self._advance(states[-1], tokens[:i]))
            proba = self._probabilities(states[-1], head)
            logs = np.log(proba + 1e-12)
            slope = -reward * proba - entropy * proba * (logs - (proba * logs).sum())
            slope[cell] += reward
            slopes.append(slope)
        back = np.zeros_like(states[0])
        for i in reversed(range(len(tokens))):
            rows = slice(self.starts[tokens[i][0]], self.starts[tokens[i][0] + 1])
            total["heads"][rows] += np.outer(slopes[i], states[i + 1])
            total["levels"][rows] += slopes[i]
            back = (back + self.weights["heads"][rows].T @ slopes[i]) * (1 - states[i + 1] ** 2)
            total["state"] += np.outer(back, states[i])
            total["bias"] += back
            if i:
                total["vectors"][self.starts[tokens[i - 1][0]] + tokens[i - 1][1]] += back
            back = self.weights["state"].T @ back

    def _ascend(self, gradient: dict[str, np.ndarray], lr: float) -> None:
        """One step of Adam, upwards."""
        self.n_steps += 1
        for name, value in self.weights.items():
            first, second = self.moments[name]
            first += (1 - BETAS[0]) * (gradient[name] - first)
            second += (1 - BETAS[1]) * (gradient[name] ** 2 - second)
            step = first / (1 - BETAS[0] ** self.n_steps)
            value += lr * step / (np.sqrt(second / (1 - BETAS[1] ** self.n_steps)) + TINY)
