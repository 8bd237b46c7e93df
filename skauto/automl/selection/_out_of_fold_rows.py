"""OutOfFoldRows: what a fitted model keeps to decide anew, without its X."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from skauto.automl._types import Pair
from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._final_model import FinalModel


@dataclass(frozen=True)
class OutOfFoldRows:
    """Labels, folds, weights and out-of-fold probabilities of a fit, one entry for each row of each validation fold.

    Parameters
    ----------
    places : ndarray of shape (n_validated,)
        Row numbers in the X that was given to fit.
    n_rows : int
        Rows of that X.
    y : ndarray of shape (n_validated,)
        Codes.
    fold, part, repeat : ndarray of shape (n_validated,)
        As in `Scoring`.
    weight : ndarray of shape (n_validated,) or None
    positive : int
        The code that a threshold of two classes is about.
    proba : ndarray of shape (n_validated, n_classes)
        Of the ensemble.
    of_trials : dict of int to ndarray of shape (n_validated, n_classes)
        Of the models that were kept, by trial.
    best : int or None
        The trial of the best single model.
    """

    places: np.ndarray
    n_rows: int
    y: np.ndarray
    fold: np.ndarray
    part: np.ndarray
    repeat: np.ndarray
    weight: np.ndarray | None
    positive: int
    proba: np.ndarray
    of_trials: dict[int, np.ndarray]
    best: int | None

    @classmethod
    def of(
        cls,
        folds: list[Pair],
        scoring: Scoring,
        final: FinalModel,
        n_rows: int,
        rows: np.ndarray | None = None,
    ) -> "OutOfFoldRows":
        """What is known of a final model.

        Parameters
        ----------
        folds : list of (ndarray, ndarray)
            Row numbers to learn from and to validate on.
        scoring : Scoring
            Of the rows that the trials were judged on, the first of those that the folds validate.
        final : FinalModel
        n_rows : int
            Rows of the X that was given to fit.
        rows : ndarray or None, default=None
            The row numbers in it of those that the folds are about; None for all.
        """
        proba = np.empty((0, 0))
        of_trials: dict[int, np.ndarray] = {}
        if final.best is not None:
            proba = final.out_of_fold()
            # Exact for the two models that decide; for the others, which are only scored, half of the bytes will do.
            of_trials = {
                trial.number: trial.proba.astype(np.float32)
                for trial, _ in final.members
            }
            of_trials[final.best.number] = final.best.proba
        n_validated = len(proba)
        places = np.concatenate([valid for _, valid in folds])[:n_validated]
        places = places if rows is None else rows[places]
        first = scoring.first(n_validated) if n_validated else scoring
        return cls(
            places=_small(places),
            n_rows=n_rows,
            y=_small(first.y[:n_validated]),
            fold=_small(first.fold[:n_validated]),
            part=_small(first.part[:n_validated]),
            repeat=_small(first.repeat[:n_validated]),
            weight=None if first.weight is None else first.weight[:n_validated],
            positive=first.positive,
            proba=proba,
            of_trials=of_trials,
            best=None if final.best is None else final.best.number,
        )

    def by_row(self, n_classes: int) -> np.ndarray:
        """Probabilities of the ensemble by row of X, shape (n_rows, n_classes): the mean over repeats, else NaN."""
        total = np.zeros((self.n_rows, n_classes))
        count = np.bincount(self.places, minlength=self.n_rows)
        if len(self.places):
            np.add.at(total, self.places, self.proba)
        with np.errstate(invalid="ignore"):
            return cast(np.ndarray, total / count[:, None])

    def scoring(self, name: str, judged_by: Any, metric: Any) -> Scoring:
        """The scoring of these rows by another metric, as `resolve_metric` gives it."""
        y, fold, part, repeat = (
            column.astype(np.int64)
            for column in (self.y, self.fold, self.part, self.repeat)
        )
        return Scoring(
            name,
            judged_by,
            metric,
            y=y,
            fold=fold,
            repeat=repeat,
            weight=self.weight,
            positive=self.positive,
            part=part,
        )


def _small(numbers: np.ndarray) -> np.ndarray:
    """Row numbers or codes in the fewest bytes that hold them: a model's file has a value for each row."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
