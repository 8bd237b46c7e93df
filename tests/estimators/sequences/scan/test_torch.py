import os
import subprocess
import sys

import pytest

from skauto.estimators.sequences.scan import _operators as _scan
from skauto.estimators.sequences.scan import _torch as _scan_torch
from tests.support.scans import errors, problem, through_scan


@pytest.mark.parametrize("width", [0, 10**9])
def test_both_solvers_of_the_fallback(monkeypatch, width):
    monkeypatch.setattr(_scan, "backend", lambda tensor: _scan_torch)
    monkeypatch.setattr(_scan_torch, "LOOP_WIDTH", width)
    for time in (1, 2, 3, 8, 37):
        assert max(errors(through_scan, *problem(time, time=time), "cpu")) < 1e-6


@pytest.mark.slow
def test_works_without_the_kernel():
    code = """
import torch
from skauto.estimators.sequences.scan import _operators as _scan
from skauto.estimators.sequences.scan import _torch as _scan_torch
pre = torch.randn(2, 9, 6)
assert _scan.backend(pre) is _scan_torch
assert _scan.scan(pre).shape == (2, 9, 3)
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "SKAUTO_NATIVE": "0"})
