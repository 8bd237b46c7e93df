"""The module behind MinGRUClassifier and MinLSTMClassifier: whole batches at once, or one step at a time."""

import math
from typing import TYPE_CHECKING, Any

from skauto._deps import require
from skauto.estimators.sequences.scan._operators import linear_scan

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")


class MinLayer(torch.nn.Module):
    """minGRU or minLSTM over (batch, time, inputs), in one or both directions."""

    fields = ("units", "lstm")

    def __init__(self, inputs: int, units: int, *, lstm: bool, bidirectional: bool, memory: int) -> None:
        super().__init__()
        self.units, self.lstm = units, lstm
        ways = 2 if bidirectional else 1
        self.ways = torch.nn.ModuleList(torch.nn.Linear(inputs, (3 if lstm else 2) * units) for _ in range(ways))
        for way in self.ways:
            self._spread_memories(way.bias.data, memory)

    def _spread_memories(self, bias, memory):
        """Gate biases: units forget over 1 to `memory` steps, evenly in its logarithm (Tallec, Ollivier 2018)."""
        forgets = -math.log(max(memory, 2.0)) * torch.rand(self.units)
        if self.lstm:
            bias[: self.units] = 1.0
        enters = slice(self.units, 2 * self.units) if self.lstm else slice(self.units)
        bias[enters] = forgets

    def forward(self, x: "Tensor", steps: "Tensor | None") -> "Tensor":
        """States (batch, time, units), twice as wide if bidirectional."""
        scans = [
            linear_scan(x, weight_of(way), way.bias, None, steps, lstm=self.lstm, reverse=i == 1)
            for i, way in enumerate(self.ways)
        ]
        return scans[0] if len(scans) == 1 else torch.cat(scans, -1)  # of a single one it would be a copy

    def step(self, x: "Tensor", state: "Tensor | None") -> "Tensor":
        """The next state (batch, units) from x (batch, inputs); one direction only."""
        way = self.ways[0]
        return linear_scan(x.unsqueeze(1), weight_of(way), way.bias, state, None, lstm=self.lstm)[:, 0]

    def check(self) -> None:
        """ValueError where the parts, read from a file, do not fit one another."""
        made = (3 if self.lstm is True else 2) * self.units
        if type(self.lstm) is not bool or any(way.out_features != made for way in self.ways):
            raise ValueError(f"gates of {[way.out_features for way in self.ways]} numbers for {self.units} units")


def weight_of(layer: "Module") -> "Tensor":
    """The weight of a layer as floats, in which one of 8 bits computes too."""
    return layer.floats() if hasattr(layer, "floats") else layer.weight


class Norm(torch.nn.Module):
    """Layer or batch normalisation over the last axis; padding does not count."""

    fields = ("batch",)

    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        self.norm = {"layer": torch.nn.LayerNorm, "batch": torch.nn.BatchNorm1d, "none": torch.nn.Identity}[kind](width)
        self.batch = kind == "batch"

    def check(self) -> None:
        """ValueError where the norm, read from a file, is not of its kind."""
        if self.batch is not isinstance(self.norm, torch.nn.BatchNorm1d):
            raise ValueError(f"a norm of class {type(self.norm).__name__} where batch={self.batch!r}")

    def forward(self, x: "Tensor", steps: "Tensor | None" = None) -> "Tensor":
        """Normalised x (..., width)."""
        if not self.batch:
            return self.norm(x)
        if steps is None:
            return self.norm(x.reshape(-1, x.shape[-1])).view(x.shape)
        real = steps != 0
        out = torch.zeros_like(x)
        out[real] = self.norm(x[real])
        return out


class Block(torch.nn.Module):
    """Residual block: normalise, recur, project back."""

    def __init__(
        self,
        width: int,
        *,
        expansion: float,
        normalization: str,
        dropout: float,
        bidirectional: bool,
        lstm: bool,
        memory: int,
    ) -> None:
        super().__init__()
        units = max(1, round(expansion * width))
        self.norm = Norm(normalization, width)
        self.layer = MinLayer(width, units, lstm=lstm, bidirectional=bidirectional, memory=memory)
        self.back = torch.nn.Linear(units * len(self.layer.ways), width)
        self.dropout = torch.nn.Dropout(dropout) if dropout else torch.nn.Identity()

    def forward(self, x: "Tensor", steps: "Tensor | None") -> "Tensor":
        """x (batch, time, width) after the block."""
        return x + self.dropout(self.back(self.layer(self.norm(x, steps), steps)))

    def step(self, x: "Tensor", state: "Tensor | None") -> "tuple[Tensor, Tensor]":
        """One step of x (batch, width), and the next state."""
        state = self.layer.step(self.norm(x), state)
        return x + self.back(state), state


