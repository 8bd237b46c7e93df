"""References the scan is tested against: the recurrence written out in float64, and the paper's log-space form."""

import torch

softplus = torch.nn.functional.softplus


def recurrence(pre, h0=None, steps=None, *, lstm=False, reverse=False):
    """The recurrence one step at a time, in whatever precision `pre` has, differentiable."""
    *keys, v = pre.chunk(3 if lstm else 2, -1)
    k = torch.nn.functional.logsigmoid(keys[-1]) - torch.nn.functional.logsigmoid(keys[0]) if lstm else keys[0]
    z, stay, new = torch.sigmoid(k), torch.sigmoid(-k), torch.where(v >= 0, v + 0.5, torch.sigmoid(v))
    h = torch.zeros_like(new[:, 0]) if h0 is None else h0
    states = [None] * pre.shape[1]
    for t in reversed(range(pre.shape[1])) if reverse else range(pre.shape[1]):
        code = torch.ones_like(pre[:, t, 0], dtype=torch.int8) if steps is None else steps[:, t]
        code = code.unsqueeze(1)
        old = torch.where(code == 2, 0.0, h)
        # two-sided, as the derivative of a sigmoid of 40 is 0 even in float64
        moved = torch.where(k[:, t] >= 0, new[:, t] + stay[:, t] * (old - new[:, t]), old + z[:, t] * (new[:, t] - old))
        h = states[t] = torch.where(code == 0, h, moved)
    return torch.stack(states, 1)


def log_space(pre):
    """minGRU by the paper's parallel scan in log space (arXiv 2410.01201, appendix B)."""
    k, v = pre.chunk(2, -1)
    log_new = torch.where(v >= 0, (torch.relu(v) + 0.5).log(), -softplus(-v))
    log_stay = (-softplus(k)).cumsum(1)
    return (log_stay + (-softplus(-k) + log_new - log_stay).logcumsumexp(1)).exp()
