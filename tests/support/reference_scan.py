"""References the scan is tested against: the recurrence written out in float64, and the paper's log-space form."""

import torch

softplus = torch.nn.functional.softplus


def recurrence(pre, h0=None, steps=None, *, lstm=False, reverse=False):
    """The recurrence one step at a time, in whatever precision `pre` has, differentiable."""
    *keys, v = pre.chunk(3 if lstm else 2, -1)
    k = torch.nn.functional.logsigmoid(keys[-1]) - torch.nn.functional.logsigmoid(keys[0]) if lstm else keys[0]
    z, stay, new = torch.sigmoid(k), torch.sigmoid(-k), torch.where(v >= 0, v + 0.5, torch.sigmoid(v))
    h = torch.zeros_like(new[:, 0]) if h0 is None else h0
    codes = (torch.ones_like(pre[..., 0], dtype=torch.int8) if steps is None else steps).unsqueeze(2)
    rows = list(zip(*(part.unbind(1) for part in (codes, k, z, stay, new)), strict=True))
    states = []
    for code, gate, enter, leave, cand in reversed(rows) if reverse else rows:
        old = torch.where(code == 2, 0.0, h)
        # two-sided, as the derivative of a sigmoid of 40 is 0 even in float64
        moved = torch.where(gate >= 0, cand + leave * (old - cand), old + enter * (cand - old))
        h = torch.where(code == 0, h, moved)
        states.append(h)
    return torch.stack(states[::-1] if reverse else states, 1)


def log_space(pre):
    """minGRU by the paper's parallel scan in log space (arXiv 2410.01201, appendix B)."""
    k, v = pre.chunk(2, -1)
    log_new = torch.where(v >= 0, (torch.relu(v) + 0.5).log(), -softplus(-v))
    log_stay = (-softplus(k)).cumsum(1)
    return (log_stay + (-softplus(-k) + log_new - log_stay).logcumsumexp(1)).exp()
