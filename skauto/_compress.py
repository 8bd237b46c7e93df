"""compress(): tries chains of compression steps, measures each, and gives back the one that meets the target best."""

import math
import time
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from skauto._deps import require
from skauto._seeds import child_seed, root_seed
from skauto._telling import steady_streams, warn
from skauto.automl._kind import kind_of
from skauto.estimators.footprints._footprint import footprint
from skauto.estimators.images._images import rows_for
from skauto.estimators.neural._time_limit import limited
from skauto.inputs._sequences import is_ragged

if TYPE_CHECKING:  # loads PyTorch, which only a call needs
    from skauto.estimators.compression._classifier import CompressedClassifier

TARGETS = ("bytes", "latency_ms", "max_loss")
MAX_LOSS = 0.005
SMALLEST = 1024  # non-zero weights of a layer that is given a codebook
# The part of the time limit that fitting the estimator may take, and the seconds that measuring a chain takes at least.
FIT_FRACTION, MEASURED_SECONDS = 0.5, 0.5


@steady_streams()
def compress(
    estimator: Any,
    X: Any,
    y: Any,
    target: Mapping[str, float] | None = None,
    *,
    scoring: str | Callable[..., float] = "f1_macro",
    epochs: int = 3,
    time_limit: float | None = None,
    validation: float = 0.2,
    random_state: Any = None,
) -> "CompressedClassifier":
    """Choose and apply compression steps so that a classifier meets a target, everything measured.

    A fraction of the rows is held back; on it every chain is scored. Bytes are those of the model file, latency is the
    quickest `predict` of one row on one thread. With a bound on bytes or latency the best score within the bounds wins,
    else the smallest file.

    Parameters
    ----------
    estimator : classifier
        A `CNNClassifier`, `MLPClassifier`, `MinGRUClassifier` or `MinLSTMClassifier`, fitted or not, in a
        FrozenEstimator or not; or any other classifier that is no network, which then teaches small ones; it is given
        images as rows of pixels if it takes tables alone. Small networks of tables need numbers without missing values.
        Of a Pipeline, a threshold or an AutoClassifier on images or series the network inside is compressed.
        One that was fitted on these rows knows those held back too: its own score, and so the loss, is then flattered.
    X : array or DataFrame
        Rows to train and measure on, as the estimator takes them.
    y : array-like of shape (n,)
        Labels.
    target : dict, default=None
        Any of "bytes", "latency_ms" (milliseconds) and "max_loss" (largest fall of the score). None: max_loss of 0.005.
    scoring : str or callable, default="f1_macro"
        scikit-learn scorer, greater being better.
    epochs : int, default=3
        Epochs of training after each step; twice as many after pruning, four times for a network that is taught.
    time_limit : float, default=None
        Seconds for everything. The chain that runs when they end is stopped and left out; of the first one the training
        is shortened instead, with a warning, and so is that of a network that is not fitted yet, to half of them.
    validation : float, default=0.2
        Fraction of rows held back.
    random_state : int, RandomState, Generator or None, default=None
        Fixes the rows held back, and the first weights of networks that are taught.

    Returns
    -------
    compressed : CompressedClassifier
        Fitted, with `pareto_front_`: a DataFrame with a row for each chain, its score, loss, bytes, latency_ms,
        parameters, nonzeros, flops, seconds, whether it is on the front (none other is better in score, bytes and
        latency), meets the target, and is the one returned.

    Raises
    ------
    ValueError
        For an unknown or impossible target, rows that no chain can be fitted on, and where no
        chain meets the target; the message then says what came nearest.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto import compress
    >>> from skauto.estimators import CNNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = CNNClassifier(width=8, depth=1, max_epochs=3, random_state=0).fit(X, y)
    >>> small = compress(clf, X, y, target={"bytes": 12_000}, epochs=1, time_limit=1.0, random_state=0)
    >>> len(small.to_bytes()) <= 12_000
    True
    """
    target = _checked(target)
    _check_rows(X, y)
    _check_numbers(epochs, time_limit, validation)
    require("torch", extra="deep")
    trials, seed = _Trials(time_limit), root_seed(random_state)
    estimator = _compressible(estimator)
    scorer = check_scoring(estimator, scoring)
    held = train_test_split(
        np.arange(len(y)), test_size=validation, stratify=y, random_state=child_seed(seed, "validation")
    )
    trials.begin(estimator, scorer, *(_take(X, y, rows) for rows in held))
    for name, steps in recipes(trials.base.estimator, X, epochs, child_seed(seed, "students")).items():
        if not trials.run(name, steps):
            break
    _say_what_failed(trials.failed, trials.models)
    return _chosen(pd.DataFrame(trials.measured), trials.models, target)


