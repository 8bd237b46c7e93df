"""Threads of PyTorch by the size of the work: small networks are slower on many, and wait in vain on a busy machine."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import joblib

from skauto._deps import require
from skauto.estimators.footprints._flops import count_flops

if TYPE_CHECKING:
    from torch.nn import Module

torch = require("torch", extra="deep")

# Multiplications and additions of a call, some hundredths of a second on one thread, below which more threads cost more
# than they bring: beside busy processes they made a small perceptron forty times slower.
SMALL = 5e8
# What a training step costs of a forward pass.
TRAINING = 3
# Steps of series that are counted, from which longer ones are reckoned.
STEPS = 4

_ROW_FLOPS = WeakKeyDictionary()


@contextmanager
def threads_for(module: "Module", first_row: Callable[[], tuple], *, rows: int, passes: int = 1) -> Iterator[None]:
    """A context in which PyTorch uses one thread for small calls, and no more than the available cores.

    Parameters
    ----------
    module : torch.nn.Module
    first_row : callable
        ``first_row() -> inputs``: the first row as the tensors that the module takes.
    rows : int
        Rows of a call.
    passes : int
        Forward passes that it costs.
    """
    before = torch.get_num_threads()
    wanted = before if before == 1 or not _on_cpu(module) else _wanted(rows * passes * _row_flops(module, first_row()))
    if wanted >= before:
        yield
        return
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _on_cpu(module):
    first = next(itertools.chain(module.parameters(), module.buffers()), None)
    return first is None or first.device.type == "cpu"


def _wanted(flops):
    """Threads for this amount of work; joblib knows the quota of a container."""
    return 1 if flops < SMALL else joblib.cpu_count()


def _row_flops(module, inputs):
    """Multiplications and additions of a row, counted once for a network and a form of its rows."""
    series = len(inputs) > 1  # their lengths come with them
    form = tuple(inputs[0].shape[2 if series else 1 :])
    known = _ROW_FLOPS.setdefault(module, {})
    if form not in known:
        steps = (STEPS,) if series else ()
        row = torch.zeros(1, *steps, *form, dtype=inputs[0].dtype)
        known[form] = _counted(module, (row, torch.tensor([STEPS])) if series else (row,)) / (STEPS if series else 1)
    return known[form] * (inputs[0].shape[1] if series else 1)


def forget(module: "Module") -> None:
    """Count again: the network was changed in place."""
    _ROW_FLOPS.pop(module, None)


def _counted(module, row):
    training = module.training
    try:
        return sum(forward for forward, _ in count_flops(module.eval(), row).values())
    finally:
        module.train(training)
