"""Batch normalisation folded into the convolution before it: exact in evaluation, and one layer less to run."""

from typing import TYPE_CHECKING, Any

from skauto._deps import require
from skauto.estimators.compression._graph import traced

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")
nn = torch.nn

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def layer_pairs(net: "Module", first: Any, second: Any) -> dict[str, str]:
    """Names of layers (a, b) of these classes where b takes a's output and nothing else does.

    Returns
    -------
    pairs : dict of str to str
    """
    calls = {}
    for node in traced(net).graph.nodes:
        if node.op == "call_module":
            calls.setdefault(node.target, []).append(node)
    pairs = {}
    for name, nodes in calls.items():
        users = list(nodes[0].users)
        if len(nodes) > 1 or len(users) != 1 or not isinstance(net.get_submodule(name), first):
            continue
        after = users[0].target if users[0].op == "call_module" else None
        if after and len(calls[after]) == 1 and isinstance(net.get_submodule(after), second):
            pairs[name] = after
    return pairs


def fold_norms(net: "Module", example: Any) -> "Module":
    """Fold every batch norm that directly follows a convolution or linear layer into it, in place.

    Parameters
    ----------
    net : torch.nn.Module
    example : tensor
        Rows, from which is seen where a linear layer gives more than two axes: a norm there goes by another axis.
    """
    if not any(isinstance(layer, NORMS) for layer in net.modules()):
        return net
    pairs = layer_pairs(net, (nn.Conv2d, nn.Linear), NORMS)
    ranks = _ranks_of_results(net, pairs, example)
    pairs = {a: b for a, b in pairs.items() if isinstance(net.get_submodule(a), nn.Conv2d) or ranks[a] == 2}
    with torch.no_grad():
        for name, after in pairs.items():
            layer, norm = net.get_submodule(name), net.get_submodule(after)
            if norm.running_var is None:  # it goes by each batch
                continue
            scale = (norm.running_var + norm.eps).rsqrt()
            scale = scale if norm.weight is None else norm.weight * scale
            bias = 0 if layer.bias is None else layer.bias
            layer.bias = nn.Parameter((bias - norm.running_mean) * scale + (0 if norm.bias is None else norm.bias))
            layer.weight = nn.Parameter(layer.weight * scale.view(-1, *[1] * (layer.weight.dim() - 1)))
            net.set_submodule(after, nn.Identity())
    return net


def _ranks_of_results(net, names, example):
    """Axes of what these layers give for the first row of an example."""
    ranks, hooks = {}, []
    for name in names:
        layer = net.get_submodule(name)
        hooks.append(layer.register_forward_hook(lambda m, args, out, name=name: ranks.update({name: out.dim()})))
    try:
        with torch.no_grad():
            net(example[:1])
    finally:
        for hook in hooks:
            hook.remove()
    return ranks
