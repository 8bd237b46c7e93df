"""The classifier in the making: an estimator whose network is replaced step by step."""

import contextlib
import copy
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from skauto._deps import require
from skauto._seeds import child_seed
from skauto.estimators.compression._batchnorm_folding import fold_norms
from skauto.estimators.compression._graph import UntraceableError
from skauto.estimators.compression.layers._sparse import skip_zeros, with_zeros
from skauto.estimators.compression.steps._distill import Distill
from skauto.estimators.compression.steps._task import Task
from skauto.estimators.compression.storage._fitted import KNOWN, to_plain
from skauto.estimators.compression.storage._packed import to_bytes
from skauto.estimators.compression.storage._tree import OWN_LEAVES
from skauto.estimators.images._images import rows_for
from skauto.estimators.neural._devices import choose_device
from skauto.estimators.neural._losses import LOSSES, WeightedCrossEntropy
from skauto.estimators.neural._neural import NeuralClassifier
from skauto.estimators.neural._threads import forget
from skauto.estimators.neural._trainer import train

torch = require("torch", extra="deep")

EXAMPLE_ROWS = 256


class Work:
    """The rows, the estimator and its network, as one step after the other finds them.

    Parameters
    ----------
    base : classifier
        Fitted; a network is copied.
    X, y, sample_weight
        As `CompressedClassifier.fit` was given them.
    """

    def __init__(self, base: Any, X: Any, y: Any, sample_weight: Any) -> None:
        self.base, self.X, self.y, self.sample_weight = base, X, y, sample_weight
        self.estimator = None
        if isinstance(base, NeuralClassifier):
            self._begin(base)
            self.net = with_zeros(copy.deepcopy(base.module_).cpu().eval())

    def run(self, name: str, step: Any) -> None:
        """Apply one step; an error names the step."""
        if self.estimator is None and not makes_student(step):
            raise ValueError(
                f"step {name!r} works on networks, and {type(self.base).__name__} is none: start with a Distill step "
                "that has a student, for example Distill(CNNClassifier(width=16))"
            )
        net = getattr(self, "net", None)
        if net is not None and not makes_student(step):
            final = sorted({type(m).__name__ for m in net.modules()} & set(OWN_LEAVES))
            if final:
                raise ValueError(
                    f"step {name!r} cannot work on a network that is compressed for good, with {', '.join(final)}: "
                    "start from the network before that step"
                )
        if self.estimator is not None and not makes_student(step):
            self._must_bear(name, step)
        self.net = step.apply(net, self._task()).cpu().eval()

    def _must_bear(self, name, step):
        """Refuse steps that rebuild layers on nets that use the weights of theirs by themselves."""
        known = {made.__name__ for made in type(self.estimator).__mro__} & set(KNOWN)
        takes_weights = getattr(self.net, "takes_weights", False)
        if not getattr(step, "rebuilds", False) or (known and not takes_weights):
            return
        if takes_weights and getattr(step, "stores", False):
            return
        raise ValueError(
            f"step {name!r} rebuilds layers, which {type(self.estimator).__name__} does not bear; its weights "
            "can be pruned one by one, given a codebook, stored in 8 bits or made binary, or teach a smaller network: "
            "Prune(what='weights'), Quantize('codebook'), Quantize('product'), Quantize('int8'), Binarize('bwn'), "
            "Binarize('binaryconnect'), Distill"
        )

    def size(self) -> float:
        """Bytes of the model file as it would be now; NaN where it cannot be written."""
        if self.estimator is None:
            return float("nan")
        try:
            return len(to_bytes(self.net, to_plain(self.estimator)))
        except TypeError:
            return float("nan")

    def finished(self) -> Any:
        """The estimator with its network in the form that runs fastest."""
        if self.estimator is None:
            raise ValueError(f"{type(self.base).__name__} is no network, and no step teaches one: add a Distill step")
        self.estimator.module_ = _quickest(self.net, self._task().example)
        self.estimator._optimizer_state = None
        forget(self.estimator.module_)
        return self.estimator

    def _begin(self, estimator):
        self.estimator = estimator
        X = estimator._check_X(self.X, reset=False)
        y = estimator._check_y(X, self.y)
        unknown = np.setdiff1d(y, estimator.classes_)
        if len(unknown):
            raise ValueError(
                f"y has labels {list(unknown)} that {type(estimator).__name__} does not know; its classes are "
                f"{list(estimator.classes_)}. Compress on rows of these, or fit it anew"
            )
        self.rows = estimator._rows(X, y, self.sample_weight, reset=False)
        self.counted = torch.as_tensor(self._counted(estimator, y))

    def _counted(self, estimator, y):
        """Which rows have a weight above 0, as the others are not among `rows`."""
        return np.flatnonzero(estimator._codes_and_weights(y, self.sample_weight)[1] > 0)

    def _task(self):
        lead = self.estimator if self.estimator is not None else self.base
        example = None
        if self.estimator is not None:
            step = max(1, len(self.rows) // EXAMPLE_ROWS)
            some = tuple(x[::step][:EXAMPLE_ROWS] for x in self.rows.inputs)
            example = self.estimator._prepare(some, False)
            example = example[0] if len(example) == 1 else example
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
            sample_weight=self.sample_weight,
        )

    def _predict_proba(self, X):
        if self.estimator is None:
            return self.base.predict_proba(rows_for(self.base, X))
        now = copy.copy(self.estimator)
        now.module_ = self.net
        return now.predict_proba(X)

    def _fresh(self, student):
        """The untrained network of a student, which is the estimator from now on."""
        student = clone(student)
        student._validate_params()
        check_alone(student)
        X = student._check_X(self.X, reset=True)
        student.classes_ = self.base.classes_
        student._tensors(X[self._counted(student, student._check_y(X, self.y))], reset=True)
        student._begin()
        student.n_iter_ = 0
        self._begin(student)
        return student.module_

    def _train(self, net, epochs, lr, criterion, targets, after_step=None):
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
            rows = replace(rows, codes=torch.cat([rows.codes[:, None].float(), targets[self.counted]], dim=1))
        how = {"criterion": loss, "prepare": estimator._prepare, "after_step": after_step}
        train(net.to(device), rows, None, settings, epochs=epochs, history=[], **how)
        net.cpu()


def check_alone(estimator: Any) -> None:
    """Raise a ValueError for a network of several members, which only a Distill step can convert to one."""
    members = getattr(estimator, "n_members", 1)
    if members > 1:
        name = type(getattr(estimator, "estimator", estimator)).__name__
        raise ValueError(
            f"n_members={members} of {name} are nets side by side, which no step can compress: use n_members=1, or let "
            f"them teach one net with a first step Distill({name}(n_members=1))"
        )


def makes_student(step: Any) -> bool:
    """Whether a step continues with another network, whatever came before."""
    return isinstance(step, Distill) and step.student is not None


def _quickest(net, example):
    """The network in the form that predicts fastest: norms folded, zeros skipped, channels last in memory."""
    with contextlib.suppress(UntraceableError):  # a module of the user's own may branch on its input
        fold_norms(net, example)
    if getattr(net, "takes_weights", False):
        return net
    return skip_zeros(net).to(memory_format=torch.channels_last)
