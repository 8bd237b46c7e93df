"""Multiplications and additions of each layer of a network, forward and backward."""

from typing import TYPE_CHECKING

from skauto._deps import require

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn


def count_flops(network: "Module", inputs: tuple) -> dict[str, tuple[int, int | None]]:
    """Count one pass of these inputs.

    PyTorch's counter does the products that it knows. On a CPU it counts a GRU or RNN as is done here, and has 0 for an
    LSTM, whose kernel it does not know; all three are counted from their weights, whatever kernel runs. Layers with a
    method ``flops(x)`` are asked. A multiplication and an addition are two.

    Parameters
    ----------
    network : torch.nn.Module
    inputs : tuple of tensors

    Returns
    -------
    flops : dict of str to (int, int or None)
        Forward and backward counts by name of the layer that computes. Backward is twice forward (gradients of inputs
        and of weights), once in the first layer, whose input needs none; None for layers that cannot be trained. What
        is computed with the weights of modules that are not called, those of a ModuleList say, counts for the caller.
    """
    from torch.utils.flop_counter import FlopCounterMode

    told, hooks, order = {}, [], []
    for name, module in network.named_modules():
        # in the order of their ends: what a module does beside its parts mostly comes after the first of them
        hooks.append(module.register_forward_hook(lambda m, args, out, name=name: order.append(name)))
        if isinstance(module, nn.RNNBase) or hasattr(module, "flops"):
            hooks.append(module.register_forward_hook(lambda m, args, out, name=name: _ask(told, name, m, args[0])))
    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), counter:
            network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    counts = _own_counts(counter, network) | told
    first = next((name for name in order if counts.get(name)), None)
    modules = dict(network.named_modules())
    return {name: (count, _backward(modules[name], count, name == first)) for name, count in counts.items() if count}


def _ask(told, name, module, x):
    told[name] = told.get(name, 0) + (_recurrent(module, x) if isinstance(module, nn.RNNBase) else module.flops(x))


def _recurrent(layer, x):
    """Matrix products of RNN, GRU or LSTM: each weight is multiplied once in every step of every row."""
    steps = x.shape[0] * x.shape[1] if x.dim() > 2 else x.shape[0]
    return 2 * steps * sum(weight.numel() for weight in layer.parameters() if weight.dim() == 2)


def _own_counts(counter, network):
    """The counter's totals of each module less those of the nearest modules inside it that were called."""
    totals = {}
    root = type(network).__name__
    for name, counts in counter.get_flop_counts().items():
        if name == "Global":
            continue
        short = "" if name == root else name.removeprefix(root + ".")
        totals[short] = totals.get(short, 0) + sum(counts.values())
    own = dict(totals)
    for name in filter(None, totals):
        around = name.rpartition(".")[0]
        while around not in totals:  # a ModuleList, or a block whose parts are called without it
            around = around.rpartition(".")[0]
        own[around] -= totals[name]
    return own


def _backward(module, count, is_first):
    held = [*module.parameters(recurse=False)] or [*module.parameters(), *module.buffers()]
    if held and not any(tensor.requires_grad for tensor in held):  # int8 layers hold buffers only
        return None
    return count if is_first else 2 * count
