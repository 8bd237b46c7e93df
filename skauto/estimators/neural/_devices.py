"""Where a network is: devices by name, and tensors taken to a CPU."""

from typing import TYPE_CHECKING, Any

from skauto._deps import require

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")


def choose_device(device: str) -> str:
    """The device that "auto" means on this machine; ValueError for one that is not there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        raise ValueError(f'device={device!r} is not there: say "auto" or "cpu", or "cuda" with a GPU') from error
    return device


def placed(module: "Module", device: str) -> "Module":
    """The module on a device; where it is there already none of its tensors is touched, which would take time."""
    wanted = torch.device(device)
    tensors = (t for m in module.modules() for t in (*m._parameters.values(), *m._buffers.values()) if t is not None)
    first = next(tensors, None)
    there = first is None or (first.device.type == wanted.type and wanted.index in (None, first.device.index))
    return module if there else module.to(wanted)


def on_cpu(value: Any) -> Any:
    """The tensors inside a state of an optimiser on a CPU."""
    if isinstance(value, dict):
        return {key: on_cpu(inner) for key, inner in value.items()}
    return value.cpu() if isinstance(value, torch.Tensor) else value
