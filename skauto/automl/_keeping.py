"""Keep: what AutoClassifier knows once a fit is done, as its attributes."""

from typing import Any

import numpy as np

from skauto.automl._leaderboard import COLUMNS, cv_results, leaderboard
from skauto.automl.selection._final_model import FinalModel
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._honest_score import ENSEMBLE, UNKNOWN
from skauto.automl.tables._columns import columns_of, lines_on, watch


def keep(model: Any, finishing: Finishing, final: FinalModel) -> None:
    """Set the attributes of an AutoClassifier: what predicts and what is known of it."""
    best, bounds = final.best, finishing.plan.constraints
    model.best_estimator_, model.ensemble_ = final.best_estimator, final.ensemble
    model.threshold_ = final.threshold
    model.model_kind_, model.columns_ = final.kind, columns_of(model.best_estimator_)
    watch(model.best_estimator_, model.ensemble_)
    model.best_params_ = best.values if best else {}
    model.best_score_ = best.score if best else np.nan
    model.cv_results_ = cv_results(finishing.history)
    honest = final.honest.get(ENSEMBLE, UNKNOWN)
    model.honest_score_ = honest.score
    model.honest_interval_ = honest.low, honest.high
    others = [other.name for other in finishing.plan.scoring.also]
    model._board = leaderboard(finishing.history, final, [*others, *bounds.names])
    model._kept = final.kept()
    model.leaderboard_ = model._board[COLUMNS]
    model.pareto_front_ = None
    if bounds or others:
        model.pareto_front_ = bounds.front(model._board, others)
    for line in lines_on(model.columns_):
        finishing.progress.say(line)
    finishing.progress.show("finished", end=True)
    model.budget_ = finishing.phases.frame()
