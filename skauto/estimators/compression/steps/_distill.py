"""Distill: a network learns what another classifier says (Hinton 2015)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skauto._deps import require
from skauto.estimators.compression._checks import check, check_training
from skauto.estimators.compression.steps._task import zeros_kept
from skauto.estimators.images._images import rows_for
from skauto.estimators.neural._neural import NeuralClassifier

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from skauto.estimators.compression.steps._task import Task

torch = require("torch", extra="deep")


class Distill(BaseEstimator):
    """Train a smaller network, or the current one, on the probabilities of a teacher.

    Parameters
    ----------
    student : estimator, default=None
        A neural classifier of this package, whose untrained network replaces the current one. None: the current
        network is trained further.
    teacher : classifier, default=None
        Anything with `predict_proba`: LightGBM, an ensemble, a network, or a custom object with `classes_` in any
        order. An unfitted estimator is fitted first; one that takes only tables gets images as rows of pixels.
        None: the current network, which then needs a `student`.
    temperature : float, default=2.0
        Softens the probabilities of both; their loss is multiplied by its square. Use 1.0 for a student that is too
        small to fit its rows: it learns worse from soft probabilities.
    soft_weight : float in [0, 1], default=0.7
        Weight of the teacher's probabilities in the loss; the labels have weight 1 - `soft_weight`.
    epochs : int, default=10
        Epochs of training.
    lr : float, default=None
        Learning rate of that training; the estimator's own where None.

    References
    ----------
    Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2.

    Examples
    --------
    >>> from skauto.estimators import CNNClassifier, Distill
    >>> Distill(CNNClassifier(width=8), temperature=2.0).temperature
    2.0
    """

    def __init__(
        self,
        student: Any = None,
        *,
        teacher: Any = None,
        temperature: float = 2.0,
        soft_weight: float = 0.7,
        epochs: int = 10,
        lr: float | None = None,
    ) -> None:
        self.student = student
        self.teacher = teacher
        self.temperature = temperature
        self.soft_weight = soft_weight
        self.epochs = epochs
        self.lr = lr

    def apply(self, net: "Module", task: "Task") -> "Module":
        """The network trained on the teacher."""
        check(self, "temperature", lambda v: v > 0, "a number above 0")
        check(self, "soft_weight", lambda v: 0 <= v <= 1, "a fraction from 0 to 1")
        check_training(self, fewest=1)
        self._check_both()
        if self.student is None and self.teacher is None:
            raise ValueError("Distill needs a student (the network so far teaches it), a teacher, or both")
        soft = self._probabilities(task)
        if self.student is not None:
            net = task.fresh(self.student)
        targets = torch.as_tensor(np.asarray(soft), dtype=torch.float32)
        with zeros_kept(net):
            task.train(net, self.epochs, self.lr, self._criterion, targets)
        return net

    def _check_both(self):
        """Refuse a student that is no network and a teacher without probabilities."""
        student, teacher = self.student, self.teacher
        if student is not None and not isinstance(student, NeuralClassifier):
            raise ValueError(
                f"student of Distill must be a network that is not fitted yet, such as CNNClassifier(width=16), got "
                f"{student!r}"
            )
        if teacher is not None and not hasattr(teacher, "predict_proba"):
            raise ValueError(
                f"teacher of Distill must have predict_proba, which {teacher!r} has not: calibrate it, with "
                "CalibratedClassifierCV for example"
            )

    def _criterion(self, hard):
        return SoftTargets(hard, self.temperature, self.soft_weight)

    def _probabilities(self, task):
        if self.teacher is None:
            return task.predict_proba(task.X)
        X = rows_for(self.teacher, task.X)
        teacher = _fitted(self.teacher, X, task)
        known = list(teacher.classes_)
        if len(known) != len(task.classes) or set(known) != set(task.classes):
            raise ValueError(f"the teacher knows the classes {known}, the data has {list(task.classes)}")
        soft = np.asarray(teacher.predict_proba(X), dtype=np.float64)
        if soft.shape != (len(task.y), len(known)) or not (np.isfinite(soft).all() and (soft >= 0).all()):
            raise ValueError(
                f"predict_proba of the teacher {type(teacher).__name__} gives an array of shape {soft.shape}, or "
                f"values that are no probabilities, where {(len(task.y), len(known))} (rows, classes) are needed"
            )
        return soft[:, [known.index(label) for label in task.classes]]


def _fitted(teacher, X, task):
    """The teacher, fitted if it is an estimator that is not."""
    if hasattr(teacher, "classes_"):
        return teacher
    if not hasattr(teacher, "get_params"):
        raise ValueError(
            f"teacher of Distill must have classes_, the labels in the order of the columns of its predict_proba, "
            f"which {teacher!r} has not: set them"
        )
    try:
        check_is_fitted(teacher)
    except NotFittedError:
        return clone(teacher).fit(X, task.y, **task.weights_for(teacher))
    return teacher


class SoftTargets(torch.nn.Module):
    """Loss against labels and a teacher's probabilities; the first column of the targets is the label."""

    def __init__(self, hard: Any, temperature: float, soft_weight: float) -> None:
        super().__init__()
        self.hard, self.temperature, self.soft_weight = hard, temperature, soft_weight

    def forward(self, logits: "Tensor", targets: "Tensor", weights: "Tensor") -> "Tensor":
        """Loss of logits (rows, classes) or (rows, classes, members), targets (rows, 1 + classes), weights (rows,)."""
        t = self.temperature
        soft = (targets[:, 1:].to(logits.dtype).clamp_min(1e-7).log() / t).softmax(1)
        if logits.ndim == 3:
            soft = soft.unsqueeze(2).expand_as(logits)
        teacher = torch.nn.functional.cross_entropy(logits / t, soft, reduction="none") * t * t
        labels = self.hard(logits, targets[:, 0].long(), weights)
        soft_loss = (teacher * weights.view(-1, *[1] * (teacher.dim() - 1))).mean()
        return (1 - self.soft_weight) * labels + self.soft_weight * soft_loss
