"""What is measured of a model: the row, the smallest form of an estimator, and values as words."""

from typing import Protocol

from skauto.automl._types import Estimator, Footprint, Values
from skauto.automl.evaluation._context import Evaluation
from skauto.automl.evaluation._early_stopping import with_rounds
from skauto.inputs._types import Rows
from skauto.search._folds import take


class Measured(Protocol):
    """What constraints read of an evaluated trial."""

    @property
    def values(self) -> Values: ...

    @property
    def footprint(self) -> Footprint | None: ...


def first_row(context: Evaluation) -> Rows:
    """The row whose prediction is timed, the same for all models."""
    return take(context.X, slice(0, 1))


def shortest(estimator: Estimator) -> Estimator:
    """The same estimator with one epoch, or round of LightGBM, in the place of every number of them in it."""
    for name in estimator.get_params():
        if name.rpartition("__")[2] in ("max_epochs", "epochs"):
            estimator.set_params(**{name: 1})
    return with_rounds(estimator, 1)


def format_measurements(values: Footprint) -> str:
    """Measured values as words."""
    return ", ".join(f"{name} {number(value)}" for name, value in values.items())


def number(value: float) -> str:
    """A measure as text, large ones in full."""
    digits = 6 if abs(value) < 1e6 else 15
    return f"{value:.{digits}g}"
