"""Problems for the scan, and how far its states and gradients are from those of a plain recurrence in float64."""

import torch

from skauto.estimators.sequences.scan import _operators as _scan
from tests.support.reference_scan import recurrence


def relative(value, reference):
    return float((value.double().cpu() - reference).norm() / reference.norm().clamp_min(1e-30))


def gradients(function, inputs, upstream):
    h = function(*inputs)
    return [h.detach(), *torch.autograd.grad((h * upstream).sum(), inputs)]


def problem(seed, *, batch=3, time=40, features=5, hidden=7, lstm=False, masked=True, dtype=torch.float32):
    draw = torch.Generator().manual_seed(seed)
    rows = (3 if lstm else 2) * hidden
    x, weight, bias, h0 = (
        torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype)
        for shape in ((batch, time, features), (rows, features), (rows,), (batch, hidden))
    )
    steps = torch.randint(0, 3, (batch, time), generator=draw, dtype=torch.int8) if masked else None
    upstream = torch.randn((batch, time, hidden), generator=draw, dtype=torch.float64).to(dtype)
    return (x, 2 * weight, bias, h0), steps, upstream


def errors(function, inputs, steps, upstream, device, **options):
    """Relative errors of the states and of all gradients, against float64."""
    ours = [t.to(device).requires_grad_() for t in inputs]
    exact = [t.double().requires_grad_() for t in inputs]
    steps_here = None if steps is None else steps.to(device)
    got = gradients(lambda *t: function(*t, steps_here, **options), ours, upstream.to(device))

    def reference(x, weight, bias, h0):
        return recurrence(torch.nn.functional.linear(x, weight, bias), h0, steps, **options)

    return [relative(a, b) for a, b in zip(got, gradients(reference, exact, upstream.double()), strict=True)]


def through_scan(x, weight, bias, h0, steps, **options):
    return _scan.scan(torch.nn.functional.linear(x, weight, bias), h0, steps, **options)
