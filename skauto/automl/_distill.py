"""Distillation: one small model of a table that answers nearly as the ensemble does.

The ensemble has seen the labels of its own rows, and is too sure of them. So the student learns from many more rows,
drawn from those that are given, of which the ensemble has never seen a label.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline

from skauto.automl._students import drawn, students_of
from skauto.automl.evaluation._new_rows import scores_of
from skauto.estimators.footprints._footprint import saved_bytes
from skauto.inputs._types import Table
from skauto.resample._decision_rule import DecisionRule

# The ensemble: from rows to probabilities of shape (n, n_classes).
Teacher: TypeAlias = Callable[[Any], np.ndarray]

# Rows that are drawn for each row that is given, the fewest and the most.
DRAWN_PER_ROW, FEWEST_DRAWN, MOST_DRAWN = 5, 5_000, 25_000

# Rows that are too few to draw from.
FEWEST_ROWS = 20

# The part of the rows from which the student is chosen, and the folds in which it is scored.
HELD_BACK, FOLDS = 0.2, 3

# Weights of a class, as a part of a row's, below which it is left out.
LEAST_WEIGHT = 1e-3


@dataclass(frozen=True)
class Distillation:
    """What is known of a distilled model, its attribute `distillation_`.

    Parameters
    ----------
    student : str
        Which of the students it is.
    bytes : int
        Of its file.
    agreement : float
        The part of drawn rows, held back, for which it predicts the label of the ensemble.
    scores : DataFrame or None
        F1, AUC and AP of the ensemble in the search, of the student in cross-validation, and the loss; None without y.
    """

    student: str
    bytes: int
    agreement: float
    scores: pd.DataFrame | None = field(default=None, repr=False)


def refuse_undistillable(X: Any, max_bytes: int) -> None:
    """Refuse data that are no table of columns, too few rows, and a size that is none.

    Raises
    ------
    ValueError
    """
    if not isinstance(X, (pd.DataFrame, np.ndarray)) or X.ndim != 2:
        sparse = hasattr(X, "indptr")
        what = "a sparse table" if sparse else "sequences or images"
        raise ValueError(
            f"distill is for tables of columns, not for {what}: pass the network to skauto.compress, or set "
            "constraints={'bytes': ...} for fit"
        )
    if len(X) < FEWEST_ROWS:
        raise ValueError(
            f"X has {len(X)} rows, and distill draws from at least {FEWEST_ROWS}: give those of fit"
        )
    if max_bytes < 1:
        raise ValueError(
            f"max_bytes={max_bytes} must be a number of bytes, for example 1_000_000"
        )


def line_on(distillation: Distillation) -> str:
    """What a user is told of a distilled model.

    Examples
    --------
    >>> from skauto.automl._distill import Distillation, line_on
    >>> line_on(Distillation("trees of 12 leaves", 48_000, 0.97))
    "distilled into 48 kB (trees of 12 leaves): 97.0 % of its labels are the ensemble's; give y to know the loss"
    """
    said = (
        f"distilled into {distillation.bytes / 1000:.0f} kB ({distillation.student}): "
        f"{distillation.agreement:.1%} of its labels are the ensemble's; "
    ).replace("%", " %")
    if distillation.scores is None:
        return said + "give y to know the loss"
    loss = distillation.scores.loc["loss"]
    return (
        said
        + "it loses "
        + ", ".join(f"{value:+.3f} {name}" for name, value in loss.items())
    )


def distilled(
    teacher: Teacher,
    X: Table,
    y: np.ndarray | None,
    rule: DecisionRule,
    of_teacher: dict[str, float],
    max_bytes: int,
    seed: int,
) -> Pipeline:
    """A small pipeline that was fitted to the probabilities of an ensemble.

    Parameters
    ----------
    teacher : callable
    X : DataFrame or array of shape (n, n_features)
        As the ensemble takes it.
    y : ndarray of shape (n,) or None
        Labels, which only the scores see.
    rule : DecisionRule
        That of the ensemble.
    of_teacher : dict
        Scores of the ensemble in its search, to compare with.
    max_bytes : int
    seed : int

    Returns
    -------
    student : Pipeline
        With a `Distillation` as `distillation_`.

    Raises
    ------
    ValueError
        If no student is small enough.
    """
    rng = np.random.default_rng(seed)
    students = students_of(X, len(rule.classes), max_bytes, seed)
    n_held = max(int(HELD_BACK * len(X)), 1)
    order = rng.permutation(len(X))
    held = drawn(_rows(X, order[:n_held]), FEWEST_DRAWN, rng)
    asked = teacher(held)
    losses: dict[str, float] = {}
    for name, student in students.items():
        fitted = _fit(student, _rows(X, order[n_held:]), teacher, rule.classes, rng)
        if saved_bytes(fitted) <= max_bytes:
            losses[name] = _cross_entropy(asked, fitted.predict_proba(held))
    if not losses:
        raise ValueError(
            f"max_bytes={max_bytes} is too little for any student of this table, whose preparation alone may take as "
            "much; allow more bytes, or give fewer columns of text"
        )
    best = min(losses, key=losses.__getitem__)
    scores = None
    if y is not None:
        scores = _scores(students[best], teacher, X, y, rule, of_teacher, seed)
    fitted = _fit(students[best], X, teacher, rule.classes, rng)
    labels = rule.labels(fitted.predict_proba(held))
    agreement = float(np.mean(labels == rule.labels(asked)))
    model = rule.wrap(fitted)
    size = saved_bytes(model)
    model.distillation_ = Distillation(best, size, agreement, scores)
    return model


def _fit(
    student: Pipeline,
    X: Table,
    teacher: Teacher,
    classes: np.ndarray,
    rng: np.random.Generator,
) -> Pipeline:
    """A student fitted to what the teacher says of the rows and of others drawn from them."""
    n_drawn = int(np.clip(DRAWN_PER_ROW * len(X), FEWEST_DRAWN, MOST_DRAWN))
    others = drawn(X, n_drawn, rng)
    if isinstance(X, pd.DataFrame):
        rows: Any = pd.concat([X, others], ignore_index=True)
    else:
        rows = np.concatenate([X, others])
    proba = teacher(rows)
    likeliest = classes[proba.argmax(axis=1)]
    (_, clean), (_, preparation), (_, classifier) = fitted_steps = clone(student).steps
    # On the rows as they are: among those drawn, texts that are all different come several times.
    cleaned = clean.fit(X, likeliest[: len(X)]).transform(rows)
    prepared = preparation.fit_transform(cleaned, likeliest)
    positions, labels, weights = _with_weights(proba)
    of_rows = prepared.iloc if isinstance(prepared, pd.DataFrame) else prepared
    classifier.fit(of_rows[positions], classes[labels], sample_weight=weights)
    return Pipeline(fitted_steps)


def _with_weights(proba: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities as weighted labels: positions of rows, codes of classes and weights, of each class at least one."""
    enough = proba > LEAST_WEIGHT
    enough[proba.argmax(axis=0), np.arange(proba.shape[1])] = True
    positions, labels = np.nonzero(enough)
    weights = np.maximum(proba[positions, labels], LEAST_WEIGHT)
    return positions, labels, weights


