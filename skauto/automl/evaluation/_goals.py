"""How far a constrained goal is reached, from out-of-fold probabilities."""

import numpy as np
import pandas as pd

from skauto.automl.evaluation._scoring import Scoring
from skauto.resample._constrained_goal import ConstrainedGoal
from skauto.resample._every_threshold import confusions
from skauto.resample._threshold import confusion_of


def measured(scoring: Scoring, proba: np.ndarray) -> pd.Series:
    """What out-of-fold rows say of a goal.

    Parameters
    ----------
    scoring : Scoring
        Of these rows, whose metric is a goal.
    proba : ndarray of shape (n_validated, 2)

    Returns
    -------
    goal : Series
        `goal`, `measure` and `bound`; `closest`, the best value of the measure that a threshold gives on all of these
        rows, and `reached`, whether it is within the bound. Then, with each fold's threshold chosen on the others, the
        objective by its name, `value` of the measure, `worst_95` and `probability` as `ConstrainedGoal.measured` has
        them: the rows of a fold are new to its threshold, as those to come are.
    """
    goal: ConstrainedGoal = scoring.metric
    closest, reached = closest_to(goal, scoring, proba)
    known = goal.measured(_confusion(scoring, proba))
    return pd.Series(
        {
            "goal": goal.name,
            "measure": goal.measure,
            "bound": goal.bound,
            "reached": reached,
            "closest": closest,
            **known,
        },
        dtype=object,
    )


def closest_to(
    goal: ConstrainedGoal, scoring: Scoring, proba: np.ndarray
) -> tuple[float, bool]:
    """The best value of the bounded measure among all thresholds, and whether that is within the bound."""
    y, proba = scoring.oriented(proba)
    every, _, _ = confusions(y, proba[:, 1], scoring.weight)
    lacking = float(goal.lacking(every).min())
    closest = goal.bound + (lacking if goal.measure == "fpr" else -lacking)
    return closest, bool((goal.strict(every) >= 0).any())


def _confusion(scoring: Scoring, proba: np.ndarray) -> np.ndarray:
    """The confusion matrix of a repeat, each fold labelled by the others, in rows that weigh alike."""
    y, _ = scoring.oriented(proba)
    labels = scoring.labels_of(proba)
    matrices = []
    for rows in scoring.parts:
        weight = np.ones(len(rows)) if scoring.weight is None else scoring.weight[rows]
        # Kish's effective number of rows: unequal weights tell less than as many equal ones.
        scale = weight.sum() / np.square(weight).sum()
        matrices.append(confusion_of(y[rows], labels[rows], 2, weight) * scale)
    return np.mean(matrices, axis=0)


def line_on(goal: pd.Series) -> str:
    """What a goal came to, in a line."""
    least = "at most" if goal["measure"] == "fpr" else "at least"
    return (
        f"{goal['goal']}: {goal['measure']} {goal['value']:.3f} out of fold, {least} {goal['worst_95']:.3f} with 95 %; "
        f"the bound holds on new rows with a probability of {goal['probability']:.2f}"
    )


def complaint(goal: pd.Series) -> str:
    """That a goal was not reached, and what is closest."""
    return (
        f"{goal['goal']}: no threshold of the ensemble reaches {goal['measure']} {goal['bound']:g}, the closest is "
        f"{goal['closest']:.4g}"
    )