class _Trials:
    """Chains tried within a time limit: what each one made, and what was measured of it."""

    def __init__(self, time_limit: float | None) -> None:
        self.time_limit = time_limit
        self.began = time.monotonic()
        self.end = math.inf if time_limit is None else self.began + time_limit
        self.measured: list[dict[str, Any]] = []
        self.models: list[Any] = []
        self.failed: dict[str, Exception] = {}

    def begin(
        self, estimator: Any, scorer: Callable[..., float], train: tuple[Any, Any], held: tuple[Any, Any]
    ) -> None:
        """Fit the estimator if it is not, and score it."""
        self.scorer, self.train, self.held = scorer, train, held
        with limited(self.began + FIT_FRACTION * (self.end - self.began) if self.end < math.inf else math.inf) as limit:
            self.base = FrozenEstimator(_network(_fitted(estimator, *train)))
        if limit.shortened and getattr(self.base.estimator, "time_limit", None) is None:
            warn(
                f"time_limit={self.time_limit} was too short to train {type(self.base.estimator).__name__}() as it "
                "should be before it is compressed: it was trained less. Raise time_limit, or give one that is fitted",
            )
        scored = time.monotonic()
        self.full = scorer(self.base.estimator, rows_for(self.base.estimator, held[0]), held[1])
        self.measuring = 2 * (time.monotonic() - scored) + MEASURED_SECONDS

    def run(self, name: str, steps: list[Any]) -> bool:
        """Try a chain; False where its time was over."""
        from skauto.estimators.compression._classifier import CompressedClassifier

        began, first = time.monotonic(), not self.models
        end = self.end if self.end == math.inf else max(self.end - self.measuring, began)
        if not first and began >= end:
            return False
        with limited(end, gives_up=not first) as limit:
            try:
                model = CompressedClassifier(self.base, steps).fit(*self.train)
                limit.check()
            except TimeoutError:
                return False
            except (ValueError, TypeError) as error:  # a chain that this network is too small for, rows of no numbers
                self.failed[name] = error
                return True
        self._measure(name, model, began)
        if first and limit.shortened:
            self._say_shortened(name)
        return True

    def _measure(self, name, model, began):
        fitted = time.monotonic()
        score, cost = self.scorer(model, *self.held), footprint(model, self.held[0])
        ended = time.monotonic()
        self.measuring = max(self.measuring, ended - fitted)
        self.models.append(model)
        row = {"chain": name, "score": score, "loss": self.full - score, **_costs(cost)}
        self.measured.append(row | {"seconds": ended - began})

    def _say_shortened(self, name):
        warn(
            f"time_limit={self.time_limit} was over before the first chain, {name!r}, was trained as it should be: it "
            "was trained less. Raise time_limit, or give an estimator that is fitted",
        )


def _compressible(estimator):
    """The classifier itself, out of a FrozenEstimator; ValueError where nothing can be made of it."""
    from skauto.estimators.compression.storage._fitted import KNOWN
    from skauto.estimators.neural._neural import NeuralClassifier

    while isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    if not hasattr(estimator, "get_params"):
        raise ValueError(
            f"compress needs a classifier of scikit-learn's kind, got {type(estimator).__name__}: if it has classes_ "
            "and predict_proba, let it teach a network, CompressedClassifier(net, [('d', Distill(teacher=it))])"
        )
    if not is_classifier(estimator):
        raise ValueError(f"compress needs a classifier, got {type(estimator).__name__}")
    names = {made.__name__ for made in type(estimator).__mro__}
    if isinstance(estimator, NeuralClassifier) and not names & set(KNOWN):
        raise ValueError(
            f"compress has no steps for the networks of estimator={type(estimator).__name__}(), only for those of "
            f"{' and '.join(KNOWN)}; a classifier that is no network can teach a small one of these"
        )
    return estimator


