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

    Vectors (biases, norms, scales) are not decayed: pulling those to zero only costs accuracy.
    `momentum` is the momentum of "momentum" and "nesterov", the first beta of "adam" and "adamw".
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    build, options = OPTIMIZERS[name]
    return build([group for group in groups if group["params"]], lr=lr, **options(momentum))