class SequenceNet(torch.nn.Module):
    """Causal convolution over a few steps, residual recurrent blocks, pooling over time, linear head.

    It computes with the weights of layers that it does not call, so that no step may replace them.
    """

    fields = ("conv_size", "pooling", "dtype")
    takes_weights = True

    def __init__(
        self,
        inputs: int,
        n_classes: int,
        *,
        hidden_size: int,
        n_layers: int,
        conv_size: int,
        normalization: str,
        pooling: str,
        **block: Any,
    ) -> None:
        super().__init__()
        self.conv_size, self.pooling = conv_size, pooling
        self.front = torch.nn.Conv1d(inputs, hidden_size, conv_size)
        blocks = [Block(hidden_size, normalization=normalization, **block) for _ in range(n_layers)]
        self.blocks = torch.nn.ModuleList(blocks)
        self.norm = Norm(normalization, hidden_size)
        self.score = torch.nn.Linear(hidden_size, 1) if pooling == "attention" else None
        self.head = torch.nn.Linear(hidden_size, n_classes)

    @property
    def dtype(self) -> str:
        """The type of all numbers, by name."""
        return str(self.head.bias.dtype).removeprefix("torch.")

    @dtype.setter
    def dtype(self, name: str) -> None:
        if name not in ("float32", "float64"):
            raise ValueError(f"numbers of type {name!r}")
        self.to(getattr(torch, name))

    @property
    def bidirectional(self) -> bool:
        """Whether it reads series backwards too, which a stream cannot."""
        return any(len(block.layer.ways) > 1 for block in self.blocks)

    def forward(self, x: "Tensor", lengths: "Tensor") -> "Tensor":
        """Logits (batch, classes) of x (batch, time, inputs) whose series have these lengths."""
        steps = None
        if int(lengths.min()) < x.shape[1]:
            steps = (torch.arange(x.shape[1], device=x.device) < lengths.unsqueeze(1)).to(torch.int8)
        padded = torch.nn.functional.pad(x.transpose(1, 2), (self.conv_size - 1, 0))
        x = torch.nn.functional.silu(self.front(padded).transpose(1, 2))
        for block in self.blocks:
            x = block(x, steps)
        return self.head(self._pool(self.norm(x, steps), lengths, steps))

    def _pool(self, x, lengths, steps):
        if self.pooling == "last":
            return x[torch.arange(len(x), device=x.device), lengths - 1]
        if self.pooling == "mean":
            x = x if steps is None else x * steps.unsqueeze(2)
            return x.sum(1) / lengths.unsqueeze(1)
        score = self.score(x)
        if steps is not None:
            score = score.masked_fill(steps.unsqueeze(2) == 0, -torch.inf)
        return (score.softmax(1) * x).sum(1)

    def check(self) -> None:
        """ValueError where the parts, read from a file, do not fit one another."""
        wide = self.front.out_channels
        widths = {self.head.in_features, *(block.back.out_features for block in self.blocks)}
        widths |= {way.in_features for block in self.blocks for way in block.layer.ways}
        gaps = [b.back.in_features - b.layer.units * len(b.layer.ways) for b in self.blocks]
        pooled = self.pooling in ("mean", "last") or (self.pooling == "attention" and self.score is not None)
        if widths != {wide} or any(gaps) or not pooled or list(self.front.kernel_size) != [self.conv_size]:
            raise ValueError(f"parts of {widths} and {wide} numbers, {self.conv_size} steps and pooling {self.pooling}")

    def begin(self, n: int) -> "dict[str, Tensor]":
        """State of n fresh streams: a dict of tensors with one entry a stream; all classes are equal at first."""
        like = self.head.bias
        width = self.head.in_features
        state = {f"h{i}": like.new_zeros(n, block.layer.units) for i, block in enumerate(self.blocks)}
        state["recent"] = like.new_zeros(n, self.conv_size - 1, self.front.in_channels)
        exact = {"dtype": torch.float64}  # a long sum of float32 would round at each step
        state["total"], state["weight"] = like.new_zeros(n, width, **exact), like.new_zeros(n, 1, **exact)
        state["highest"] = like.new_full((n, 1), -torch.inf)
        state["logits"] = like.new_zeros(n, self.head.out_features)
        return state

    def step(self, x: "Tensor", state: "dict[str, Tensor]", seen: "Tensor") -> "tuple[Tensor, dict[str, Tensor]]":
        """Logits (batch, classes) after one more step x (batch, inputs), and the next state.

        Where nothing was `seen` (batch,) the state goes on but the logits stay: such a step is a gap if values follow,
        and until then it could be padding.
        """
        window = torch.cat([state["recent"], x.unsqueeze(1)], 1)
        after = {"recent": window[:, 1:]}
        x = torch.nn.functional.silu(self.front(window.transpose(1, 2))[:, :, 0])
        for i, block in enumerate(self.blocks):
            x, after[f"h{i}"] = block.step(x, state[f"h{i}"])
        x = self.norm(x)
        logits = self.head(self._pool_step(x, state, after))
        after["logits"] = torch.where(seen.unsqueeze(1), logits, state["logits"])
        return after["logits"], after

    def _pool_step(self, x, state, after):
        """Pooling as a running sum; attention rescales it whenever a higher score comes."""
        score = self.score(x) if self.pooling == "attention" else torch.zeros_like(x[:, :1])
        after["highest"] = torch.maximum(state["highest"], score)
        highest = after["highest"].double()
        fade, enter = torch.exp(state["highest"].double() - highest), torch.exp(score.double() - highest)
        after["weight"] = fade * state["weight"] + enter
        after["total"] = fade * state["total"] + enter * x
        return x if self.pooling == "last" else (after["total"] / after["weight"]).to(x.dtype)
