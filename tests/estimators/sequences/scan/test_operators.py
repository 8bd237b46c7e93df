import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skauto.estimators.sequences.scan import _native as _scan_native
from skauto.estimators.sequences.scan import _operators as _scan
from skauto.estimators.sequences.scan import _torch as _scan_torch
from tests.support.reference_scan import log_space, recurrence
from tests.support.scans import errors, gradients, problem, relative, through_scan

BACKENDS = [
    pytest.param(_scan_native, id="native", marks=pytest.mark.skipif(not _scan_native.available(), reason="no kernel")),
    pytest.param(_scan_torch, id="torch"),
    pytest.param(
        None, id="gpu", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: Triton untested")
    ),
]
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


@pytest.fixture(params=BACKENDS)
def device(request, monkeypatch):
    """The device, with the backend under test chosen."""
    if request.param is None:
        return "cuda"
    monkeypatch.setattr(_scan, "backend", lambda tensor: request.param)
    return "cpu"


def recomputing_scan(*args, **options):
    return _scan.linear_scan(*args, **options)


@pytest.mark.parametrize("function", [through_scan, _scan.linear_scan, recomputing_scan])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("lstm", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_states_and_gradients_against_float64(device, monkeypatch, function, dtype, lstm, reverse, masked):
    monkeypatch.setattr(_scan, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(_scan, "KEPT_BYTES", 0 if function is recomputing_scan else 1 << 20)
    monkeypatch.setattr(_scan_torch, "BLOCK_BYTES", 900)
    given_ = problem(0, lstm=lstm, masked=masked, dtype=dtype)
    assert max(errors(function, *given_, device, lstm=lstm, reverse=reverse)) < TOLERANCE[dtype]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    batch=st.integers(1, 4),
    time=st.integers(1, 30),
    hidden=st.integers(1, 20),
    lstm=st.booleans(),
    reverse=st.booleans(),
)
def test_random_masks_resets_and_initial_states(seed, batch, time, hidden, lstm, reverse):
    inputs, steps, upstream = problem(seed, batch=batch, time=time, hidden=hidden, lstm=lstm)
    for function in (through_scan, _scan.linear_scan):
        # float32 inputs of the gates are rounded themselves: 1e-5 leaves room for a single tiny gradient
        assert max(errors(function, inputs, steps, upstream, "cpu", lstm=lstm, reverse=reverse)) < 1e-5


@pytest.mark.parametrize(("mean", "spread"), [(0, 1), (8, 1), (40, 1), (0, 8)])
def test_gate_gradient_at_length_4096(device, mean, spread):
    draw = torch.Generator().manual_seed(0)
    k, v, up = (torch.randn((2, 4096, 16), generator=draw) for _ in range(3))
    pre = torch.cat([k * spread + mean, v], -1)
    exact = gradients(recurrence, [pre.double().requires_grad_()], up.double())
    got = gradients(_scan.scan, [pre.to(device).requires_grad_()], up.to(device))
    assert relative(got[0], exact[0]) < 1e-6
    assert relative(got[1][..., :16], exact[1][..., :16]) < 1e-6


def test_log_space_agrees_where_gates_are_mild_and_fails_where_they_saturate():
    draw = torch.Generator().manual_seed(0)
    k, v, up = (torch.randn((1, 256, 4), generator=draw) for _ in range(3))
    for mean, fine in ((0, True), (8, False)):
        pre = torch.cat([k + mean, v], -1)
        exact = gradients(recurrence, [pre.double().requires_grad_()], up.double())
        logs = gradients(log_space, [pre.requires_grad_()], up)
        assert (relative(logs[1][..., :4], exact[1][..., :4]) < 1e-2) == fine


def test_padding_and_resets_are_exact(device):
    inputs, _, _ = problem(1, masked=False, time=12)
    x, weight, bias, h0 = (t.to(device) for t in inputs)
    steps = torch.ones(3, 12, dtype=torch.int8, device=device)
    whole = _scan.linear_scan(x, weight, bias, h0, steps)
    steps[:, 8:] = 0
    padded = _scan.linear_scan(x, weight, bias, h0, steps)
    assert torch.equal(padded[:, :8], whole[:, :8])
    assert torch.equal(padded[:, 8:], whole[:, 7:8].expand(-1, 4, -1))
    steps[:, 4] = 2
    packed = _scan.linear_scan(x, weight, bias, h0, steps)
    alone = _scan.linear_scan(x[:, 4:8], weight, bias)
    assert relative(packed[:, 4:8], alone.double().cpu()) < 1e-6


def test_infinite_gates_keep_and_forget_exactly(device):
    pre = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0)).to(device)
    pre[:, 2, :2], pre[:, 4, :2] = -torch.inf, torch.inf
    pre.requires_grad_()
    h = _scan.scan(pre)
    h.sum().backward()
    assert torch.equal(h[:, 2], h[:, 1])
    v = pre[:, 4, 2:].detach()
    torch.testing.assert_close(h[:, 4].detach(), torch.where(v >= 0, v + 0.5, torch.sigmoid(v)))
    assert pre.grad.isfinite().all()


