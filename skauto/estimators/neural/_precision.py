"""The numbers that training multiplies: float32, or bfloat16 where the processor has instructions for it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from skauto._deps import require

torch = require("torch", extra="deep")

PRECISIONS = ("float32", "bfloat16", "auto")


def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself; others emulate it, more slowly than float32."""
    cpu = torch.cpu
    asked = (getattr(cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(ask() for ask in asked if ask is not None)


def training_context(precision: str, device: str) -> AbstractContextManager[Any]:
    """The context of a forward pass in training: what is large is multiplied in the wanted precision.

    Parameters
    ----------
    precision : {"float32", "bfloat16", "auto"}
        "auto" is bfloat16 on a CPU that has instructions for it, else float32. Weights, norms, loss and optimiser stay
        float32 in any case (Micikevicius et al. 2018, "Mixed precision training", section 3.1).
    device : str
    """
    wanted = precision == "bfloat16" or (precision == "auto" and device == "cpu" and has_bfloat16())
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16) if wanted else nullcontext()
