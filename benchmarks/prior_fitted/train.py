"""Train the prior-fitted network for some minutes on the cores of this machine; an interrupted training goes on.

python benchmarks/prior_fitted/train.py --minutes 60 --out FILE
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
from network import PriorFittedNetwork
from tables_of_prior import drawn_tables
from torch.nn.functional import binary_cross_entropy_with_logits

TABLES, FEWEST_CELLS, MOST_CELLS = 8, 400, 3_000
RATE, WARM_UP = 1e-3, 200


def drawn_batch(random):
    """Tables of one random size, and how many of the rows have labels."""
    n_columns = int(random.integers(2, 16))
    most = max(MOST_CELLS // n_columns, 60)
    n_rows = int(random.integers(50, min(most, 500) + 1))
    X, y = drawn_tables(random, TABLES, n_rows, n_columns)
    return torch.from_numpy(X), torch.from_numpy(y), int(n_rows * random.uniform(0.5, 0.8))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    network, step, seen = PriorFittedNetwork(), 0, 0.0
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-4)
    if args.out.exists():
        state = torch.load(args.out, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        step, seen = state["step"], state["minutes"]
    random = np.random.default_rng([args.seed, step])
    sys.stdout.write(f"{sum(p.numel() for p in network.parameters()):,} parameters\n")
    began, losses = time.monotonic(), []
    while (spent := (time.monotonic() - began) / 60) < args.minutes:
        # One cosine over the minutes asked for.
        rate = RATE * min(1, (step + 1) / WARM_UP) * (0.02 + 0.98 * (1 + np.cos(np.pi * spent / args.minutes)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = rate
        X, y, n_known = drawn_batch(random)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            odds = network(X, y[:, :n_known])
        loss = binary_cross_entropy_with_logits(odds.float(), y[:, n_known:].float())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        step += 1
        if step % 200 == 0:
            sys.stdout.write(f"{spent:6.1f} min, step {step}, log loss {np.mean(losses[-200:]):.4f}\n")
            sys.stdout.flush()
    state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
    torch.save({**state, "minutes": seen + args.minutes}, args.out)


if __name__ == "__main__":
    main()
