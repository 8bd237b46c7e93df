"""What a fitted estimator costs: parameters, non-zeros, bytes, multiplications, and milliseconds that were measured."""

import io
import pickle
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
from scipy import sparse
from threadpoolctl import threadpool_limits

from skauto.estimators._networks import network_inside

# Seconds of calls that a latency is taken from, the fewest calls and the most.
MEASURED_SECONDS, FEWEST_CALLS, MOST_CALLS = 0.2, 5, 200


@dataclass(frozen=True)
class Footprint:
    """Cost of a fitted estimator.

    Attributes
    ----------
    parameters, nonzeros : int or None
        Parameters of the network, and those that are not zero; None for estimators without a network.
    bytes : int
        Size of the saved estimator: the model file where it has one, else what joblib stores.
    flops, backward_flops : int or None
        Multiplications and additions of one row, forward, and in one training step beyond that. None where unknown.
    latency_ms : float
        Time of `predict` on one row, on one thread, in milliseconds: of the fastest of several calls, as other load
        on the machine can only add to it.
    layers : list of dict
        The same for each layer of a network that has weights or multiplies: name, class, parameters, nonzeros, bytes,
        flops, backward_flops, latency_ms. Its bytes are what the model file spends on its tensors, without such a file
        the bytes of its tensors; its latency is the least time inside it, without that of other layers inside it. The
        totals hold more: the header of the file, and the work between layers and around the network. Where a layer's
        weights are used by the module around it, the time and the FLOPs are that one's.
    latency_spread : float
        Ratio of the median call's time to the fastest's: near 1 on an idle machine. Where it is large, measure
        again under less load.
    """

    parameters: int | None
    nonzeros: int | None
    bytes: int
    flops: int | None
    backward_flops: int | None
    latency_ms: float
    layers: list = field(default_factory=list, repr=False)
    latency_spread: float = 1.0

    def frame(self) -> pd.DataFrame:
        """A row for each layer and one for the total, as a DataFrame."""
        total = {
            "name": "total",
            "class": "",
            "parameters": self.parameters,
            "nonzeros": self.nonzeros,
            "bytes": self.bytes,
            "flops": self.flops,
            "backward_flops": self.backward_flops,
            "latency_ms": self.latency_ms,
        }
        return pd.DataFrame([*self.layers, total], columns=list(total))


def footprint(estimator: Any, X: Any) -> "Footprint":
    """Measure a fitted estimator.

    Parameters
    ----------
    estimator : classifier
        Any fitted estimator with `predict`; where a network of this package is inside it, for example at the end of a
        Pipeline, in a threshold classifier or in an AutoClassifier, it is counted by layer.
    X : array or DataFrame
        At least one row, as `predict` takes it; the first is used.

    Returns
    -------
    footprint : Footprint

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If X has no row.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto.estimators import CNNClassifier, footprint
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = CNNClassifier(width=8, depth=1, max_epochs=1, random_state=0).fit(X, y)
    >>> cost = footprint(clf, X)
    >>> cost.parameters
    6274
    >>> cost.frame()["name"].tolist()[0]
    'features.0'
    """
    X = X.tocsr() if sparse.issparse(X) else X  # not every sparse format has rows to take
    if not (X.shape[0] if hasattr(X, "shape") else len(X)):
        raise ValueError("X has no row to measure with; give at least one, as predict takes it")
    row = X.iloc[:1] if hasattr(X, "iloc") else X[:1]
    times = _seconds_of_calls(estimator, row)
    layers = _layers(*network_inside(estimator, row))

    def total(key):
        values = [layer[key] for layer in layers]
        return sum(values) if layers and None not in values else None

    return Footprint(
        total("parameters"),
        total("nonzeros"),
        saved_bytes(estimator),
        total("flops"),
        total("backward_flops"),
        min(times) * 1e3,
        layers,
        statistics.median(times) / max(min(times), 1e-9),
    )


def saved_bytes(estimator: Any) -> int:
    """Size of an estimator once saved: its model file where it has one, else what joblib stores."""
    if hasattr(estimator, "to_bytes"):
        try:
            return len(estimator.to_bytes())
        except TypeError:
            pass  # a network of the user's own classes has no model file; pickle takes it
    buffer = io.BytesIO()
    try:
        joblib.dump(estimator, buffer)
    except (pickle.PicklingError, AttributeError, TypeError):  # a class or function inside a function has no name
        return len(cloudpickle.dumps(estimator))
    return buffer.tell()


