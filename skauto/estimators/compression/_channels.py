"""Which channels of a network belong together: every tensor's channels get labels that travel along the graph."""

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from skauto._deps import require
from skauto.estimators.compression._batchnorm_folding import NORMS
from skauto.estimators.compression._graph import traced

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn

# layers that treat every channel alike and none by its neighbours
POINTWISE = (
    nn.ReLU,
    nn.ReLU6,
    nn.Identity,
    nn.Dropout,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Sigmoid,
    nn.Tanh,
    nn.GELU,
    nn.SiLU,
    nn.Hardswish,
)


def depthwise(layer: "Module") -> bool:
    """Whether a convolution filters each channel on its own."""
    return isinstance(layer, nn.Conv2d) and layer.groups > 1 and layer.groups == layer.in_channels == layer.out_channels


def _dims_borders(layer):
    """Whether a layer averages zeros of padding into the borders: a constant is none behind it."""
    return isinstance(layer, nn.AvgPool2d) and layer.count_include_pad and layer.padding not in (0, (0, 0))


class Channels(torch.fx.Interpreter):
    """Runs a network once and labels the channels of all its tensors.

    Labels that must be kept or removed together (the two sides of an addition) are joined; those that an unsupported
    operation reads (a split, a grouped convolution, the output) are locked. With `dead` given, the run also carries the
    constant that each dead channel has become, so that a later layer can take it into its bias.

    Attributes
    ----------
    inputs, outputs : dict of str to array
        Labels of the channels that enter and leave each convolution, linear and normalisation layer.
    """

    def __init__(self, net: "Module") -> None:
        super().__init__(traced(net))
        self.parent, self.locked = [], set()
        self.inputs, self.outputs, self.constants, self.labels = {}, {}, {}, {}

    def find(self, label: int) -> int:
        """The label that stands for all those joined with this one."""
        while self.parent[label] != label:
            self.parent[label] = label = self.parent[self.parent[label]]
        return label

    def run_node(self, node: Any) -> Any:
        result = super().run_node(node)
        if isinstance(result, torch.Tensor) and result.dim() > 1:
            labels = self._label(node, result)
            self.labels[node] = labels
        elif node.op != "output":
            self._lock(*node.all_input_nodes)
            self.labels[node] = None
        if node.op == "output":
            self._lock(*node.all_input_nodes)
        return result

    def _label(self, node, result):
        sources = [self.labels.get(n) for n in node.all_input_nodes]
        known = bool(sources) and all(s is not None for s in sources)
        if node.op == "call_module" and known:
            if node.target in self.inputs:  # used twice: what is taken from it here would be missing there
                self._lock_labels([*self.inputs[node.target], *self.outputs.get(node.target, ())])
                return self._opaque(node, result)
            return self._through(node.target, self.fetch_attr(node.target), sources[0], node, result)
        if known and node.op in ("call_function", "call_method"):
            if node.target in (operator.add, torch.add, operator.iadd, "add") and len(sources) == 2:
                return self._joined(*sources)
            if node.target is torch.cat and result.shape[1] == sum(map(len, sources)):
                return np.concatenate(sources)
        return self._opaque(node, result)

    def _through(self, name, layer, labels, node, result):
        """Labels of what a layer gives, from those of what it takes."""
        if isinstance(layer, nn.Conv2d) or (isinstance(layer, nn.Linear) and result.dim() == 2):
            self.inputs[name] = labels
            grouped = isinstance(layer, nn.Conv2d) and layer.groups > 1
            if grouped and not depthwise(layer):
                return self._opaque(node, result)
            self.outputs[name] = labels if grouped else self._fresh(result.shape[1])
            return self.outputs[name]
        if isinstance(layer, NORMS) and layer.weight is not None and layer.running_var is not None:
            self.inputs[name] = self.outputs[name] = labels
            return labels
        if isinstance(layer, nn.Flatten):
            return np.repeat(labels, result.shape[1] // len(labels))
        pointwise = isinstance(layer, POINTWISE) and not _dims_borders(layer)
        return labels if pointwise else self._opaque(node, result)

    def _joined(self, left, right):
        if len(left) != len(right):
            self._lock_labels(left)
            self._lock_labels(right)
            return left if len(left) > len(right) else right
        for a, b in zip(left, right, strict=True):
            self.parent[self.find(a)] = self.find(b)
        return left

    def _opaque(self, node, result):
        self._lock(*node.all_input_nodes)
        labels = self._fresh(result.shape[1])
        self._lock_labels(labels)
        return labels

    def _fresh(self, count):
        first = len(self.parent)
        self.parent += range(first, first + count)
        return np.arange(first, first + count)

    def _lock(self, *nodes):
        for node in nodes:
            if self.labels.get(node) is not None:
                self._lock_labels(self.labels[node])

    def _lock_labels(self, labels):
        self.locked.update(int(label) for label in labels)


def trace(net: "Module", example: Any) -> "Channels":
    """The labelled network: a `Channels` that has seen one batch."""
    channels = Channels(net)
    with torch.no_grad():
        channels.run(example)
    return channels


def groups(channels: "Channels") -> dict[tuple, list[int]]:
    """Sets of filters that can be removed, as lists by the layers that make them.

    Returns
    -------
    groups : dict of tuple to list of int
        For each tuple of layer names, the root labels of channels made in all of these layers and nowhere else.
    """
    locked = {channels.find(label) for label in channels.locked}
    makers = {}
    for name, labels in channels.outputs.items():
        for label in labels:
            makers.setdefault(channels.find(label), set()).add(name)
    result = {}
    for root, names in makers.items():
        if root not in locked:
            result.setdefault(tuple(sorted(names)), []).append(root)
    return result