def _cross_entropy(wanted: np.ndarray, proba: np.ndarray) -> float:
    return -float(np.mean(np.sum(wanted * np.log(np.clip(proba, 1e-9, 1)), axis=1)))


def _scores(
    student: Pipeline,
    teacher: Teacher,
    X: Table,
    y: np.ndarray,
    rule: DecisionRule,
    of_teacher: dict[str, float],
    seed: int,
) -> pd.DataFrame:
    """Scores of the ensemble in its search, of a student in cross-validation, and the differences."""
    rng = np.random.default_rng(seed)
    proba = np.empty((len(X), len(rule.classes)))
    for train, valid in KFold(FOLDS, shuffle=True, random_state=seed).split(y):
        fitted = _fit(student, _rows(X, train), teacher, rule.classes, rng)
        proba[valid] = fitted.predict_proba(_rows(X, valid))
    of_student = scores_of(y, proba, rule, "f1", X, {})
    board = pd.DataFrame(
        {"ensemble": of_teacher, "distilled": of_student}, index=["F1", "AUC", "AP"]
    ).T
    board.loc["loss"] = board.loc["ensemble"] - board.loc["distilled"]
    return board


def _rows(X: Table, positions: np.ndarray) -> Table:
    taken = X.iloc[positions] if isinstance(X, pd.DataFrame) else X[positions]
    return cast(Table, taken)
