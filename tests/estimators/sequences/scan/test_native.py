import platform

import pytest
import torch

from skauto.estimators.sequences.scan import _native as _scan_native
from skauto.estimators.sequences.scan import _operators as _scan
from tests.support.scans import gradients, problem

pytestmark = pytest.mark.skipif(not _scan_native.available(), reason="no compiled kernel")


def test_the_kernel_is_used_on_a_cpu():
    assert _scan.backend(torch.zeros(1)) is _scan_native


def test_threads_give_the_same_answer(monkeypatch):
    inputs, steps, upstream = problem(5, batch=6)
    ours = [t.requires_grad_() for t in inputs]
    one = gradients(lambda *t: _scan.linear_scan(*t, steps), ours, upstream)
    monkeypatch.setattr(_scan_native, "THREADED_CELLS", 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    four = gradients(lambda *t: _scan.linear_scan(*t, steps), ours, upstream)
    assert all(torch.equal(a, b) for a, b in zip(one, four, strict=True))


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the mode is set on x86 only")
def test_a_gradient_that_fades_becomes_zero_not_subnormal():
    pre, upstream = torch.zeros(1, 400, 16, requires_grad=True), torch.zeros(1, 400, 8)
    upstream[:, -1] = 1.0
    _scan.scan(pre).backward(upstream)
    sizes = pre.grad.abs()
    assert int(((sizes > 0) & (sizes < torch.finfo(torch.float32).tiny)).sum()) == 0
    assert float(sizes[0, -100, 8]) == pytest.approx(0.5**100, rel=1e-5)
    assert float(sizes[0, 100, 8]) == 0.0
    assert float(torch.tensor(1e-40) * torch.tensor(0.5)) > 0  # the caller's mode is as it was
