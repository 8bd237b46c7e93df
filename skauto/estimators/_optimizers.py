"""Optimisers by name."""

from skauto._deps import require

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


def build_optimizer(name, module, *, lr, momentum, weight_decay):
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