def _network(fitted):
    """The single network that a fitted classifier ends in, if it sees the rows as they are, else the classifier."""
    from skauto.estimators._networks import way_to_network
    from skauto.estimators.compression.storage._tree import OWN_LEAVES

    found, before = way_to_network(fitted)
    if not found or before or getattr(found[-1], "n_members", 1) > 1:
        return fitted
    final = {type(module).__name__ for module in found[-1].module_.modules()} & set(OWN_LEAVES) - {"SparseLinear"}
    return fitted if final else found[-1]


def _say_what_failed(failed, models):
    """Warn of chains that were left out; ValueError where that were all."""
    if failed and not models:
        name, error = next(iter(failed.items()))
        said = str(error).partition("\n")[0]
        raise ValueError(
            f"no chain could be fitted: {said} (chain {name!r}); networks, taught ones too, need X to be "
            "numbers without missing values: impute and encode it before, with SimpleImputer for example, fit and "
            "compress the estimator on that, and put the same preparation before the result in a Pipeline"
        ) from error
    for name, error in failed.items():
        warn(f"compress left out the chain {name!r}: {error}")


def _costs(cost):
    return {key: getattr(cost, key) for key in ("bytes", "latency_ms", "parameters", "nonzeros", "flops")}


def recipes(estimator: Any, X: Any, epochs: int, seed: int | None = None) -> dict[str, list[Any]]:
    """The chains to try, mild ones first: name to steps. The seed is that of students."""
    from skauto.estimators.compression.steps._lowrank import LowRank
    from skauto.estimators.compression.steps._prune import Prune
    from skauto.estimators.compression.steps._quantize import Quantize
    from skauto.estimators.neural._neural import NeuralClassifier

    if not isinstance(estimator, NeuralClassifier) or getattr(estimator, "n_members", 1) > 1:
        return _students(_kind(estimator, X), epochs, seed)
    int8 = ("int8", Quantize("int8"))

    def book(bits):
        return ("codebook", Quantize(bits=bits, conv_bits=bits + 1, smallest=SMALLEST, epochs=epochs))

    def pruned(what, amount):
        """What is taken away costs more than the rate of fine-tuning brings back: train as at first."""
        return (what, Prune(amount, what=what, rounds=1, epochs=2 * epochs, lr=estimator.lr))

    chains = [[book(6)], [book(4)], [book(3)], [pruned("weights", 0.5), book(4)]]
    chains += [[pruned("weights", 0.7), book(5)], [pruned("weights", 0.85), book(4)]]
    if hasattr(estimator, "stream"):
        chains = [[int8], *chains]
    if hasattr(estimator, "image_shape_"):
        chains = [[int8], *chains, [("low rank", LowRank(ratio=0.5, epochs=epochs)), int8]]
        chains += [[pruned("filters", amount), int8] for amount in (0.3, 0.5, 0.7)]
        chains += [[pruned("filters", 0.3), pruned("weights", 0.7), book(5)]]
        chains += [[pruned("filters", 0.5), pruned("weights", 0.7), book(4)]]
    return {", ".join(_say(step) for step in chain): chain for chain in chains}


def _kind(estimator, X):
    """What the rows are to students: what an AutoClassifier took them for, or else what they look like."""
    return kind_of(X, getattr(estimator, "kind_", "auto"))


def _students(kind, epochs, seed):
    """Chains for what is no single network: it teaches small ones."""
    from skauto.estimators.compression.steps._distill import Distill
    from skauto.estimators.compression.steps._quantize import Quantize

    if kind.student is None:
        raise TypeError(
            f"compress has no small network to teach for data of kind {kind.name!r}: give it a single network, or name "
            f"chains of your own"
        )
    students = {f"student of {size}": kind.student(size, seed) for size in (8, 16, 32)}
    book = [("quantize", Quantize(bits=6, smallest=SMALLEST, epochs=epochs))]
    taught = {n: [("distill", Distill(s, epochs=4 * epochs))] for n, s in students.items()}
    return taught | {f"{name}, codebook": [*steps, *book] for name, steps in taught.items()}


