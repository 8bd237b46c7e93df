"""Compression on real images: bytes of the file, milliseconds of predict, macro F1.

    python benchmarks/compression.py speed
    python benchmarks/compression.py train --data DIR --models DIR
    python benchmarks/compression.py chain --data DIR --models DIR --net lenet5
    python benchmarks/compression.py chain --data DIR --models DIR --net plain
    python benchmarks/compression.py steps --data DIR --models DIR
    python benchmarks/compression.py distill --data DIR --models DIR
    python benchmarks/compression.py search --data DIR
    python benchmarks/compression.py chosen --data DIR --models DIR
    python benchmarks/compression.py bounded --data DIR

With --models a trained network is kept there, and taken from there by the parts that come later. Times are the smallest
CPU time of the process over many calls, one thread, what is compared interleaved; ratios hold within one run.
--set takes the other images. benchmarks/README.md says where they come from (Fashion-MNIST: first 20,000 and 5,000).
"""

import argparse
import copy
import io
import os
import statistics
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import f1_score
from torch import nn

from skauto import AutoClassifier, compress
from skauto.estimators.compression._batchnorm_folding import fold_norms
from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression.layers._binary_layers import BinaryConv2d, BinaryLinear
from skauto.estimators.compression.layers._sparse import SparseLinear
from skauto.estimators.compression.steps._binarize import Binarize
from skauto.estimators.compression.steps._distill import Distill
from skauto.estimators.compression.steps._lowrank import LowRank, split_layer
from skauto.estimators.compression.steps._prune import Prune
from skauto.estimators.compression.steps._quantize import Quantize
from skauto.estimators.images._cnn import CNNClassifier

BATCHES = (1, 16, 64)
NETS = {
    "plain": {"width": 16, "augment": {"flip": 0.5, "shift": 0.05}},
    "lenet5": {"backbone": "lenet5", "width": 20, "augment": {"flip": 0.5, "shift": 0.05}},
}
LENET = {"features.0": 0.2, "features.2": 0.5, "classifier.0": 0.94, "classifier.2": 0.5}
PLAIN = {"features.0": 0.2, "classifier": 0.4}


