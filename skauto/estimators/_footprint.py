"""What a fitted estimator costs: parameters, non-zeros, bytes, multiplications, and milliseconds that were measured."""

import io
import statistics
import time
from dataclasses import dataclass, field

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

MEASURED_SECONDS = 0.2
FEWEST_CALLS = 5
MOST_CALLS = 200


@dataclass(frozen=True)
class Footprint:
    """Cost of a fitted estimator.

    Attributes
    ----------
    parameters, nonzeros : int or None
        Numbers in the network, and those that are not zero; None for estimators that are no networks.
    bytes : int
        Size of the saved estimator: the model file where it has one, else what joblib stores.
    flops, backward_flops : int or None
        Multiplications and additions of one row, forward, and in one training step beyond that. None where unknown.
    latency_ms : float
        Median time of `predict` on one row, on one thread, in milliseconds.
    layers : list of dict
        The same for each layer of a network: name, class, parameters, nonzeros, flops, backward_flops.
    """

    parameters: int | None
    nonzeros: int | None
    bytes: int
    flops: int | None
    backward_flops: int | None
    latency_ms: float
    layers: list = field(default_factory=list, repr=False)

    def frame(self):
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


def footprint(estimator, X):
    """Measure a fitted estimator.

    Parameters
    ----------
    estimator : classifier
        Any fitted estimator with `predict`; networks of this package, alone or as the last step of a Pipeline, get
        counts by layer too.
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
    if not len(X):
        raise ValueError("X has no row to measure with")
    row = X.iloc[:1] if hasattr(X, "iloc") else X[:1]
    latency = latency_ms(estimator, row)
    network, inputs = _network(estimator, row)
    layers = [] if network is None else _layers(network, inputs)

    def total(key):
        values = [layer[key] for layer in layers]
        return None if network is None or None in values else sum(values)

    return Footprint(
        total("parameters"),
        total("nonzeros"),
        saved_bytes(estimator),
        total("flops"),
        total("backward_flops"),
        latency,
        layers,
    )


def saved_bytes(estimator):
    """Size of an estimator once saved: its model file where it has one, else what joblib stores."""
    if hasattr(estimator, "to_bytes"):
        try:
            return len(estimator.to_bytes())
        except TypeError:
            pass  # a network of the user's own classes has no model file; pickle takes it
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.tell()


def latency_ms(estimator, row):
    """Median milliseconds of `predict` on one row, on one thread, over a fifth of a second of calls."""
    with threadpool_limits(1), _OneTorchThread():
        estimator.predict(row)
        times, started = [], time.perf_counter()
        while len(times) < FEWEST_CALLS or (
            time.perf_counter() - started < MEASURED_SECONDS and len(times) < MOST_CALLS
        ):
            before = time.perf_counter()
            estimator.predict(row)
            times.append(time.perf_counter() - before)
    return statistics.median(times) * 1e3


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


def _network(estimator, row):
    """The module inside an estimator and the tensors it would get for this row; None where there is none."""
    while hasattr(estimator, "steps") and not hasattr(estimator, "estimator_"):
        for _, step in estimator.steps[:-1]:
            row = step.transform(row) if step not in ("passthrough", None) else row
        estimator = estimator.steps[-1][1]
    estimator = getattr(estimator, "estimator_", estimator)
    if not (hasattr(estimator, "module_") and hasattr(estimator, "_prepare")):
        return None, None
    X = estimator._check_X(row, reset=False)
    return estimator.module_, estimator._prepare(estimator._tensors(X, reset=False), False)


def _layers(network, inputs):
    from skauto.estimators._flops import count_flops

    flops = count_flops(network, inputs)
    rows = []
    for name, module in network.named_modules():
        own = [*module.parameters(recurse=False), *_stored(module)]
        if not own and name not in flops:
            continue
        forward, backward = flops.get(name, (0, 0))
        rows.append(
            {
                "name": name,
                "class": type(module).__name__,
                "parameters": sum(p.numel() for p in own),
                "nonzeros": sum(int(np.count_nonzero(p.detach().cpu().numpy())) for p in own),
                "flops": forward,
                "backward_flops": backward,
            }
        )
    return rows


def _stored(module):
    """Weights that are no parameters: those of int8 layers."""
    return [b for name, b in module.named_buffers(recurse=False) if name in ("weight", "bias", "scale")]