def test_nan_is_passed_on(device):
    for where in (0, 2):
        pre = torch.zeros(1, 4, 4, device=device)
        pre[:, 1, where] = torch.nan
        assert torch.isnan(_scan.scan(pre)[:, 1:, 0]).all()


def test_half_precision_keeps_a_float32_state(device):
    pre = torch.randn(2, 1024, 16, generator=torch.Generator().manual_seed(0)).to(device, torch.bfloat16)
    pre[..., :8] -= 3
    h = _scan.scan(pre)
    assert h.dtype == torch.bfloat16
    assert relative(h, recurrence(pre.cpu().double())) < 1e-2


def test_mean_pooling_gradient_without_a_dense_copy(device):
    inputs, steps, _ = problem(3)
    ours = [t.to(device).requires_grad_() for t in inputs]
    exact = [t.detach().double().requires_grad_() for t in inputs]
    _scan.linear_scan(*ours, steps.to(device)).mean(1).sum().backward()
    recurrence(torch.nn.functional.linear(*exact[:3]), exact[3], steps).mean(1).sum().backward()
    assert max(relative(a.grad, b.grad) for a, b in zip(ours, exact, strict=True)) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("lstm", [False, True])
def test_opcheck(lstm):
    (x, weight, bias, h0), steps, _ = problem(0, batch=2, time=6, lstm=lstm)
    leaves = [t.requires_grad_() for t in (x, weight, bias, h0)]
    pre = torch.nn.functional.linear(x, weight, bias).detach().requires_grad_()
    torch.library.opcheck(torch.ops.skauto.min_scan, (pre, leaves[3], steps, lstm, False))
    torch.library.opcheck(torch.ops.skauto.min_scan, (pre, None, None, lstm, True))
    for keep in (False, True):
        torch.library.opcheck(torch.ops.skauto.min_linear_scan, (*leaves, steps, lstm, False, keep))
        operands = (x.detach(), *leaves[1:3], None, None, lstm, True, keep)
        torch.library.opcheck(torch.ops.skauto.min_linear_scan, operands)


@pytest.mark.parametrize("kept", [False, True])
def test_flops_are_counted(monkeypatch, kept):
    monkeypatch.setattr(_scan, "KEPT_BYTES", 1 << 20 if kept else 0)
    (x, weight, bias, _), _, _ = problem(0, batch=2, time=6, masked=False)
    weight.requires_grad_()
    with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
        _scan.linear_scan(x, weight, bias).sum().backward()
    counts = {str(op): count for op, count in counter.get_flop_counts()["Global"].items()}
    cells, products = 2 * 6 * 7, 2 * 6 * 2 * 14 * 5
    assert counts["skauto.min_linear_scan"] == products + 10 * cells
    assert counts["skauto.min_linear_scan_backward"] == (1 if kept else 2) * products + 20 * cells


def test_exports():
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(3, 8)

        def forward(self, pre):
            return _scan.linear_scan(_scan.scan(pre), self.inner.weight, self.inner.bias)

    layer, pre = Layer(), torch.randn(2, 5, 6)
    program = torch.export.export(layer, (torch.randn(2, 5, 6),))
    torch.testing.assert_close(program.module()(pre), layer(pre))


@pytest.mark.parametrize(("f", "i"), [(-100.0, 0.0), (0.0, -100.0), (-800.0, 5.0), (-100.0, -100.0), (90.0, -90.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lstm_gates_far_apart_have_a_gradient(device, dtype, f, i):
    pre = torch.tensor([[[f, i, 0.3]] * 4], dtype=dtype, device=device, requires_grad=True)
    _scan.scan(pre, lstm=True).sum().backward()
    exact = torch.tensor([[[f, i, 0.3]] * 4], dtype=torch.float64, requires_grad=True)
    recurrence(exact, lstm=True).sum().backward()
    torch.testing.assert_close(pre.grad.cpu().double(), exact.grad, atol=1e-6, rtol=1e-5)
