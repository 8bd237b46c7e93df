"""Classifiers of sequences with minGRU and minLSTM layers."""

from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skauto._deps import require
from skauto._sklearn import Interval, StrOptions
from skauto.estimators.neural._neural import NeuralClassifier, shares_training
from skauto.estimators.sequences._recurrent_net import SequenceNet
from skauto.estimators.sequences._sequences import Scaling, check_sequences
from skauto.estimators.sequences._streaming import Stream
from skauto.inputs._sequences import series_lengths

torch = require("torch", extra="deep")

SEQUENCE_PARAMETERS = """\
    hidden_size : int
        Width of the residual stream.
    n_layers : int
        Recurrent layers.
    expansion : float
        Units of a recurrent layer, as a multiple of `hidden_size`.
    conv_size : int
        Kernel size of the causal convolution in front; 1 is none.
    bidirectional : bool
        Whether each layer also runs backwards; such a net cannot stream.
    pooling : {"mean", "last", "attention"}
        How the states of all steps are pooled.
    normalization : {"layer", "batch", "none"}
        Before each layer and before pooling.
    dropout : float in [0, 1)
        Fraction of each layer's output that is dropped in training.
    dtype : {"float32", "float64"}
        Type of all numbers.
"""

SEQUENCE_NOTES = """\
    X is an array (rows, time, features) or (rows, time), or a list of arrays (time_i, features). NaN at the end of a
    series is padding and is skipped exactly; anywhere else it is a missing value: it is imputed by the mean of
    its feature, and features with missing values in fit get an indicator column. A feature without any value in fit
    is dropped. Numbers are centred and scaled in double precision, so a large common offset costs no accuracy.
"""

_Class = TypeVar("_Class", bound=type)


def describes_sequences(cls: _Class) -> _Class:
    """Write the parameters and notes of sequence nets into a class docstring."""
    doc = (cls.__doc__ or "").replace("    [sequence parameters]\n", SEQUENCE_PARAMETERS)
    cls.__doc__ = doc.replace("    [sequence notes]\n", SEQUENCE_NOTES)
    return cls


class _SequenceClassifier(NeuralClassifier):
    """Both classifiers; a subclass only says which gates it has."""

    _lstm = False
    _parameter_constraints = {
        **NeuralClassifier._parameter_constraints,
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "expansion": [Interval(Real, 0, None, closed="neither")],
        "conv_size": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions({"mean", "last", "attention"})],
        "normalization": [StrOptions({"layer", "batch", "none"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "dtype": [StrOptions({"float32", "float64"})],
    }

    def __init__(
        self,
        *,
        hidden_size: int = 64,
        n_layers: int = 2,
        expansion: float = 1.0,
        conv_size: int = 4,
        bidirectional: bool = False,
        pooling: str = "mean",
        normalization: str = "layer",
        dropout: float = 0.0,
        dtype: str = "float32",
        batch_size: int | str = "auto",
        max_epochs: int = 60,
        time_limit: float | None = None,
        lr: float = 0.003,
        optimizer: str = "adamw",
        momentum: float = 0.9,
        weight_decay: float = 0.01,
        init: str = "default",
        lr_schedule: str = "one_cycle",
        clip_norm: float | None = 1.0,
        clip_value: float | None = None,
        loss: str = "cross_entropy",
        label_smoothing: float = 0.0,
        class_weight: str | dict[Any, float] | None = None,
        early_stopping: bool | int = False,
        device: str = "auto",
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        verbose: int = 0,
    ) -> None:
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.expansion = expansion
        self.conv_size = conv_size
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.normalization = normalization
        self.dropout = dropout
        self.dtype = dtype
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.time_limit = time_limit
        self.lr = lr
        self.optimizer = optimizer
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.init = init
        self.lr_schedule = lr_schedule
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags

    def stream(self, n: int = 1) -> Stream:
        """Follow n series one step at a time, with a state whose size does not grow.

        Parameters
        ----------
        n : int
            Series side by side, at least 1.

        Returns
        -------
        stream : Stream
            ``stream.step(x_t)`` gives the probabilities that `predict_proba` gives for the series so far. It keeps
            the net as it is now: fitting again or other parameters leave it alone.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If the net is bidirectional, as it needs the end of a series, or `n` is no whole number of at least 1.
        """
        check_is_fitted(self, "module_")
        return Stream(self.module_, self._scaling, self.classes_, n)

    def _check_X(self, X, *, reset):
        return check_sequences(self, X, reset=reset)

    def _tensors(self, X, *, reset):
        lengths = series_lengths(X)
        if reset:
            self._scaling = Scaling.learn(X, lengths, self.dtype)
            self._memory = float(np.median(lengths))
        return torch.as_tensor(self._scaling(X)), torch.as_tensor(lengths)

    def _prepare(self, inputs, training):
        """Drop the padding that no series of the batch needs."""
        x, lengths = inputs
        return x[:, : int(lengths.max())], lengths

    def _build(self, n_classes):
        net = SequenceNet(
            len(self._scaling),
            n_classes,
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            conv_size=self.conv_size,
            normalization=self.normalization,
            pooling=self.pooling,
            expansion=self.expansion,
            dropout=self.dropout,
            bidirectional=self.bidirectional,
            lstm=self._lstm,
            memory=self._memory,
        )
        return net.to(getattr(torch, self.dtype))


@shares_training
@describes_sequences
class MinGRUClassifier(_SequenceClassifier):
    """Classifier of sequences with minGRU layers: exact on padding, fast on a CPU, able to stream.

    [sequence notes]

    Parameters
    ----------
    [sequence parameters]
    [training parameters]

    Attributes
    ----------
    [training attributes]
    n_features_in_ : int
        Features of a step; for X with two axes its columns.

    References
    ----------
    Feng, Tung, Ahmed, Bengio, Hajimirsadeghi: "Were RNNs All We Needed?", arXiv 2410.01201, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators import MinGRUClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 80)
    >>> X = [np.cumsum(rng.normal(0.4 * label, 1, (rng.integers(20, 40), 1)), axis=0) for label in y]
    >>> clf = MinGRUClassifier(hidden_size=16, max_epochs=15, random_state=0).fit(X[:60], y[:60])
    >>> clf.predict_proba(X[60:]).shape
    (20, 2)
    >>> stream = clf.stream(1)
    >>> for x_t in X[60]:
    ...     probabilities = stream.step(x_t[None])
    >>> bool(np.allclose(probabilities, clf.predict_proba(X[60:61]), atol=1e-5))
    True
    """


@shares_training
@describes_sequences
class MinLSTMClassifier(_SequenceClassifier):
    """Classifier of sequences with minLSTM layers: two gates, normalised to sum to one, instead of minGRU's one.

    [sequence notes]

    Parameters
    ----------
    [sequence parameters]
    [training parameters]

    Attributes
    ----------
    [training attributes]
    n_features_in_ : int
        Features of a step; for X with two axes its columns.

    References
    ----------
    Feng, Tung, Ahmed, Bengio, Hajimirsadeghi: "Were RNNs All We Needed?", arXiv 2410.01201, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators import MinLSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 80)
    >>> X = np.cumsum(rng.normal(0.4 * y[:, None, None], 1, (80, 30, 1)), axis=1)
    >>> MinLSTMClassifier(hidden_size=16, max_epochs=15, random_state=0).fit(X[:60], y[:60]).score(X[60:], y[60:]) > 0.7
    True
    """

    _lstm = True
