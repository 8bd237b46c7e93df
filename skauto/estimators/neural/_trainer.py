"""The one training loop of all nets: skorch inside, fed by batches of tensors."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from skauto._deps import require
from skauto._seeds import child_seed
from skauto.estimators.neural._batch_norms import trust_few_batches, untouched_norms, use_running_statistics
from skauto.estimators.neural._optimizers import build_optimizer
from skauto.estimators.neural._precision import training_context
from skauto.estimators.neural._schedules import lr_factor
from skauto.estimators.neural._threads import TRAINING, threads_for
from skauto.estimators.neural._time_limit import Pace, current_limit

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

torch = require("torch", extra="deep")
skorch = require("skorch", extra="deep")


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """A context in which torch draws from `seed`; the caller's own stream goes on untouched afterwards."""
    with torch.random.fork_rng(devices=[] if device == "cpu" else [torch.device(device)]):
        torch.manual_seed(seed)
        yield


@dataclass(frozen=True)
class Rows:
    """Training rows: the tensors the module takes, class codes and weights, all with one entry a row."""

    inputs: tuple
    codes: Any
    weights: Any

    def __len__(self):
        return len(self.codes)

    def take(self, rows: Any) -> "Rows":
        """The rows at these positions."""
        rows = torch.as_tensor(rows)
        return Rows(tuple(x[rows] for x in self.inputs), self.codes[rows], self.weights[rows])


@dataclass(frozen=True)
class Settings:
    """How to train: the shared parameters of the estimators, and when it must `end`, by time.monotonic."""

    max_epochs: int
    batch_size: int
    lr: float
    optimizer: str
    momentum: float
    weight_decay: float
    lr_schedule: str
    clip_norm: float | None
    clip_value: float | None
    patience: int | None
    device: str
    seed: int
    verbose: int
    end: float | None = None
    precision: str = "float32"