def _say(step):
    name, made = step
    amount = getattr(made, "amount", None)
    return f"{name} {amount:g}" if amount else f"{name} {made.bits}" if name == "codebook" else name


def _check_rows(X, y):
    if sparse.issparse(X):
        raise ValueError("X is sparse, which networks do not take: give compress X.toarray()")
    n_rows, n_labels = (values.shape[0] if hasattr(values, "shape") else len(values) for values in (X, y))
    if n_rows != n_labels:
        raise ValueError(f"X has {n_rows} rows but y has {n_labels} labels")


def _check_numbers(epochs, time_limit, validation):
    def is_number(value, kind=Real):
        return isinstance(value, kind) and not isinstance(value, bool)

    if not (is_number(epochs, Integral) and epochs >= 1):
        raise ValueError(f"epochs must be an integer of at least 1, got {epochs!r}")
    if not (time_limit is None or (is_number(time_limit) and time_limit > 0)):
        raise ValueError(f"time_limit must be a number of seconds above 0, or None, got {time_limit!r}")
    if not (is_number(validation) and 0 < validation < 1):
        raise ValueError(f"validation must be a fraction of the rows between 0 and 1, got {validation!r}")


def _checked(target):
    if target is not None and not isinstance(target, Mapping):
        raise ValueError(f"target={target!r} must be a dict such as {{'bytes': 100_000}}, or None")
    target = {"max_loss": MAX_LOSS} if target is None else dict(target)
    for name, value in target.items():
        if name not in TARGETS:
            raise ValueError(f"target has an unknown entry {name!r}; there are {', '.join(TARGETS)}")
        if not isinstance(value, Real) or isinstance(value, bool) or not value > 0 or math.isinf(value):
            raise ValueError(f"target[{name!r}] must be a number above 0, got {value!r}")
    if not target:
        raise ValueError("target is empty: give bytes, latency_ms or max_loss, or None for a max_loss of 0.005")
    return target


def _fitted(estimator, X, y):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return clone(estimator).fit(rows_for(estimator, X), y)
    return estimator


def _take(X, y, rows):
    if is_ragged(X):
        return [X[row] for row in rows], np.asarray(y)[rows]
    return X.iloc[rows] if hasattr(X, "iloc") else np.asarray(X)[rows], np.asarray(y)[rows]


def _chosen(frame, models, target):
    """The model that meets the target best, with the table of all."""
    excess = pd.DataFrame(
        {name: frame["loss" if name == "max_loss" else name] / bound for name, bound in target.items()}
    )
    frame["front"] = _front(frame)
    frame["meets_target"] = (excess <= 1).all(axis=1)
    if not frame["meets_target"].any():
        near = frame.loc[excess.max(axis=1).idxmin()]
        raise ValueError(
            f"no chain meets target={target}; the nearest, {near['chain']!r}, has {near['bytes']} bytes, "
            f"{near['latency_ms']:.3g} ms and a loss of {near['loss']:.4f}. Loosen the target, give more epochs, or "
            "start from a smaller or better trained estimator"
        )
    bounded = {"bytes", "latency_ms"} & set(target)
    order = ["score", "bytes"] if bounded else ["bytes", "score"]
    ranked = frame[frame["meets_target"]].sort_values(order, ascending=[not bounded, bool(bounded)])
    best = ranked.index[0]
    frame["chosen"] = frame.index == best
    model = models[best]
    model.pareto_front_ = frame
    return model


def _front(frame):
    """Whether no other row is at least as good in score, bytes and latency, and better in one."""
    costs = np.column_stack([-frame["score"], frame["bytes"], frame["latency_ms"]])
    return [not ((costs <= row).all(axis=1) & (costs < row).any(axis=1)).any() for row in costs]
