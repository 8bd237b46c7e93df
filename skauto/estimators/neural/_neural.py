"""The common part of all neural classifiers: parameters, fit, partial_fit and predict around the one training loop.

A family of nets is a subclass with an `__init__` that lists its parameters and four hooks: `_check_X` (what X may
be), `_tensors` (X as tensors), `_build` (the module) and, where batches need work, `_prepare` (augmentation, padding).
"""

import math
import time
from contextlib import ExitStack
from numbers import Integral, Real
from typing import Any, Self, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import assert_all_finite
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skauto._deps import require
from skauto._seeds import child_seed, root_seed
from skauto._sklearn import Interval, StrOptions, check_has, check_sample_weight
from skauto.estimators.neural._devices import choose_device, on_cpu, placed
from skauto.estimators.neural._initializers import INITIALIZERS, initialize
from skauto.estimators.neural._losses import LOSSES, WeightedCrossEntropy, check_class_weight, probabilities
from skauto.estimators.neural._optimizers import OPTIMIZERS
from skauto.estimators.neural._schedules import SCHEDULES
from skauto.estimators.neural._threads import threads_for
from skauto.estimators.neural._trainer import Rows, Settings, seeded, train

torch = require("torch", extra="deep")

VALIDATION_FRACTION = 0.15  # held out for early stopping
PATIENCE = 10  # epochs without improvement that early_stopping=True waits
PREDICT_ROWS, PREDICT_VALUES = 1024, 1 << 18  # most rows, and numbers in them, in a batch of predict
EFFECTIVE = 0.999  # beta of class_weight="effective"
_Class = TypeVar("_Class", bound=type)

TRAINING_PARAMETERS = """\
    batch_size : int or "auto"
        Rows in a batch; "auto" is a fortieth of the rows, between 16 and 256.
    max_epochs : int
        Maximum number of epochs.
    time_limit : float or None
        Seconds that `fit` may take: batches that would end later are skipped, and the schedule is shortened to match.
        At least one batch is done.
    lr : float
        Peak learning rate of the schedule.
    optimizer : {"sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamw"}
        "momentum" and "nesterov" are SGD with momentum.
    momentum : float in [0, 1)
        Momentum of "momentum" and "nesterov", first beta of "adam" and "adamw"; the others have none.
    weight_decay : float
        L2 penalty of the weights, not of biases and norms. Decoupled for "adamw".
    init : {"default", "xavier", "he", "orthogonal"}
        Initial weights of linear and convolution layers; "default" is PyTorch's choice for each layer.
    lr_schedule : {"constant", "step", "exponential", "cosine", "one_cycle", "plateau"}
        Learning rate schedule: "step" divides it by ten after each third, "exponential" decays it to a hundredth,
        "cosine" to zero, "one_cycle" raises it for 30 % of the schedule and then decays it to zero, "plateau" halves it
        when the loss has not improved for five epochs.
    clip_norm : float or None
        Maximum norm of the gradient.
    clip_value : float or None
        Maximum absolute value of each gradient entry.
    loss : {"cross_entropy", "focal"}
        "focal" (gamma 2) gives less weight to rows that are already well predicted; probabilities become
        underconfident.
    label_smoothing : float in [0, 1)
        Fraction of the target distributed over all classes.
    class_weight : "balanced", "effective", dict {label: weight} or None
        Weight of each class in the loss; multiplied with `sample_weight`. "effective" is the class-balanced loss (Cui
        et al., CVPR 2019): n rows of a class count as (1 - 0.999^n) / (1 - 0.999), between None and "balanced".
    early_stopping : bool or int
        Hold back 15 % of the rows, stop when their loss has not improved for this many epochs (True: 10) and keep the
        weights of the best epoch.
    device : str
        "auto" is the GPU if PyTorch sees one, else "cpu".
    random_state : int, RandomState, Generator or None
        Fixes initial weights, order of rows, dropout and the rows held back.
    verbose : int
        1 prints a line for each epoch.
"""

TRAINING_ATTRIBUTES = """\
    module_ : torch.nn.Module
        The trained net.
    classes_ : ndarray
        Labels, sorted.
    history_ : list of dict
        One entry an epoch: epoch, train_loss, valid_loss with early stopping, lr, seconds.
    n_iter_ : int
        Epochs run.
"""


def shares_training(cls: _Class) -> _Class:
    """Replace ``[training parameters]`` and ``[training attributes]`` in a class docstring by the common texts."""
    doc = (cls.__doc__ or "").replace("    [training parameters]\n", TRAINING_PARAMETERS)
    cls.__doc__ = doc.replace("    [training attributes]\n", TRAINING_ATTRIBUTES)
    return cls


