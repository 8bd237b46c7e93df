"""FinalModel: what predicts in the end, and what is known of it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from skauto.automl._types import Estimator, Footprint, Threshold
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._honest_score import Honest
from skauto.automl.selection._models import Models
from skauto.automl.selection._select import Member, Scored, mixed
from skauto.automl.tables._columns import watch
from skauto.estimators._ensemble import WeightedEnsembleClassifier
from skauto.resample._threshold import default_threshold


@dataclass(frozen=True)
class FinalModel:
    """What predicts, and what a leaderboard tells of it.

    Parameters
    ----------
    ensemble : WeightedEnsembleClassifier
    best_estimator : Pipeline
        The best single model, with its threshold.
    threshold : float, ndarray of shape (n_classes,) or None
        Of the ensemble; None where costs decide.
    kind : {"refitted", "fold_models", "quick_model", "class_frequencies"}
        What it was made from.
    fidelity : float
        The fraction of the rows or epochs that it was fitted with.
    best : Scored or None
        The best trial that was fitted; None where a fallback had to do.
    members : list of (Scored, float)
        The trials whose models the ensemble blends, with their weights, in its order.
    thresholds : dict of int
        Of the members and of the best trial, by trial; without those for which no time was left.
    scores : dict
        Of the out-of-fold probabilities of the ensemble, as `Scoring.report` gives them; empty where none are known.
    honest : dict of int to Honest
        Estimates of scores on new rows, by trial, -1 for the ensemble; empty where none are known.
    footprint : dict or None
        What the ensemble costs by the measures that are bounded.
    """

    ensemble: WeightedEnsembleClassifier
    best_estimator: Pipeline
    threshold: Threshold | None
    kind: str
    fidelity: float = 1.0
    best: Scored | None = None
    members: list[Member] = field(default_factory=list)
    thresholds: dict[int, Threshold] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    honest: dict[int, Honest] = field(default_factory=dict)
    footprint: Footprint | None = None

    def out_of_fold(self) -> np.ndarray:
        """Out-of-fold probabilities of what predicts, calibrated as it is, shape (n_validated, n_classes)."""
        blended, calibration = mixed(self.members), self.ensemble.calibration_
        return blended if calibration is None else calibration(blended)

    def kept(self) -> dict[int, tuple[Estimator, Threshold | None]]:
        """The members and the best single model with their thresholds, None where that is not known, by trial."""
        numbers = [trial.number for trial, _ in self.members]
        models = (
            dict(zip(numbers, self.ensemble.estimators_, strict=True))
            if numbers
            else {}
        )
        if self.best is not None:
            models.setdefault(self.best.number, self.best_estimator)
        return {
            number: (model, self.thresholds.get(number))
            for number, model in models.items()
        }


def assemble(
    finishing: Finishing, models: Models, best: Scored, members: list[Member]
) -> FinalModel:
    """The final model of some members, with the default threshold and without scores.

    Where `best` is not fitted, the member with the greatest score is the best single model.
    """
    if best.number not in models.fitted:
        best = max((trial for trial, _ in members), key=lambda trial: trial.score)
    ensemble = WeightedEnsembleClassifier.from_fitted(
        [models.fitted[trial.number] for trial, _ in members],
        [weight for _, weight in members],
    )
    # Before it is measured: what it says of unread columns is part of the model.
    watch(ensemble)
    threshold = default_threshold(len(finishing.classes))
    return FinalModel(
        ensemble=ensemble,
        best_estimator=finishing.decided(models.fitted[best.number], threshold),
        threshold=finishing.threshold_or_none(threshold),
        kind=models.kind,
        fidelity=models.fidelity,
        best=best,
        members=members,
    )


def fallback_of(finishing: Finishing, model: Pipeline, kind: str) -> FinalModel:
    """The final model of a fallback, with the default threshold."""
    threshold = default_threshold(len(finishing.classes))
    return FinalModel(
        ensemble=WeightedEnsembleClassifier.from_fitted([model], [1.0]),
        best_estimator=finishing.decided(model, threshold),
        threshold=finishing.threshold_or_none(threshold),
        kind=kind,
    )
