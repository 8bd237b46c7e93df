import pytest
import torch

from skauto.estimators import _scan, _scan_native
from tests.estimators.test_scan import gradients, problem

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