class Batches:
    """Batches of rows, in a fresh order in each epoch if `shuffle` is set.

    Their sizes differ by at most one, and none has a single row unless there is only one in all.
    """

    def __init__(
        self, rows: "Rows", batch_size: int, *, shuffle: bool, prepare: Callable[..., tuple], device: str
    ) -> None:
        self.rows, self.shuffle, self.prepare, self.device = rows, shuffle, prepare, device
        self.count = max(1, min(math.ceil(len(rows) / batch_size), len(rows) // 2))

    def __iter__(self):
        order = torch.randperm(len(self.rows)) if self.shuffle else torch.arange(len(self.rows))
        for picked in torch.tensor_split(order, self.count):
            batch = self.rows.take(picked)
            inputs = self.prepare(batch.inputs, self.shuffle)
            yield tuple(x.to(self.device) for x in inputs), (batch.codes.to(self.device), batch.weights.to(self.device))


class TrainingLoop(skorch.NeuralNet):
    """skorch's loop over our batches, with schedule, clipping and early stopping.

    Every epoch draws from a seed of its own, so that epochs run one call at a time give what one call gives.
    """

    def __init__(
        self, module: "Module", criterion: "Module", settings: "Settings", history: list[dict[str, Any]]
    ) -> None:
        self.settings, self.losses = settings, [epoch.get("valid_loss", epoch["train_loss"]) for epoch in history]
        super().__init__(
            module,
            criterion=criterion,
            device=settings.device,
            verbose=settings.verbose,
            lr=settings.lr,
        )
        self.initialize()

    def initialize_optimizer(self, triggered_directly: Any = None) -> Self:
        s = self.settings
        self.optimizer_ = build_optimizer(
            s.optimizer, self.module_, lr=s.lr, momentum=s.momentum, weight_decay=s.weight_decay
        )
        return self

    def infer(self, x: Any, **fit_params: Any) -> "Tensor":
        if self.module_.training and len(x[0]) == 1:
            use_running_statistics(self.module_)
        if not self.module_.training or self.settings.precision == "float32":
            return self.module_(*x)
        with training_context(self.settings.precision, self.settings.device):
            return self.module_(*x).float()

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> "Tensor":
        return self.criterion_(y_pred, *y_true)

    def on_batch_begin(self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any) -> None:
        super().on_batch_begin(net, batch=batch, training=training, **kwargs)
        if training:
            factor = lr_factor(self.settings.lr_schedule, self.pace.progress(), self.losses)
            for group in self.optimizer_.param_groups:
                group["lr"] = self.settings.lr * factor

    def on_batch_end(self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any) -> None:
        super().on_batch_end(net, batch=batch, training=training, **kwargs)
        if training and self.after_step is not None:
            self.after_step(self.optimizer_)

    def on_grad_computed(
        self, net: Any, named_parameters: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        if self.settings.clip_value is not None:
            torch.nn.utils.clip_grad_value_(self.module_.parameters(), self.settings.clip_value)
        if self.settings.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.module_.parameters(), self.settings.clip_norm)

    def run_epoch(self, training: Any, validation: Any) -> dict[str, Any]:
        """One epoch, or as much of it as there is time for, one batch at least; returns its row of the history."""
        self.notify("on_epoch_begin", dataset_train=training.rows)
        with seeded(child_seed(self.settings.seed, "epoch", len(self.losses)), self.settings.device):
            self.run_single_epoch(self._in_time(training), training=True, prefix="train", step_fn=self.train_step)
        if validation is not None:
            watched = self._watched_in_time(validation)
            self.run_single_epoch(watched, training=False, prefix="valid", step_fn=self.validation_step)
            self.pace.watched_all()
        self.notify("on_epoch_end", dataset_train=training.rows)
        return self._summary(validation is not None)

    def _in_time(self, batches):
        """The batches that there is time for."""
        for number, batch in enumerate(batches, 1):
            yield batch
            self.pace.trained(len(self.losses) + number / batches.count)
            current_limit().check()
            if self.pace.is_over():
                return

    def _watched_in_time(self, batches):
        for batch in batches:
            yield batch
            if self.pace.watching_is_over():
                return

    def _summary(self, validated):
        last = self.history[-1]
        names = ["train_loss", "valid_loss"] if validated else ["train_loss"]
        row = {"epoch": len(self.losses) + 1} | {name: float(last[name]) for name in names}
        if not all(math.isfinite(row[name]) for name in names):
            raise ValueError(
                f"training diverged in epoch {row['epoch']}: the loss is no longer finite. "
                f"Lower lr={self.settings.lr} or set clip_norm, for example clip_norm=1.0"
            )
        self.losses.append(row[names[-1]])
        return row | {"lr": self.optimizer_.param_groups[0]["lr"], "seconds": last["dur"]}


def train(
    module: "Module",
    rows: "Rows",
    validation: "Rows | None",
    settings: "Settings",
    *,
    criterion: "Module",
    prepare: Callable[..., tuple],
    epochs: int,
    history: list[dict[str, Any]],
    optimizer_state: dict[str, Any] | None = None,
    after_step: Callable[[Any], None] | None = None,
) -> dict[str, Any]:
    """Train a module in place.

    Parameters
    ----------
    module : torch.nn.Module
        Called with the tensors of a batch, gives logits (rows, classes).
    rows, validation : Rows
        Rows to train on; validation rows for early stopping, or None.
    settings : Settings
    criterion : torch.nn.Module
        ``criterion(logits, codes, weights) -> loss``, a scalar.
    prepare : callable
        ``prepare(inputs, training) -> inputs``, applied to each batch: augmentation, trimming of padding.
    epochs : int
        At most this many epochs; fewer, with the last one truncated, where ``settings.end`` or the limit of the context
        comes first; one batch at least.
    history : list of dict
        One entry for each epoch done before; this call appends its own.
    optimizer_state : dict, default=None
        State to go on from.
    after_step : callable, default=None
        ``after_step(optimizer)`` is called after each step.

    Returns
    -------
    optimizer_state : dict
        State of the optimiser at the end.

    Raises
    ------
    ValueError
        If the loss stops being finite.
    TimeoutError
        If the context aborts training at its end.
    """
    loop = TrainingLoop(module, criterion, settings, history)
    if optimizer_state is not None:
        loop.optimizer_.load_state_dict(optimizer_state)
    feed: dict[str, Any] = {"batch_size": settings.batch_size, "prepare": prepare, "device": settings.device}
    training = Batches(rows, shuffle=True, **feed)
    watched = None if validation is None else Batches(validation, shuffle=False, **feed)
    around = current_limit()
    end = min(math.inf if settings.end is None else settings.end, math.inf if around.gives_up else around.end)
    steps = {"steps": training.count, "watched": watched.count if watched else 0}
    loop.after_step = after_step
    loop.pace = Pace(settings.max_epochs, end, **steps, done=len(history))
    fresh = untouched_norms(module)
    in_batch = math.ceil(len(rows) / training.count)
    first = rows.take([0]).inputs
    try:
        with threads_for(module, lambda: prepare(first, False), rows=in_batch, passes=TRAINING):
            best_state = _run(loop, training, watched, epochs, history)
    finally:
        module.eval()
    if best_state is not None:
        module.load_state_dict(best_state)
    if loop.pace.is_over() and loop.pace.done < settings.max_epochs:
        trust_few_batches(fresh)
        around.tell_shortened()
    return loop.optimizer_.state_dict()


def _run(loop, training, watched, epochs, history):
    """Epochs until all are done, their time is over or patience is; the state of the best one if rows are watched."""
    best, best_state, waited = math.inf, None, 0
    for _ in range(epochs):
        history.append(loop.run_epoch(training, watched))
        waited += 1
        if watched is not None and loop.losses[-1] < best:
            best, best_state, waited = loop.losses[-1], copy.deepcopy(loop.module_.state_dict()), 0
        if waited == loop.settings.patience or loop.pace.is_over():
            break
    return best_state
