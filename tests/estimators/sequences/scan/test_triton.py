import pytest
import torch

from tests.support.scans import errors, problem, through_scan

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: the Triton backend is untested")


@pytest.mark.parametrize("lstm", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_states_and_gradients_against_float64(lstm, reverse):
    pytest.importorskip("triton", reason="PyTorch came without Triton")
    given = problem(0, time=200, hidden=100, lstm=lstm)
    assert max(errors(through_scan, *given, "cuda", lstm=lstm, reverse=reverse)) < 1e-5
