"""A neural classifier that is trained, compressed step by step, and saved small."""

import contextlib
import copy
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skauto._deps import require
from skauto._seeds import child_seed
from skauto._sklearn import BaseComposition
from skauto.estimators._losses import LOSSES, WeightedCrossEntropy
from skauto.estimators._neural import NeuralClassifier, choose_device
from skauto.estimators._trainer import train
from skauto.estimators.compression._distill import Distill
from skauto.estimators.compression._fitted import from_plain, to_plain, unfitted
from skauto.estimators.compression._fold import fold_norms
from skauto.estimators.compression._packed import DamagedModelError, from_bytes, report, to_bytes
from skauto.estimators.compression._sparse import skip_zeros
from skauto.estimators.compression._task import Task

torch = require("torch", extra="deep")

EXAMPLE_ROWS = 256


class CompressedClassifier(ClassifierMixin, BaseComposition):
    """Train a neural classifier, then compress its network in steps.

    Predict runs the compressed network; `save`, pickle and joblib store it packed.

    Parameters
    ----------
    estimator : classifier
        A neural classifier of this package; with `Distill` as the first step, any classifier. A fitted one in
        `sklearn.frozen.FrozenEstimator` is compressed as it is, anything else is fitted first.
    steps : list of (str, step)
        `Prune`, `LowRank`, `Quantize`, `Binarize`, `Distill`, applied in order, each training on as it says. Their
        parameters are reached as ``name__parameter``, those of the estimator as ``estimator__parameter``.

    Attributes
    ----------
    estimator_ : NeuralClassifier
        The fitted classifier with the compressed network.
    steps_report_ : DataFrame
        After training and after each step: bytes of the model file, seconds.
    classes_ : ndarray
        Labels, sorted.
    n_features_in_ : int
        Features seen in fit.

    References
    ----------
    Han et al. 2016, "Deep Compression", section 2: prune, codebook, entropy code is
    ``[("prune", Prune(0.9)), ("quantize", Quantize(bits=5))]``, the entropy code being that of the file.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skauto.estimators import CNNClassifier, CompressedClassifier, Prune, Quantize
    >>> X, y = load_digits(return_X_y=True)
    >>> steps = [("prune", Prune(0.7, rounds=1, epochs=1)), ("quantize", Quantize(bits=4, epochs=1))]
    >>> clf = CompressedClassifier(CNNClassifier(width=8, max_epochs=2, random_state=0), steps).fit(X, y)
    >>> bool(len(clf.to_bytes()) < clf.steps_report_["bytes"].iloc[0] / 4)
    True
    """

    def __init__(self, estimator, steps=()):
        self.estimator = estimator
        self.steps = steps

    def get_params(self, deep=True):
        """Parameters by name, those of the steps and the estimator too if `deep`."""
        return self._get_params("steps", deep=deep)

    def set_params(self, **params):
        """Set parameters by name; a step is replaced by its name alone."""
        self._set_params("steps", **params)
        return self

    def fit(self, X, y, sample_weight=None):
        """Train, then compress.

        Parameters
        ----------
        X : array
            Training rows, as the estimator takes them.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For steps that are none, and whatever a step finds impossible: rank 0, every filter removed, more codewords
            than weights.
        """
        self._check_steps()
        if not (self.steps and getattr(self.steps[0][1], "student", None) is not None):
            _check_alone(self.estimator)
        started = time.perf_counter()
        if isinstance(self.estimator, FrozenEstimator):
            base = copy.deepcopy(self.estimator.estimator)
        else:
            base = clone(self.estimator)
            base.fit(X, y) if sample_weight is None else base.fit(X, y, sample_weight=sample_weight)
        work = _Work(base, X, y, sample_weight)
        stages = [("fit", work.size(), time.perf_counter() - started)]
        for name, step in self.steps:
            started = time.perf_counter()
            work.run(name, step)
            stages.append((name, work.size(), time.perf_counter() - started))
        self.steps_report_ = pd.DataFrame(stages, columns=["step", "bytes", "seconds"])
        self._take(work.finished())
        return self

    def predict_proba(self, X):
        """Probability of each class, (n, n_classes), columns in the order of `classes_`."""
        self._must_be_fitted()
        return self.estimator_.predict_proba(X)

    def predict(self, X):
        """The most probable class of each row, (n,)."""
        self._must_be_fitted()
        return self.estimator_.predict(X)

    def to_bytes(self):
        """The model file as bytes.

        Raises
        ------
        TypeError
            If the network has a module, or the labels a type, that a file without code cannot name.
        """
        self._must_be_fitted()
        return to_bytes(self.estimator_.module_, to_plain(self.estimator_))

    def storage(self):
        """What the model file spends its bytes on.

        Returns
        -------
        frame : DataFrame
            A row for each tensor and one for the header: name, form, bytes, and `bound`, the zero-order entropy of its
            symbols plus its codebook.
        """
        return pd.DataFrame(report(self.to_bytes()))

    def save(self, path):
        """Write the model file, through a temporary file beside it; returns its path."""
        path, data = Path(path), self.to_bytes()
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(data)
        partial.replace(path)
        return path

    @classmethod
    def load(cls, path):
        """Read a model file. It holds no code, so a file of unknown origin can do no more than predict badly.

        The steps are not in it: the loaded classifier predicts, and fits as the uncompressed estimator would.

        Raises
        ------
        DamagedModelError
            A ValueError: the file is damaged, cut short, or no model file.
        """
        made = cls(None)
        made._take(_unpacked(Path(path).read_bytes()))
        made.estimator = unfitted(made.estimator_)
        return made

    def _must_be_fitted(self):
        if not hasattr(self, "estimator_"):
            check_is_fitted(self, "estimator_")  # asks for all tags first, which can take longer than a small net

    def _take(self, fitted):
        self.estimator_ = fitted
        for key in ("classes_", "n_features_in_", "feature_names_in_"):
            if hasattr(fitted, key):
                setattr(self, key, getattr(fitted, key))
            elif hasattr(self, key):
                delattr(self, key)

    def _check_steps(self):
        names = []
        for number, step in enumerate(self.steps):
            if not (
                isinstance(step, tuple) and len(step) == 2 and isinstance(step[0], str) and hasattr(step[1], "apply")
            ):
                raise ValueError(
                    f"steps[{number}] must be (name, step), the step being Prune(...) or the like, got {step!r}"
                )
            names.append(step[0])
        self._validate_names(names)
        last = [name for name, step in self.steps[:-1] if getattr(step, "method", None) == "int8"]
        if last:
            raise ValueError(f"step {last[0]!r} makes an int8 network, which no later step can work on: put it last")

    def __getstate__(self):
        """Packed, and without what else the parameters hold that is fitted."""
        state = super().__getstate__().copy()
        if "estimator_" not in state:
            return state
        with contextlib.suppress(TypeError):  # a network of the user's own classes is pickled whole
            state["estimator_"] = to_bytes(self.estimator_.module_, to_plain(self.estimator_))
        if self.estimator is not None:
            state["estimator"] = unfitted(self.estimator)
        state["steps"] = [(name, _unfitted_step(step)) for name, step in self.steps]
        return state

    def __setstate__(self, state):
        packed = state.get("estimator_")
        super().__setstate__(state | ({"estimator_": _unpacked(packed)} if isinstance(packed, bytes) else {}))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if isinstance(self.estimator, BaseEstimator):
            tags.input_tags = self.estimator.__sklearn_tags__().input_tags
        return tags


