"""The graph of a network, by tracing it once."""

from typing import TYPE_CHECKING

from skauto._deps import require
from skauto.estimators.compression.storage._tree import OWN_LEAVES

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")

# What the user's own code raises when its input is a stand-in; that of torch.fx is a ValueError.
RAISED = (ValueError, TypeError, RuntimeError, AttributeError, LookupError)


class UntraceableError(ValueError):
    """A network whose graph cannot be read, as its path depends on its input."""


def traced(net: "Module") -> "Module":
    """The network as a GraphModule; layers of torch and of ours stay whole.

    Raises
    ------
    UntraceableError
        If the forward pass branches or loops by what its input holds.
    """
    try:
        return torch.fx.GraphModule(net, _Tracer().trace(net))
    except RAISED as error:
        raise UntraceableError(
            f"the graph of {type(net).__name__} cannot be read, as its forward pass depends on its input "
            f"({type(error).__name__}: {error}). Write it without branches and loops over the input"
        ) from error


class _Tracer(torch.fx.Tracer):
    def is_leaf_module(self, module: "Module", name: str) -> bool:
        return type(module).__name__ in OWN_LEAVES or super().is_leaf_module(module, name)
