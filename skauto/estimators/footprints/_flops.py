"""Multiplications and additions of each layer of a network, forward and backward."""

from skauto._deps import require

torch = require("torch", extra="deep")
nn = torch.nn


def count_flops(network, inputs):
    """Count one pass of these inputs.

    PyTorch's counter does the products that it knows. Recurrent layers, which it counts as zero on a CPU, are counted
    from their sizes, and layers with a method ``flops(x)`` give their own. A multiplication and an addition are two.

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
    """Matrix products of RNN, GRU or LSTM over all steps, layers and directions."""
    steps = x.shape[0] * x.shape[1] if x.dim() > 2 else x.shape[0]
    gates = {"LSTM": 4, "GRU": 3}.get(layer.mode, 1)
    directions = 2 if layer.bidirectional else 1
    total = 0
    for number in range(layer.num_layers):
        width = layer.input_size if number == 0 else layer.hidden_size * directions
        total += 2 * steps * directions * gates * layer.hidden_size * (width + layer.hidden_size)
    return total


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