def say(*words):
    """One line to standard output."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def race(calls, rounds=40, seconds=6.0):
    """Smallest CPU milliseconds of each call, one after the other in every round."""
    times = {name: [] for name in calls}
    for call in calls.values():
        call()
    started = time.perf_counter()
    for number in range(rounds):
        for name, call in calls.items():
            before = time.process_time()
            call()
            times[name].append(time.process_time() - before)
        if number >= 5 and time.perf_counter() - started > seconds:
            break
    return {name: min(values) * 1e3 for name, values in times.items()}


def show(title, times, base):
    """A line for each call, with its speed against the fastest of the names in `base`."""
    reference = min(times[name] for name in base)
    for name, value in times.items():
        say(f"{title:28s} {name:24s} {value:9.3f} ms  {reference / value:6.2f}x")


def with_net(estimator, net):
    """The estimator around another network."""
    made = copy.copy(estimator)
    made.module_ = net
    return made


def speed_estimators():
    """predict_proba of six convolutions, width 64, 32 x 32: half the filters, int8, and the forms of float."""
    generator = np.random.default_rng(0)
    X, y = generator.integers(0, 256, (64, 3, 32, 32), dtype=np.uint8), np.arange(64) % 10
    model = CNNClassifier(width=64, depth=2, max_epochs=1, random_state=0).fit(X, y)
    base = FrozenEstimator(model)
    half = Prune(0.5, what="filters", rounds=1, epochs=0)
    folded = fold_norms(copy.deepcopy(model.module_))
    first = copy.deepcopy(folded).to(memory_format=torch.contiguous_format)
    models = {
        "float32": model,
        "float32 folded": with_net(model, folded),
        "float32 channels first": with_net(model, first),
        "half the filters": CompressedClassifier(base, [("half", half)]).fit(X, y),
        "int8": CompressedClassifier(base, [("int8", Quantize("int8"))]).fit(X, y),
        "half the filters, int8": CompressedClassifier(base, [("half", half), ("int8", Quantize("int8"))]).fit(X, y),
    }
    for batch in BATCHES:
        calls = {name: lambda m=m, b=batch: m.predict_proba(X[:b]) for name, m in models.items()}
        show(f"estimator, batch {batch}", race(calls), list(models)[:3])


@torch.no_grad()
def speed_layers():
    """Sparse, low-rank and one-bit layers of the library against dense ones."""
    torch.manual_seed(0)
    for batch in BATCHES:
        dense, x = nn.Linear(1024, 1024), torch.randn(batch, 1024)
        binary = BinaryLinear(1024, 1024, 1, 1.0).take(dense.weight, dense.bias, torch.zeros(1024)).eval()
        calls = {"dense": lambda x=x, f=dense: f(x), "1 bit": lambda x=x, f=binary: f(x)}
        for fraction in (0.9, 0.95):
            sparse = SparseLinear(1024, 1024).eval()
            sparse.weight.copy_(dense.weight * (torch.rand(1024, 1024) >= fraction))
            calls[f"{fraction:.0%} zeros"] = lambda x=x, f=sparse: f(x)
        show(f"linear 1024, batch {batch}", race(calls), ["dense"])
        speed_convolutions(batch)


def speed_convolutions(batch):
    """128 filters 3 x 3 on 128 maps of 32 x 32."""
    layer, x = nn.Conv2d(128, 128, 3, padding=1), torch.randn(batch, 128, 32, 32)
    sides = layer.kernel_size, layer.stride, layer.padding
    binary = BinaryConv2d(128, 128, *sides, 1, 1.0).take(layer.weight, layer.bias, torch.zeros(128)).eval()
    last, y = (thing.to(memory_format=torch.channels_last) for thing in (copy.deepcopy(layer), x))
    calls = {"dense": lambda: layer(x), "dense, channels last": lambda: last(y)}
    calls |= {"1 bit": lambda: binary(x), "1 bit, channels last": lambda: binary(y)}
    for rank in (32, 64):
        for form in ("channels", "spatial"):
            split = split_layer(layer, lambda *_, rank=rank: rank, form).to(memory_format=torch.channels_last)
            calls[f"rank {rank} {form}"] = lambda f=split: f(y)
    show(f"convolution 128, batch {batch}", race(calls, rounds=15), ["dense", "dense, channels last"])


def images(args, rows=None):
    """A data set as X, y, X_test, y_test; the last fifth is held back where there is no official split."""
    with np.load(Path(args.data) / f"{args.set}.npz", allow_pickle=False) as file:
        if "X_test" in file:
            X, y, X_test, y_test = (file[key] for key in ("X", "y", "X_test", "y_test"))
        else:
            (X, X_test), (y, y_test) = (np.split(file[key], [-len(file[key]) // 5]) for key in ("X", "y"))
    return X[:rows], y[:rows], X_test, y_test


def macro(model, X, y):
    """Macro F1."""
    return f1_score(y, model.predict(X), average="macro")


def float_bytes(model):
    """Bytes of the float32 state dict as torch saves it."""
    buffer = io.BytesIO()
    torch.save(model.module_.state_dict(), buffer)
    return buffer.tell()


def trained(args, net, **params):
    """A trained network of the full images, from the folder of models where it is there."""
    kept = Path(args.models) / f"{args.set}_{net}.joblib" if args.models else None
    if kept is not None and kept.is_file():
        return joblib.load(kept)
    X, y, X_test, y_test = images(args)
    wall, cpu = time.perf_counter(), time.process_time()
    model = CNNClassifier(**NETS[net], **{"batch_size": 64, "max_epochs": args.epochs, "random_state": 0, **params})
    model.fit(X, y)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    say(f"{net}: macro F1 {macro(model, X_test, y_test):.4f}, {cpu:.0f} s of processor time, {wall:.0f} s on the clock")
    if kept is not None:
        joblib.dump(model, kept)
    return model


def chain(args):
    """Deep Compression of LeNet-5 or of the small CNN."""
    X, y, X_test, y_test = images(args)
    net, model = args.net, trained(args, args.net)
    more = max(1, round(20_000 / len(y)))  # as many steps on few rows as on Fashion-MNIST
    if net == "lenet5":
        steps = [
            ("prune", Prune(0.94, rounds=2, epochs=10 * more, lr=0.003, layer_amounts=LENET)),
            ("quantize", Quantize(bits=4, conv_bits=5, epochs=8 * more)),
        ]
    else:
        steps = [
            ("prune", Prune(0.7, rounds=1, epochs=12 * more, lr=0.003, layer_amounts=PLAIN)),
            ("quantize", Quantize(bits=5, conv_bits=4, epochs=6 * more)),
        ]
    before = macro(model, X_test, y_test)
    small = CompressedClassifier(FrozenEstimator(model), steps).fit(X, y)
    file, stored = len(small.to_bytes()), small.storage()
    say(
        f"{net}: macro F1 {macro(small, X_test, y_test):.4f} ({macro(small, X_test, y_test) - before:+.4f}), "
        f"{float_bytes(model)} -> {file} bytes, {float_bytes(model) / file:.1f} times smaller, "
        f"file / entropy bound {file / stored['bound'].sum():.3f}"
    )
    say(stored.to_string(index=False))


def steps_alone(args):
    """Binary weights and activations of few bits, low rank and half the filters: what each costs in F1."""
    X, y, X_test, y_test = images(args, args.rows)
    model, epochs = trained(args, "plain"), args.epochs
    before = macro(model, X_test, y_test)
    say(f"float: macro F1 {before:.4f}")
    steps = {
        "half the filters": Prune(0.5, what="filters", epochs=epochs, lr=0.003),
        "low rank, half the cost": LowRank(ratio=0.5, form="spatial", epochs=epochs, lr=0.003),
        "int8": Quantize("int8"),
        "BWN": Binarize(epochs=epochs, lr=0.003),
        "XNOR": Binarize("xnor", epochs=epochs, lr=0.003),
        "2-bit activations": Binarize("xnor", activation_bits=2, epochs=epochs, lr=0.003),
        "4-bit activations": Binarize("xnor", activation_bits=4, epochs=epochs, lr=0.003),
    }
    for name in args.only or steps:
        small = CompressedClassifier(FrozenEstimator(model), [("step", steps[name])]).fit(X, y)
        score = macro(small, X_test, y_test)
        say(f"{name}: macro F1 {score:.4f} ({score - before:+.4f}), {len(small.to_bytes())} bytes")


def distill(args):
    """A student alone and taught by a network of all rows, three seeds; for a number of rows and epochs."""
    X, y, X_test, y_test = images(args, args.rows)
    teacher, epochs, gains = trained(args, "plain"), args.epochs, []
    say(f"teacher, all rows: macro F1 {macro(teacher, X_test, y_test):.4f}; the student has {len(y)} rows")
    for seed in range(3):
        student = CNNClassifier(width=args.width, depth=1, batch_size=64, max_epochs=epochs, random_state=seed)
        alone = macro(copy.deepcopy(student).fit(X, y), X_test, y_test)
        step = Distill(student, epochs=epochs, temperature=args.temperature, soft_weight=0.9)
        taught = macro(CompressedClassifier(FrozenEstimator(teacher), [("d", step)]).fit(X, y), X_test, y_test)
        gains.append(taught - alone)
        say(f"seed {seed}: alone {alone:.4f}, taught {taught:.4f}")
    say(f"gain {statistics.mean(gains):+.4f}")


def search(args):
    """AutoClassifier beside a resnet with settings by hand, in the same time; both may use every core."""
    torch.set_num_threads(os.cpu_count())
    X, y, X_test, y_test = images(args, args.rows)
    started = time.perf_counter()
    auto = AutoClassifier(time_limit=args.seconds, random_state=0, verbose=0).fit(X, y)
    say(f"AutoClassifier, {time.perf_counter() - started:.0f} s: macro F1 {macro(auto, X_test, y_test):.4f}")
    for member, weight in zip(auto.ensemble_.estimators_, auto.ensemble_.weights_, strict=True):
        say(f"    {weight:.3f} of {member.steps[-1][1]}: macro F1 {macro(member, X_test, y_test):.4f}")
    say(auto.leaderboard(details=True)[["candidate", "score", "seconds", "status", "params"]].to_string())
    augment = {"flip": 0.5, "shift": 0.05}
    resnet = CNNClassifier(backbone="resnet", width=16, depth=1, batch_size=args.batch, augment=augment, random_state=0)
    started = time.perf_counter()
    resnet.set_params(max_epochs=1).fit(X, y)
    one = time.perf_counter() - started
    resnet.set_params(max_epochs=max(1, int(args.seconds / one) - 1)).fit(X, y)
    say(f"resnet by hand, {resnet.max_epochs} epochs: macro F1 {macro(resnet, X_test, y_test):.4f}")


def chosen(args):
    """What `compress` makes of the small CNN within half a point of F1."""
    X, y, X_test, y_test = images(args, args.rows)
    model = trained(args, "plain")
    before, started = macro(model, X_test, y_test), time.process_time()
    small = compress(model, X, y, epochs=args.epochs, random_state=0)
    score, size = macro(small, X_test, y_test), len(small.to_bytes())
    say(f"macro F1 {score:.4f} ({score - before:+.4f}), {size} bytes, {float_bytes(model) / size:.1f} times smaller")
    say(f"{time.process_time() - started:.0f} s of processor time")
    say(small.pareto_front_.to_string())


def bounded(args):
    """AutoClassifier with bounds on the bytes and milliseconds of the model."""
    torch.set_num_threads(os.cpu_count())
    X, y, X_test, y_test = images(args, args.rows)
    bounds = {"bytes": args.bytes, "latency_ms": args.latency}
    auto = AutoClassifier(time_limit=args.seconds, constraints=bounds, random_state=0, verbose=0).fit(X, y)
    say(f"AutoClassifier within {bounds}: macro F1 {macro(auto, X_test, y_test):.4f}")
    shown = ["candidate", "score", "bytes", "latency_ms", "seconds"]
    say(auto.leaderboard(details=True)[["chosen", *shown, "status", "params"]].to_string())
    say(auto.pareto_front_[shown].to_string())


PARTS = {
    "chain": chain,
    "steps": steps_alone,
    "distill": distill,
    "search": search,
    "chosen": chosen,
    "bounded": bounded,
}


def main():
    """Read the command line and run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["speed", "train", *PARTS])
    parser.add_argument("--data", help="folder of public data sets")
    parser.add_argument("--set", choices=["fashion_mnist", "sign_digits"], default="fashion_mnist")
    parser.add_argument("--models", help="folder that keeps trained networks")
    parser.add_argument("--only", nargs="*", help="the steps to measure")
    parser.add_argument("--net", choices=["lenet5", "plain"], default="lenet5")
    parser.add_argument("--rows", type=int, help="number of training rows to use")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--width", type=int, default=16, help="of the student of distill")
    parser.add_argument("--temperature", type=float, default=2.0, help="of distill")
    parser.add_argument("--bytes", type=float, default=100_000, help="bound of bounded")
    parser.add_argument("--latency", type=float, default=1.0, help="bound of bounded, milliseconds")
    parser.add_argument("--batch", type=int, default=64, help="rows of a step of the resnet by hand")
    parser.add_argument("--seconds", type=float, default=600, help="of each side of search")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.part == "speed":
        speed_estimators()
        speed_layers()
    elif args.part == "train":
        trained(args, "plain")
        trained(args, "lenet5")
    else:
        PARTS[args.part](args)


if __name__ == "__main__":
    main()
