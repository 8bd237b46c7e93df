"""Optimisers by name."""

from typing import TYPE_CHECKING, Any

from skauto._deps import require

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")

OPTIMIZERS = {
    "sgd": (torch.optim.SGD, lambda momentum: {"fused": True}),
    "momentum": (torch.optim.SGD, lambda momentum: {"momentum": momentum, "fused": True}),
    "nesterov": (torch.optim.SGD, lambda momentum: {"momentum": momentum, "nesterov": True, "fused": True}),
    "adagrad": (torch.optim.Adagrad, lambda momentum: {"fused": True}),
    "adadelta": (torch.optim.Adadelta, lambda momentum: {}),
    "rmsprop": (torch.optim.RMSprop, lambda momentum: {}),
    "adam": (torch.optim.Adam, lambda momentum: {"betas": (momentum, 0.99), "fused": True}),
    "adamw": (torch.optim.AdamW, lambda momentum: {"betas": (momentum, 0.99), "fused": True}),
}


def build_optimizer(name: str, module: "Module", *, lr: float, momentum: float, weight_decay: float) -> Any:
    """The optimiser called `name` over all parameters of a module.

    Only what is called "weight" and has two axes or more is decayed: pulling biases and norms to zero costs accuracy.
    `momentum` is the momentum of "momentum" and "nesterov", the first beta of "adam" and "adamw".
    """
    if name == "nesterov" and not momentum:
        raise ValueError(
            f'optimizer="nesterov" needs a momentum above 0, got momentum={momentum}; try 0.9, or optimizer="sgd"'
        )
    decayed, free = [], []
    for path, parameter in module.named_parameters():
        if parameter.requires_grad:
            is_weight = path.rpartition(".")[2] == "weight" and parameter.ndim > 1
            (decayed if is_weight else free).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    build, options = OPTIMIZERS[name]
    return build([group for group in groups if group["params"]], lr=lr, **options(momentum))


def soft_threshold(optimizer: Any, parameters: "list[Tensor]", strength: float) -> None:
    """Proximal step of an L1 penalty, after a step of the optimiser: shrinks parameters towards zero and keeps zeros.

    The proximal step of ``strength * |w|``, with the step size that the optimiser has for each entry (Yun, Lozano, Yang
    2021, "Adaptive proximal gradient methods", section 3). A penalty in the gradient would be divided by its own size.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        One of those above, after a step.
    parameters : list of tensors
        Changed in place.
    strength : float
    """
    group_of = {id(parameter): group for group in optimizer.param_groups for parameter in group["params"]}
    with torch.no_grad():
        for parameter in parameters:
            group = group_of[id(parameter)]
            pull = strength * group["lr"] * _step_size(group, optimizer.state[parameter])
            parameter.copy_(parameter.sign() * (parameter.abs() - pull).clamp_min(0))


def _step_size(group, state):
    """What an optimiser multiplies the gradient of each entry by, beside the learning rate."""
    eps = group.get("eps", 0.0)
    if "exp_avg_sq" in state:
        seen = 1 - group["betas"][1] ** float(state["step"])
        return 1 / ((state["exp_avg_sq"] / seen).sqrt() + eps)
    if "acc_delta" in state:
        return ((state["acc_delta"] + eps) / (state["square_avg"] + eps)).sqrt()
    if "square_avg" in state:
        return 1 / (state["square_avg"].sqrt() + eps)
    if "sum" in state:
        return 1 / (state["sum"].sqrt() + eps)
    return 1 / (1 - group["momentum"])