class _Work:
    """The classifier in the making: an estimator whose network is replaced step by step."""

    def __init__(self, base, X, y, sample_weight):
        self.base, self.X, self.y, self.sample_weight = base, X, y, sample_weight
        self.estimator = None
        if isinstance(base, NeuralClassifier):
            self._begin(base)
            self.net = copy.deepcopy(base.module_).cpu().eval()

    def run(self, name, step):
        """Apply one step; what goes wrong says which step it was."""
        if self.estimator is None and not (isinstance(step, Distill) and step.student is not None):
            raise ValueError(
                f"step {name!r} works on networks, and {type(self.base).__name__} is none: start with a Distill step "
                "that has a student, for example Distill(CNNClassifier(width=16))"
            )
        self.net = step.apply(getattr(self, "net", None), self._task()).cpu().eval()

    def size(self):
        """Bytes of the model file as it would be now; NaN where it cannot be written."""
        if self.estimator is None:
            return float("nan")
        try:
            return len(to_bytes(self.net, to_plain(self.estimator)))
        except TypeError:
            return float("nan")

    def finished(self):
        """The estimator with its network in the form that runs fastest."""
        if self.estimator is None:
            raise ValueError(f"{type(self.base).__name__} is no network, and no step teaches one: add a Distill step")
        self.estimator.module_ = _quickest(self.net)
        self.estimator._optimizer_state = None
        return self.estimator

    def _begin(self, estimator):
        self.estimator = estimator
        X = estimator._check_X(self.X, reset=False)
        self.rows = estimator._rows(X, estimator._check_y(X, self.y), self.sample_weight, reset=False)

    def _task(self):
        lead = self.estimator if self.estimator is not None else self.base
        example = None
        if self.estimator is not None:
            step = max(1, len(self.rows) // EXAMPLE_ROWS)
            some = tuple(x[::step][:EXAMPLE_ROWS] for x in self.rows.inputs)
            example = self.estimator._prepare(some, False)[0]
        return Task(
            X=self.X,
            y=self.y,
            classes=lead.classes_,
            example=example,
            train=self._train,
            fresh=self._fresh,
            predict_proba=self._predict_proba,
            lr=getattr(lead, "lr", None),
            seed=getattr(lead, "_seed", 0),
        )

    def _predict_proba(self, X):
        if self.estimator is None:
            return self.base.predict_proba(X)
        now = copy.copy(self.estimator)
        now.module_ = self.net
        return now.predict_proba(X)

    def _fresh(self, student):
        """The untrained network of a student, which is the estimator from now on."""
        student = clone(student)
        student._validate_params()
        _check_alone(student)
        X = student._check_X(self.X, reset=True)
        student.classes_ = self.base.classes_
        student._tensors(X, reset=True)
        student._begin()
        student.n_iter_ = 0
        self._begin(student)
        return student.module_

    def _train(self, net, epochs, lr, criterion, targets):
        estimator, rows = self.estimator, self.rows
        device = choose_device(estimator.device)
        settings = replace(
            estimator._settings(len(rows), device, None),
            lr=estimator.lr if lr is None else lr,
            max_epochs=epochs,
            seed=child_seed(estimator._seed, "compress"),
        )
        loss = WeightedCrossEntropy(estimator.label_smoothing, LOSSES[estimator.loss])
        if criterion is not None:
            loss = criterion(loss)
            rows = replace(rows, codes=torch.cat([rows.codes[:, None].float(), targets], dim=1))
        train(
            net.to(device), rows, None, settings, criterion=loss, prepare=estimator._prepare, epochs=epochs, history=[]
        )
        net.cpu()


def _check_alone(estimator):
    """Raise a ValueError for members side by side, which only a Distill step can make one net of."""
    members = getattr(estimator, "n_members", 1)
    if members > 1:
        name = type(getattr(estimator, "estimator", estimator)).__name__
        raise ValueError(
            f"n_members={members} of {name} are nets side by side, which no step can compress: use n_members=1, or let "
            f"them teach one net with a first step Distill({name}(n_members=1))"
        )


def _quickest(net):
    """The network in the form that predicts fastest: norms folded, zeros skipped, channels last in memory."""
    with contextlib.suppress(torch.fx.proxy.TraceError):  # a module of the user's own may branch on its input
        fold_norms(net)
    return skip_zeros(net).to(memory_format=torch.channels_last)


def _unfitted_step(step):
    fitted = {key: unfitted(v) for key, v in step.get_params(deep=False).items() if hasattr(v, "fit")}
    return clone(step).set_params(**fitted)


def _unpacked(data):
    net, plain = from_bytes(data)
    try:
        return from_plain(plain, net.to(memory_format=torch.channels_last))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedModelError(f"the model file cannot be read: {error}") from error
