"""A multilayer perceptron for tables."""

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import validate_data

from skauto._deps import require
from skauto._sklearn import Interval, StrOptions
from skauto.estimators.neural._neural import NeuralClassifier, shares_training
from skauto.estimators.tables._embeddings import PeriodicEmbedding
from skauto.estimators.tables._members import MemberLinear, MemberNorm

if TYPE_CHECKING:
    from torch import Tensor

torch = require("torch", extra="deep")

SOFT_LIMIT = 3.0  # scaled inputs are bent smoothly into (-3, 3), as an outlier must not rule the first layer
NORMAL_IQR = 1.349  # interquartile range of a standard normal


class TableNet(torch.nn.Module):
    """Robust scaling, then for each member layers of linear, layer norm, ReLU and dropout, then logits.

    Scaling by median and interquartile range with a smooth clip follows RealMLP (Holzmüller et al. 2024, section 3).
    """

    def __init__(
        self,
        center: Any,
        scale: Any,
        *,
        n_classes: int,
        hidden_size: int,
        n_layers: int,
        n_members: int,
        dropout: float,
        embedding: str | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("center", center)
        self.register_buffer("scale", scale)
        layers, width = [], len(center)
        if embedding == "periodic":
            self.embedding = PeriodicEmbedding(width)
            width = self.embedding.width
        for _ in range(n_layers):
            layers += [*_layer(n_members, width, hidden_size), torch.nn.ReLU()]
            if dropout:
                layers.append(torch.nn.Dropout(dropout))
            width = hidden_size
        self.layers = torch.nn.Sequential(*layers, _layer(n_members, width, n_classes)[0])

    def forward(self, x: "Tensor") -> "Tensor":
        """Logits (rows, classes, members) of x (rows, features)."""
        x = (x - self.center) / self.scale
        x = x / torch.sqrt(1 + (x / SOFT_LIMIT) ** 2)
        if hasattr(self, "embedding"):
            x = self.embedding(x)
        if not isinstance(self.layers[0], MemberLinear):
            return self.layers(x).unsqueeze(-1)
        return self.layers(x.expand(len(self.layers[0].weight), -1, -1)).permute(1, 2, 0)


def _layer(n_members, inputs, outputs):
    """A linear layer and its norm; PyTorch's own for one member, so that it can be compressed."""
    if n_members == 1:
        return torch.nn.Linear(inputs, outputs), torch.nn.LayerNorm(outputs)
    return MemberLinear(n_members, inputs, outputs), MemberNorm(n_members, outputs)


@shares_training
class MLPClassifier(NeuralClassifier):
    """Multilayer perceptrons for tables: a few small ones, trained in parallel in one net, with averaged probabilities.

    It needs numbers without missing values: impute and encode before. Scaling is done inside, by median and
    interquartile range of each column.

    Parameters
    ----------
    hidden_size : int
        Units in a hidden layer of a member.
    n_layers : int
        Hidden layers.
    n_members : int
        Number of perceptrons, trained in parallel on the same batches.
    dropout : float in [0, 1)
        Fraction of hidden units dropped in training.
    embedding : {None, "periodic"}
        "periodic" gives the net of each column its value and three learnt sums of waves of it, so that it can bend
        where a plain net is smooth; on tables of some ten columns it costs a tenth more seconds.
    [training parameters]

    Attributes
    ----------
    [training attributes]
    n_features_in_ : int
        Columns seen in fit.

    References
    ----------
    Gorishniy, Kotelnikov, Babenko: "TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling", 2024,
    for members trained side by side.

    Holzmüller, Grinsztajn, Steinwart: "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data",
    NeurIPS 2024, section 3, for the scaling.

    Gorishniy, Rubachev, Babenko: "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022, section
    3.3, for the periodic embedding.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skauto.estimators import MLPClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = MLPClassifier(max_epochs=5, random_state=0).fit(X[:400], y[:400])
    >>> clf.score(X[400:], y[400:]) > 0.9
    True
    """

    _parameter_constraints = {
        **NeuralClassifier._parameter_constraints,
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "embedding": [StrOptions({"periodic"}), None],
    }

    def __init__(
        self,
        *,
        hidden_size: int = 64,
        n_layers: int = 2,
        n_members: int = 8,
        dropout: float = 0.0,
        embedding: str | None = None,
        batch_size: int | str = "auto",
        max_epochs: int = 20,
        time_limit: float | None = None,
        lr: float = 0.003,
        optimizer: str = "adamw",
        momentum: float = 0.9,
        weight_decay: float = 0.01,
        init: str = "default",
        lr_schedule: str = "one_cycle",
        clip_norm: float | None = None,
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
        self.n_members = n_members
        self.dropout = dropout
        self.embedding = embedding
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

    def _check_X(self, X, *, reset):
        return validate_data(self, X, reset=reset, dtype=np.float32)

    def _tensors(self, X, *, reset):
        if reset:
            self._center, self._scale = robust_scale(X)
        return (torch.as_tensor(X),)

    def _build(self, n_classes):
        return TableNet(
            torch.as_tensor(self._center),
            torch.as_tensor(self._scale),
            n_classes=n_classes,
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            n_members=self.n_members,
            dropout=self.dropout,
            embedding=self.embedding,
        )


def robust_scale(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale of each column: median and interquartile range; mean and deviation where the range is 0.

    Returns
    -------
    center, scale : ndarray of float32, shape (features,)
        `scale` is that of a standard normal's deviation, and 1 for a constant column.
    """
    low, median, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
    spread, deviation = (high - low) / NORMAL_IQR, X.std(axis=0, dtype=np.float64)
    center = np.where(spread > 0, median, X.mean(axis=0, dtype=np.float64))
    scale = np.where(spread > 0, spread, np.where(deviation > 0, deviation, 1.0))
    return center.astype(np.float32), scale.astype(np.float32)
