"""A neural classifier that is trained, compressed step by step, and saved small."""

import copy
import itertools
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skauto._deps import require
from skauto._files import write_whole
from skauto._sklearn import BaseComposition, check_has
from skauto.estimators.compression._checks import check
from skauto.estimators.compression._session import Work, check_alone, makes_student
from skauto.estimators.compression.steps._distill import Distill
from skauto.estimators.compression.storage._by_value import held, picklable
from skauto.estimators.compression.storage._fitted import from_plain, must_answer, to_plain, unfitted
from skauto.estimators.compression.storage._packed import DamagedModelError, from_bytes, report, to_bytes
from skauto.estimators.images._images import rows_for
from skauto.estimators.neural._time_limit import current_limit, shortened_to

if TYPE_CHECKING:
    from skauto.estimators.sequences._streaming import Stream

torch = require("torch", extra="deep")


class CompressedClassifier(ClassifierMixin, BaseComposition):
    """Train a neural classifier, then compress its network in steps.

    Predict runs the compressed network; `save`, pickle and joblib store it packed.

    Parameters
    ----------
    estimator : classifier
        A `CNNClassifier`, `MLPClassifier`, `MinGRUClassifier` or `MinLSTMClassifier`; with `Distill` as the first step,
        any classifier (one that takes only tables gets images as rows of pixels). For sequence networks, single-weight
        pruning, weight sharing, 8-bit storage and binarisation work; steps that rebuild layers raise an error.
        A fitted one in `sklearn.frozen.FrozenEstimator` is compressed without refitting, any other is fitted first.
    steps : list of (str, step)
        `Prune`, `LowRank`, `Quantize`, `Binarize`, `Distill`, applied in order, each fine-tuning by its own settings
        (without mixup and MixStyle); "passthrough" instead of a step skips it. `Quantize` and `Binarize` come last.
        Their parameters are reached as ``name__parameter``, those of the estimator as ``estimator__parameter``.
    time_limit : float, default=None
        Seconds for the training of the estimator and all steps together; training that would end later is shortened,
        to one batch at least. None: no limit.

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

    time_limit = None  # of models that were saved before there was one

    def __init__(self, estimator: Any, steps: Any = (), time_limit: float | None = None) -> None:
        self.estimator = estimator
        self.steps = steps
        self.time_limit = time_limit

    @property
    def passes_on(self) -> bool:
        """True: its probabilities are those of the inner estimator, whose class weights `resample` reads."""
        return not any(isinstance(step, tuple) and isinstance(step[-1], Distill) for step in self.steps)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name, those of the steps and the estimator too if `deep`."""
        return self._get_params("steps", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; a step is replaced by its name alone."""
        self._set_params("steps", **params)
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
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
            For an invalid step, a `time_limit` that is not a number above 0, and what a step cannot do, such as rank 0
            or removing every filter.
        """
        steps = self._checked_steps()
        if not (steps and makes_student(steps[0][1])):
            check_alone(self.estimator)
        with shortened_to(self.time_limit):
            self._compress(steps, X, y, sample_weight)
        return self

    def _compress(self, steps, X, y, sample_weight):
        """Train the estimator unless it is frozen, then take the steps."""
        started = time.perf_counter()
        if isinstance(self.estimator, FrozenEstimator):
            check_is_fitted(self.estimator.estimator)
            base = copy.deepcopy(self.estimator.estimator)
        else:
            base = clone(self.estimator)
            weights = {} if sample_weight is None else {"sample_weight": sample_weight}
            base.fit(rows_for(base, X), y, **weights)
        work = Work(base, X, y, sample_weight)
        names, sizes, seconds = ["fit"], [], [time.perf_counter() - started]
        for name, step in steps:
            sizes.append(work.size())
            current_limit().check()
            started = time.perf_counter()
            work.run(name, step)
            names.append(name)
            seconds.append(time.perf_counter() - started)
        self._take(work.finished())
        sizes.append(work.size())  # only now: finishing folds norms, which the file gains by
        self.steps_report_ = pd.DataFrame({"step": names, "bytes": sizes, "seconds": seconds})

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, (n, n_classes), columns in the order of `classes_`."""
        check_has(self, "estimator_")
        return self.estimator_.predict_proba(X)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row, (n,)."""
        check_has(self, "estimator_")
        return self.estimator_.predict(X)

    @available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), "stream"))
    def stream(self, n: int = 1) -> "Stream":
        """Follow n series one step at a time, as `MinGRUClassifier.stream` does, with the compressed network."""
        check_has(self, "estimator_")
        return self.estimator_.stream(n)

    def to_bytes(self) -> bytes:
        """The model file as bytes.

        Raises
        ------
        TypeError
            If the network has a module, or the labels a type, that a file without code cannot name.
        """
        check_has(self, "estimator_")
        must_answer(self.estimator_)
        return to_bytes(self.estimator_.module_, to_plain(self.estimator_))

    def storage(self) -> pd.DataFrame:
        """The bytes of the model file by tensor.

        Returns
        -------
        frame : DataFrame
            A row for each tensor and one for the header: name, form, bytes, and `bound`, the zero-order entropy of its
            symbols plus its codebook.
        """
        return pd.DataFrame(report(self.to_bytes()))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model file atomically; returns its path."""
        return write_whole(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model file. It holds no code: the worst that a file of unknown origin can do is to predict badly.

        The steps are not in it: the loaded classifier predicts, and fits as the uncompressed estimator would.

        Raises
        ------
        DamagedModelError
            A ValueError: the file is damaged, truncated, or no model file.
        """
        made = cls(None)
        made._take(_unpacked(Path(path).read_bytes()))
        made.estimator = unfitted(made.estimator_)
        return made

    def _take(self, fitted):
        self.estimator_ = fitted
        for key in ("classes_", "n_features_in_", "feature_names_in_"):
            if hasattr(fitted, key):
                setattr(self, key, getattr(fitted, key))
            elif hasattr(self, key):
                delattr(self, key)

    def _checked_steps(self):
        """The steps that are to be done."""
        if self.time_limit is not None:
            check(self, "time_limit", lambda seconds: seconds > 0, "a number of seconds above 0, or None")
        if not hasattr(self.estimator, "fit"):
            raise ValueError(f"estimator must be a classifier, such as CNNClassifier(), got {self.estimator!r}")
        steps = self.steps if isinstance(self.steps, (list, tuple)) else [self.steps]
        for number, step in enumerate(steps):
            if not (isinstance(step, tuple) and len(step) == 2 and isinstance(step[0], str) and _is_step(step[1])):
                raise ValueError(
                    f"steps[{number}] must be (name, step), the step being Prune(...) or the like, or 'passthrough', "
                    f"got {step!r}"
                )
        self._validate_names([name for name, _ in steps])
        steps = [(name, step) for name, step in steps if step != "passthrough"]
        for (name, step), (after, later) in itertools.pairwise(steps):
            if getattr(step, "ends", False) and not makes_student(later):
                raise ValueError(
                    f"step {after!r} cannot follow step {name!r}, {step!r}: it would undo what that makes of the "
                    f"weights. Put {name!r} last"
                )
        return steps

    def __deepcopy__(self, memo):
        made = clone(self)  # which shares the estimator if it is frozen
        made.steps = copy.deepcopy(self.steps, memo)
        params = self.get_params(deep=False)
        for key, value in vars(self).items():
            if key not in params:
                setattr(made, key, copy.deepcopy(value, memo))
        return made

    def __getstate__(self):
        """Packed, and without what else the parameters hold that is fitted."""
        state = super().__getstate__().copy()
        if "estimator_" not in state:
            return state
        if self.estimator is not None:
            state["estimator"] = picklable(unfitted(self.estimator))
        state["steps"] = picklable([(name, _unfitted_step(step)) for name, step in self.steps])
        try:
            state["estimator_"] = self.to_bytes()
        except TypeError:  # a network of the user's own classes is pickled whole, and they may stand inside a function
            state["estimator_"] = picklable(self.estimator_)
        return state

    def __setstate__(self, state):
        state = {key: held(value) for key, value in state.items()}
        packed = state.get("estimator_")
        super().__setstate__(state | ({"estimator_": _unpacked(packed)} if isinstance(packed, bytes) else {}))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if isinstance(self.estimator, BaseEstimator):
            tags.input_tags = self.estimator.__sklearn_tags__().input_tags
        return tags


def _is_step(step):
    return step == "passthrough" or (hasattr(step, "apply") and not isinstance(step, type))


def _unfitted_step(step):
    if step == "passthrough":
        return step
    own = step.get_params(deep=False).items()
    fitted = {key: unfitted(v) for key, v in own if hasattr(v, "fit") and hasattr(v, "get_params")}
    return clone(step).set_params(**fitted)


def _unpacked(data):
    net, plain = from_bytes(data)
    try:
        return from_plain(plain, net.to(memory_format=torch.channels_last))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedModelError(f"the model file cannot be read: {error}") from error
