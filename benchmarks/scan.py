"""The scan of minGRU on a CPU beside nn.GRU, the log-space scan and one elementwise operation: time, memory, accuracy.

    python benchmarks/scan.py step        # a training step, with its floor; smaller problems with --shape
    python benchmarks/scan.py gradient    # error of the gate's gradient against float64
    python benchmarks/scan.py length      # cost as length grows; --plot FILE draws it
    python benchmarks/scan.py copying     # selective copying by layers and seed (up to 30 minutes a run)

Times are the least CPU time of the process over --rounds rounds in which all systems take turns, on one thread.
Ratios within one run mean something; times of two runs, on a machine with other work, do not.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from skauto.estimators.sequences._recurrent_net import MinLayer
from tests.support.reference_scan import log_space, recurrence

STEPS = [(64, 64, 128, 512), (64, 64, 128, 2048), (64, 64, 128, 4096), (16, 64, 64, 4096), (1, 8, 16, 4096)]
GATES = [(0, 1), (8, 1), (40, 1), (0, 8)]
SHORTER = [
    (0.5, 8),
    (0.7, 4),
    (0.85, 2),
    (1.0, 1),
]  # up to this fraction of the steps of copying: divide the length by this


def say(*words):
    """One line of output, at once."""
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


class OneAddition(torch.autograd.Function):
    """No scan: the cheapest operation that reads and writes as much, forward and backward."""

    @staticmethod
    def forward(ctx, pre):
        ctx.save_for_backward(pre)
        first, second = pre.chunk(2, -1)
        return first + second

    @staticmethod
    def backward(ctx, dh):
        (pre,) = ctx.saved_tensors
        gradient = torch.empty_like(pre)
        for target, source in zip(gradient.chunk(2, -1), pre.chunk(2, -1)[::-1], strict=True):
            torch.mul(dh, source, out=target)
        return gradient


class Recurrent(nn.Module):
    """Linear and scan of one system."""

    def __init__(self, system, features, hidden):
        super().__init__()
        self.system = system
        if system in ("minGRU", "minLSTM"):
            options = {"lstm": system == "minLSTM", "bidirectional": False, "memory": 2.0}
            self.layer = MinLayer(features, hidden, **options)
        elif system in ("nn.GRU", "nn.LSTM"):
            self.layer = getattr(nn, system[3:])(features, hidden, batch_first=True)
        else:
            self.layer = nn.Linear(features, 2 * hidden)

    def forward(self, x):
        if self.system.startswith("min"):
            return self.layer(x, None)
        if self.system.startswith("nn."):
            return self.layer(x)[0]
        return (log_space if self.system == "log-space" else OneAddition.apply)(self.layer(x))


class Net(nn.Module):
    """Linear, scan, mean pool, head."""

    def __init__(self, system, features, hidden):
        super().__init__()
        torch.manual_seed(0)
        self.recurrent, self.head = Recurrent(system, features, hidden), nn.Linear(hidden, 10)

    def forward(self, x):
        return self.head(self.recurrent(x).mean(1))


def training_step(net, x, y):
    """Forward, loss, backward."""
    net.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(net(x), y).backward()


def least_times(systems, shape, rounds):
    """Least CPU milliseconds of a training step of each system, in turns."""
    batch, features, hidden, length = shape
    x, y = torch.randn(batch, length, features), torch.randint(0, 10, (batch,))
    nets, least = {system: Net(system, features, hidden) for system in systems}, {}
    for _ in range(rounds):
        for system, net in nets.items():
            start = time.process_time()
            training_step(net, x, y)
            least[system] = min(least.get(system, 1e9), 1e3 * (time.process_time() - start))
    return least


def saved_bytes(system, shape):
    """Bytes kept for backward, each storage once."""
    batch, features, hidden, length = shape
    net, seen = Net(system, features, hidden), {}
    x, y = torch.randn(batch, length, features), torch.randint(0, 10, (batch,))

    def note(tensor):
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        nn.functional.cross_entropy(net(x), y)
    return sum(seen.values())


def step(args):
    """A training step of each system, as a ratio to its floor, and the memory kept for backward."""
    say("| batch | features | hidden | length | system | CPU ms | times minGRU | times one addition | MB kept |")
    say("|---|---|---|---|---|---|---|---|---|")
    for shape in args.shape or STEPS:
        least = least_times(args.systems, shape, args.rounds)
        for system, value in least.items():
            kept = saved_bytes(system, shape) / 2**20
            ratios = [f"{value / least[other]:.2f}" if other in least else "" for other in ("minGRU", "one addition")]
            say("|", " | ".join([*map(str, shape), system, f"{value:.1f}", *ratios, f"{kept:.0f}"]), "|")


def gradient(args):
    """Relative error of the gradient of k in float32 against float64."""
    say("| gates | length | minGRU | log-space |")
    say("|---|---|---|---|")
    for mean, spread in GATES:
        for length in args.length:
            torch.manual_seed(0)
            k, v, up = (torch.randn(2, length, 16) for _ in range(3))
            pre = torch.cat([k * spread + mean, v], -1)
            exact = gate_gradient(recurrence, pre.double(), up.double())
            errors = [gate_gradient(f, pre, up).double() - exact for f in (scan_of, log_space)]
            ratios = [f"{float(e.norm() / exact.norm()):.1e}" for e in errors]
            say(f"| k ~ N({mean}, {spread}) | {length} |", " | ".join(ratios), "|")


def scan_of(pre):
    """Our operator."""
    from skauto.estimators.sequences.scan._operators import scan

    return scan(pre)


def gate_gradient(function, pre, upstream):
    """Gradient of the gate's half of `pre`."""
    pre = pre.clone().requires_grad_()
    (function(pre) * upstream).sum().backward()
    return pre.grad[..., : pre.shape[2] // 2]


def length(args):
    """CPU time of a training step by length."""
    lengths, rows = [2**i for i in range(7, 17)], []
    say("| length | minGRU ms | minLSTM ms | minGRU ns a step and channel |")
    say("|---|---|---|---|")
    for steps in lengths:
        least = least_times(("minGRU", "minLSTM"), (4, 16, 64, steps), args.rounds)
        rows.append(list(least.values()))
        nanoseconds = 1e6 * rows[-1][0] / (4 * 64 * steps)
        say(f"| {steps} | {rows[-1][0]:.2f} | {rows[-1][1]:.2f} | {nanoseconds:.2f} |")
    if args.plot:
        draw_lengths(lengths, rows, args.plot)


def draw_lengths(lengths, rows, path):
    """Both lines, on logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for name, values in zip(("minGRU", "minLSTM"), zip(*rows, strict=True), strict=True):
        axes.loglog(lengths, values, "o-", label=name)
    linear = [rows[-1][0] * n / lengths[-1] for n in lengths]
    axes.loglog(lengths, linear, "k:", label="linear")
    axes.set(xlabel="length", ylabel="CPU ms of a training step", title="batch 4, 16 features, hidden 64")
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")


class Copier(nn.Module):
    """Embedding, residual recurrent blocks, a token at each step."""

    def __init__(self, vocabulary, width, layers, lstm, expansion):
        super().__init__()
        from skauto.estimators.sequences._recurrent_net import Block

        options = {"normalization": "layer", "dropout": 0.0, "bidirectional": False, "memory": 256.0}
        options["expansion"] = expansion
        self.embed = nn.Embedding(vocabulary + 2, width)
        self.blocks = nn.ModuleList(Block(width, lstm=lstm, **options) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, None)
        return self.head(self.norm(x))


def copying_batch(batch, length, copies, vocabulary):
    """Tokens strewn over `length` steps among noise, then marks at which they are to be said in order."""
    noise, mark = vocabulary, vocabulary + 1
    positions = torch.rand(batch, length).argsort(1)[:, :copies].sort(1).values
    said = torch.randint(0, vocabulary, (batch, copies))
    tokens = torch.full((batch, length + copies), noise)
    tokens[:, length:] = mark
    return tokens.scatter(1, positions, said), said


def copying(args):
    """Accuracy on fresh batches of selective copying (Gu and Dao 2023), by kind, layers and seed."""
    say("| kind | layers | seed | minutes | accuracy |")
    say("|---|---|---|---|---|")
    for kind in args.kinds:
        for layers in args.layers:
            for seed in args.seeds:
                minutes, right = copying_run(kind == "minLSTM", layers, seed, args)
                say(f"| {kind} | {layers} | {seed} | {minutes:.1f} | {right:.4f} |")


def copying_run(lstm, layers, seed, args):
    """Train for some steps, on short sequences first; returns minutes of CPU and accuracy at full length."""
    torch.manual_seed(seed)
    net, full = Copier(16, args.width, layers, lstm, args.expansion), args.length[0]
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3, fused=True)
    start = time.process_time()
    for taken in range(args.steps):
        done = taken / args.steps
        length = full // next(part for fraction, part in SHORTER if done < fraction)
        tokens, said = copying_batch(args.batch, length, 16, 16)
        loss = nn.functional.cross_entropy(net(tokens)[:, -16:].transpose(1, 2), said)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = 3e-3 * min(1.0, (taken + 1) / 200) * (1 - 0.98 * done)
        optimizer.step()
    return (time.process_time() - start) / 60, copying_accuracy(net, (full, 16, 16))


def copying_accuracy(net, task):
    """Fraction of tokens predicted correctly on 1,024 fresh sequences."""
    with torch.no_grad():
        tokens, said = copying_batch(1024, *task)
        return float((net(tokens)[:, -16:].argmax(2) == said).double().mean())


def main():
    """Read the command line and run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["step", "gradient", "length", "copying"])
    parser.add_argument("--systems", nargs="+", default=["minGRU", "one addition", "nn.GRU", "log-space"])
    parser.add_argument(
        "--shape", nargs=4, type=int, action="append", metavar=("BATCH", "FEATURES", "HIDDEN", "LENGTH")
    )
    parser.add_argument("--length", nargs="+", type=int, help="of gradient (4096) and copying (256)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", help="file to draw the lengths to")
    parser.add_argument("--kinds", nargs="+", default=["minGRU", "minLSTM"])
    parser.add_argument("--layers", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=9000, help="of a run of copying")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--expansion", type=float, default=2.0, help="units of a layer to its width")
    parser.add_argument("--batch", type=int, default=64)
    args = parser.parse_args()
    args.length = args.length or [256 if args.part == "copying" else 4096]
    torch.set_num_threads(1)
    globals()[args.part](args)


if __name__ == "__main__":
    main()
