"""What tests of faults share."""

import time

import pytest


@pytest.fixture
def clock(monkeypatch):
    """Seconds that go by as the optimizer makes steps, one each, since a real clock says little on a busy machine."""
    import torch

    now = [1000.0]
    step = torch.optim.AdamW.step

    def timed(self, *args, **kwargs):
        now[0] += 1.0
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", timed)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now
