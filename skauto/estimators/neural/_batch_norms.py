"""Batch norms in training: one row alone, and running statistics of few batches."""

from typing import TYPE_CHECKING, Any

from skauto._deps import require

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")

NORMS = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)


def use_running_statistics(module: "Module") -> None:
    """Batch norms in evaluation mode until the next step: one row has no variance, and would spoil the statistics."""
    for part in module.modules():
        if isinstance(part, NORMS):
            part.eval()


def untouched_norms(module: "Module") -> list[Any]:
    """The batch norms that have seen no batch yet, so that they start from a mean of 0 and a variance of 1."""
    return [part for part in module.modules() if isinstance(part, NORMS) and _is_untouched(part)]


def _is_untouched(norm):
    counted = norm.num_batches_tracked is not None and norm.momentum is not None
    return (
        counted and not norm.num_batches_tracked and not norm.running_mean.any() and bool((norm.running_var == 1).all())
    )


@torch.no_grad()
def trust_few_batches(norms: list[Any]) -> None:
    """Remove the initial value from running statistics that have seen a few batches only.

    After n batches with momentum m the start still counts (1 - m)^n, nine tenths after the first; without it the
    rest is the weighted mean of what was seen (as in Adam, Kingma and Ba 2015, section 3).
    """
    for norm in norms:
        start = (1 - norm.momentum) ** int(norm.num_batches_tracked)
        if start < 1:
            norm.running_mean.div_(1 - start)
            norm.running_var.sub_(start).div_(1 - start)