class NeuralClassifier(ClassifierMixin, BaseEstimator):
    """Base of all neural classifiers; see the top of the file for what a family adds."""

    _parameter_constraints: dict[str, Any] = {
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "init": [StrOptions(set(INITIALIZERS))],
        "lr_schedule": [StrOptions({*SCHEDULES, "plateau"})],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "clip_value": [Interval(Real, 0, None, closed="neither"), None],
        "loss": [StrOptions(set(LOSSES))],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [StrOptions({"balanced", "effective"}), dict, None],
        "early_stopping": ["boolean", Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "random_state": ["random_state", np.random.Generator],
        "verbose": ["verbose"],
    }

    time_limit: float | None = None  # of nets that were saved before there was one
    _end = None  # when `fit` must end, by time.monotonic
    _shortened_to = None  # epochs of a schedule that `time_limit` ended

    def _check_X(self, X, *, reset):
        """X as an array the family can take, or an error; with `reset` it sets n_features_in_."""
        raise NotImplementedError

    def _tensors(self, X, *, reset):
        """The tensors the module is called with, one entry a row; with `reset` it may learn from X, a scale say."""
        raise NotImplementedError

    def _build(self, n_classes):
        """A fresh module; X has been seen by `_check_X` and `_tensors`."""
        raise NotImplementedError

    def _prepare(self, inputs, training):
        """Work on the tensors of one batch before the module sees them; torch's random stream is seeded."""
        return inputs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array
            Training rows, of the shape the class says.
        y : array-like of shape (n,)
            Labels: strings, booleans or integers.
        sample_weight : array-like of shape (n,), default=None
            Weight of each row in the loss; rows of weight 0 take no part.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For a parameter out of range, X or y that cannot be used, or a loss that stops being finite.
        """
        self._validate_params()
        end = None if self.time_limit is None else time.monotonic() + self.time_limit
        X = self._check_X(X, reset=True)
        y = self._check_y(X, y)
        self.classes_, counts = np.unique(y, return_counts=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs at least two classes; y has one class, {self.classes_[0]!r}")
        rows = self._rows(X, y, sample_weight, reset=True)
        self._begin()
        rows, validation = self._hold_back(rows)
        with ExitStack() as unless_trained:
            unless_trained.callback(delattr, self, "module_")
            self._end = end
            self._train(rows, validation, epochs=self.max_epochs)
            unless_trained.pop_all()
        self._end = None
        if validation is None and self.n_iter_ < self.max_epochs:
            self._shortened_to = self.n_iter_
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one more epoch, on these rows.

        The learning rate follows `lr_schedule` over `max_epochs` calls; that many calls with the same rows give what
        `fit` gives without early stopping. Schedules that end at zero continue with a hundredth of `lr` in further
        calls. Scales of the inputs, and what weights are relative to, are those of the first call or of `fit`.

        Parameters
        ----------
        X : array
            Rows, of the shape the class says.
        y : array-like of shape (n,)
            Labels.
        classes : array-like, default=None
            All labels there will be; needed in the first call unless y has them all.
        sample_weight : array-like of shape (n,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            Also for a label that is not in `classes`, for other `classes` than in the first call, and for a
            `class_weight` that must count the rows.
        """
        first = not hasattr(self, "module_")
        self._validate_params()
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all rows at once; give partial_fit a dict {{label: weight}}"
            )
        X = self._check_X(X, reset=first)
        y = self._check_y(X, y)
        self._keep_classes(y, classes, first)
        rows = self._rows(X, y, sample_weight, reset=first, mean_weight=None if first else self._mean_weight)
        if first:
            self._begin()
        if next(self.module_.parameters(), None) is None:
            raise ValueError("the network has no weights left to train, as all its layers are int8: fit it anew")
        self._optimizer_state = self._train(rows, None, epochs=1)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class.

        Parameters
        ----------
        X : array
            Rows, of the shape the class says.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
            Columns in the order of `classes_`; rows sum to 1.
        """
        check_has(self, "module_")
        inputs = self._tensors(self._check_X(X, reset=False), reset=False)
        device = choose_device(self.device)
        module, batches = placed(self.module_, device), []
        size = max(1, min(PREDICT_ROWS, PREDICT_VALUES // math.prod(inputs[0].shape[1:])))
        first = tuple(x[:1] for x in inputs)
        with torch.no_grad(), threads_for(module, lambda: self._prepare(first, False), rows=min(size, len(inputs[0]))):
            for start in range(0, len(inputs[0]), size):
                batch = self._prepare(tuple(x[start : start + size] for x in inputs), False)
                batches.append(probabilities(module(*(x.to(device) for x in batch))).cpu())
        return torch.cat(batches).numpy()

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row.

        Parameters
        ----------
        X : array
            Rows, of the shape the class says.

        Returns
        -------
        labels : ndarray of shape (n,)
            Labels out of `classes_`.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _check_y(self, X, y):
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        y = column_or_1d(y, warn=True)
        strings = np.array([isinstance(label, str) for label in y] if y.dtype.kind == "O" else [])
        if strings.any() and not strings.all():
            row = int(strings.argmin())
            raise ValueError(f"y has {y[row]!r} among strings, first in row {row}: drop or convert such labels")
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        if len(y) != len(X):
            raise ValueError(f"X has {len(X)} rows but y has {len(y)} labels")
        return y

    def _keep_classes(self, y, classes, first):
        if first:
            self.classes_ = np.unique(y if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes={list(classes)} differ from those of the first call, {self.classes_.tolist()}")
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y has labels that are not among the classes: {list(unknown)}; name all in `classes`")
        if len(self.classes_) < 2:
            raise ValueError("partial_fit needs at least two classes; name them all in `classes`")

    def _rows(self, X, y, sample_weight, *, reset, mean_weight=None):
        codes, weights = self._codes_and_weights(y, sample_weight)
        if not weights.sum() > 0:
            raise ValueError("sample_weight or class_weight is zero for all rows; at least one must count")
        counted = weights > 0
        if not counted.all():
            X, codes, weights = X[counted], codes[counted], weights[counted]
        self._mean_weight = weights.mean() if mean_weight is None else mean_weight  # 1 in the loss
        weights = torch.as_tensor(weights / self._mean_weight, dtype=torch.float32)
        return Rows(self._tensors(X, reset=reset), torch.as_tensor(codes), weights)

    def _codes_and_weights(self, y, sample_weight):
        """Class codes, and weights with those of the classes; rows of weight 0 take no part."""
        codes = np.searchsorted(self.classes_, y)
        weights = check_sample_weight(sample_weight, codes, dtype=np.float64, ensure_non_negative=True)
        if self.class_weight is not None:
            weights = weights * self._class_weights(codes, weights)[codes]
        return codes, weights

    def _class_weights(self, codes, weights):
        every = np.arange(len(self.classes_))
        if isinstance(self.class_weight, dict):
            check_class_weight(self.class_weight, self.classes_.tolist())
            return np.array([self.class_weight.get(label, 1.0) for label in self.classes_.tolist()])
        present = np.flatnonzero(np.bincount(codes, weights, minlength=len(every)))
        counted = np.zeros(len(every))
        if self.class_weight == "effective":
            counts = np.bincount(codes[weights > 0], minlength=len(every))[present]
            counted[present] = (1 - EFFECTIVE) / (1 - EFFECTIVE**counts)
            return counted
        counted[present] = compute_class_weight("balanced", classes=present, y=codes[weights > 0])
        return counted

    def _begin(self):
        """Forget what was learnt: fresh seed, module and history."""
        self._seed = root_seed(self.random_state)
        with seeded(child_seed(self._seed, "init")):
            self.module_ = self._build(len(self.classes_))
            initialize(self.module_, self.init)
        self.history_ = []
        self._optimizer_state = self._end = self._shortened_to = None

    def _hold_back(self, rows):
        """Training and validation rows; classes of fewer than four rows stay in training."""
        codes = rows.codes.numpy()
        counts = np.bincount(codes, minlength=len(self.classes_))
        eligible = np.flatnonzero(counts[codes] >= 4)
        size = round(VALIDATION_FRACTION * len(eligible))
        if not self.early_stopping or size < len(np.unique(codes[eligible])) or not size:
            return rows, None
        seed = child_seed(self._seed, "validation")
        held = train_test_split(eligible, test_size=size, stratify=codes[eligible], random_state=seed)[1]
        return rows.take(np.setdiff1d(np.arange(len(codes)), held)), rows.take(held)

    def _train(self, rows, validation, epochs):
        device = choose_device(self.device)
        state = train(
            self.module_.to(device),
            rows,
            validation,
            self._settings(len(rows), device, None if validation is None else self.early_stopping),
            criterion=self._criterion(),
            prepare=self._prepare,
            epochs=epochs,
            history=self.history_,
            optimizer_state=self._optimizer_state,
        )
        self.n_iter_ = len(self.history_)
        return state

    def _criterion(self):
        return WeightedCrossEntropy(self.label_smoothing, LOSSES[self.loss])

    def _settings(self, n_rows, device, stopping):
        batch_size = min(256, max(16, n_rows // 40)) if self.batch_size == "auto" else self.batch_size
        return Settings(
            max_epochs=self._shortened_to or self.max_epochs,
            batch_size=batch_size,
            lr=self.lr,
            optimizer=self.optimizer,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            lr_schedule=self.lr_schedule,
            clip_norm=self.clip_norm,
            clip_value=self.clip_value,
            patience=PATIENCE if isinstance(stopping, (bool, np.bool_)) else stopping,
            device=device,
            seed=self._seed,
            verbose=self.verbose,
            end=self._end,
        )

    def __getstate__(self):
        """Weights are saved as they are on a CPU, so that a machine without this GPU can load them."""
        state = super().__getstate__()
        if "module_" in state:
            state["module_"] = state["module_"].cpu()
            state["_optimizer_state"] = on_cpu(state["_optimizer_state"])
        return state