def latency_ms(estimator: Any, row: Any) -> float:
    """Milliseconds of `predict` on one row, on one thread: of the fastest call within a fifth of a second.

    Other load on the machine can only add to them.
    """
    return min(_seconds_of_calls(estimator, row)) * 1e3


def _seconds_of_calls(estimator, row):
    """What each of some calls of `predict` takes, on one thread."""
    times = []
    with threadpool_limits(1), _OneTorchThread():
        estimator.predict(row)
        for _ in _calls():
            before = time.perf_counter()
            estimator.predict(row)
            times.append(time.perf_counter() - before)
    return times


def _calls():
    """As many calls as fit into the seconds for them, within bounds."""
    started = time.perf_counter()
    for call in range(MOST_CALLS):
        if call >= FEWEST_CALLS and time.perf_counter() - started >= MEASURED_SECONDS:
            return
        yield call


class _OneTorchThread:
    """Torch on one thread, if torch is loaded at all."""

    def __enter__(self):
        import sys

        self.torch = sys.modules.get("torch")
        if self.torch is not None:
            self.before = self.torch.get_num_threads()
            self.torch.set_num_threads(1)

    def __exit__(self, *error):
        if self.torch is not None:
            self.torch.set_num_threads(self.before)


def _layers(estimators, row):
    """What each layer of the network costs that is the last of these; nothing where there is no network."""
    if not estimators:
        return []
    *wrappers, estimator = estimators
    in_file = next(filter(None, map(_file_bytes, wrappers)), None)
    from skauto.estimators.footprints._flops import count_flops

    network, inputs = estimator.module_, _inputs(estimator, row)
    flops, rows = count_flops(network, inputs), []
    for name, module in network.named_modules():
        tensors = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        if not tensors and name not in flops:
            continue
        weights = [*module.parameters(recurse=False), *_stored(module)]
        forward, backward = flops.get(name, (0, 0))
        rows.append(
            {
                "name": name,
                "class": type(module).__name__,
                "parameters": sum(p.numel() for p in weights),
                "nonzeros": sum(int(np.count_nonzero(p.detach().cpu().numpy())) for p in weights),
                "bytes": _tensor_bytes(tensors) if in_file is None else in_file.get(name, 0),
                "flops": forward,
                "backward_flops": backward,
            }
        )
    times = _layer_latencies(network, inputs, [row["name"] for row in rows])
    return [row | {"latency_ms": times[row["name"]]} for row in rows]


def _inputs(estimator, row):
    """What `predict`, called before, gives its network for this row, on the same device."""
    from skauto.estimators.neural._devices import choose_device

    tensors = estimator._tensors(estimator._check_X(row, reset=False), reset=False)
    return tuple(x.to(choose_device(estimator.device)) for x in estimator._prepare(tensors, False))


def _file_bytes(estimator):
    """What the model file spends on each layer's tensors, by name of the layer; None where there is no such file."""
    if not hasattr(estimator, "storage"):
        return None
    try:
        tensors = estimator.storage()
    except TypeError:  # as in saved_bytes
        return None
    tensors = tensors[tensors["form"] != "json"]
    return tensors["bytes"].groupby(tensors["name"].str.rpartition(".")[0]).sum().to_dict()


def _tensor_bytes(tensors):
    return sum(t.numel() * t.element_size() for t in tensors)


def _layer_latencies(network, inputs, names):
    """Least milliseconds inside each of these modules, on one thread, without that of others of them inside it."""
    import torch

    passes, running, hooks = [], [], []

    def now():
        if inputs[0].is_cuda:
            torch.cuda.synchronize()  # a GPU works on after the call has returned
        return time.perf_counter()

    def enter(module, args):
        running.append([now(), 0.0])

    def leave(name):
        began, inside = running.pop()
        took = now() - began
        passes[-1][name] += took - inside
        if running:
            running[-1][1] += took

    for name in names:
        module = network.get_submodule(name)
        hooks += [
            module.register_forward_pre_hook(enter),
            module.register_forward_hook(lambda *call, name=name: leave(name)),
        ]
    try:
        with threadpool_limits(1), _OneTorchThread(), torch.no_grad():
            for _ in _calls():
                passes.append(dict.fromkeys(names, 0.0))
                network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: min(times[name] for times in passes) * 1e3 for name in names}


def _stored(module):
    """Weights that are no parameters: those of int8 layers."""
    buffers = dict(module.named_buffers(recurse=False))
    return [buffers[name] for name in ("weight", "bias", "scale") if name in buffers and "weight" in buffers]
