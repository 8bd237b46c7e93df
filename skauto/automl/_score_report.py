"""The score report of a fitted AutoClassifier: how good it is, and what makes that suspect."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skauto.automl._types import Estimator
from skauto.automl.evaluation._metrics import resolve_metric
from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.evaluation._suspects import leaking_columns, near_duplicates
from skauto.automl.selection._out_of_fold_rows import OutOfFoldRows
from skauto.inputs._rows import read_labels, same_length
from skauto.inputs._types import Given, Label, Rows
from skauto.resample._decision_rule import positive_last
from skauto.search._folds import take

# Positions and names that a line shows at most.
SHOWN = 8


@dataclass(frozen=True)
class ScoreReport:
    """What `score_report` found; as text a line for each question.

    Parameters
    ----------
    scores : Series
        `shown` (of the out-of-fold rows, on which members and threshold were chosen), `honest` with `low` and `high`,
        and `holdout` where rows were held out.
    baselines : Series
        The score of a plain model of the same folds, and of the frequencies of the classes.
    always_wrong : ndarray of int
        Positions of rows that every model that was kept labels wrongly, out of fold.
    leaks : DataFrame
        Columns that tell a class on their own: `column`, `class` and `AUC`.
    near_duplicates : ndarray of int
        Positions of rows that are there twice, on both sides of a fold.
    n_rows : int
    """

    scores: pd.Series
    baselines: pd.Series
    always_wrong: np.ndarray
    leaks: pd.DataFrame
    near_duplicates: np.ndarray
    n_rows: int

    @property
    def worse_than_baseline(self) -> bool:
        """Whether a plain model, or the frequencies of the classes, score as well as what predicts."""
        return bool((self.baselines >= self.scores["shown"]).any())

    def __str__(self) -> str:
        shown, plain = self.scores["shown"], self.baselines
        lines = [
            "score: " + ", ".join(f"{k} {v:.3f}" for k, v in self.scores.items()),
            f"worse than a plain baseline? {_yes(self.worse_than_baseline)}: {shown:.3f}, "
            + ", ".join(f"{name} {value:.3f}" for name, value in plain.items()),
            f"rows that are always wrong: {_some(self.always_wrong, self.n_rows)}",
            f"columns that tell the label alone: {_leaks(self.leaks)}",
            f"near duplicates on both sides of a fold: {_some(self.near_duplicates, self.n_rows)}",
        ]
        return "\n".join(lines)

    __repr__ = __str__


class Reports:
    """The score report of AutoClassifier."""

    # What AutoClassifier keeps of a fit.
    classes_: np.ndarray
    pos_label_: Label | None
    cost_matrix_: np.ndarray | None
    honest_score_: float
    honest_interval_: tuple[float, float]
    _plain: Estimator
    _aligned: Callable[[Given], Rows]
    _rows: OutOfFoldRows | None
    _scorings: Callable[[], tuple[Any, dict[str, Any]]]

    def score_report(self, X: Given, y: Any) -> ScoreReport:
        """Whether the score can be believed: baselines, rows always wrong, leaking columns, duplicates across folds.

        Parameters
        ----------
        X : as in `fit`
            The same rows, in the same order: a model keeps none of them.
        y : array-like of shape (n,)

        Returns
        -------
        report : ScoreReport

        Raises
        ------
        ValueError
            If X has another number of rows than `fit` was given, and where the model has no out-of-fold rows.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from skauto import AutoClassifier
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> auto = AutoClassifier(n_iter=1, time_limit=None, cv=3, candidates="logistic", pos_label=0, n_jobs=1,
        ...                       random_state=0, verbose=0).fit(X, y)
        >>> auto.score_report(X, y).worse_than_baseline
        False
        """
        check_is_fitted(self, "ensemble_")
        rows = self._rows
        if rows is None or not len(rows.places):
            raise ValueError(
                "score_report needs out-of-fold probabilities, and this model has none: fit again, with a greater "
                "time_limit"
            )
        X, labels = self._aligned(X), read_labels(y)
        same_length(len(labels), rows.n_rows, "y")
        same_length(X.shape[0], rows.n_rows, "X")
        codes = np.searchsorted(self.classes_, labels)
        first = rows.repeat == rows.repeat[0]
        fold = np.full(rows.n_rows, -1)
        fold[rows.places[first]] = rows.fold[first]
        scoring = self._scoring_of(rows)
        return ScoreReport(
            scores=self._scores(scoring, rows),
            baselines=self._baselines(scoring, rows, X, labels, fold),
            always_wrong=self._always_wrong(scoring, rows),
            leaks=self._leaks(X, codes),
            near_duplicates=near_duplicates(X, fold),
            n_rows=rows.n_rows,
        )

    def _scoring_of(self, rows: OutOfFoldRows) -> Scoring:
        """What the out-of-fold rows are scored by; F1 in the place of a function of (estimator, X, y)."""
        order = positive_last(self.classes_, self.pos_label_)
        scoring, _ = self._scorings()
        judge = resolve_metric(scoring, self.classes_[order], self.cost_matrix_)
        if judge[1] == "estimator":
            judge = resolve_metric("f1", self.classes_[order])
        return rows.scoring(*judge)

    def _scores(self, scoring: Scoring, rows: OutOfFoldRows) -> pd.Series:
        """The score of the out-of-fold rows, the honest one and that of rows held out."""
        low, high = self.honest_interval_
        shown = scoring.report(rows.proba)["score"]
        found = {"shown": shown, "honest": self.honest_score_, "low": low, "high": high}
        held = getattr(self, "holdout_score_", None)
        return pd.Series(found if held is None else {**found, "holdout": held})

    def _baselines(
        self,
        scoring: Scoring,
        rows: OutOfFoldRows,
        X: Rows,
        labels: np.ndarray,
        fold: np.ndarray,
    ) -> pd.Series:
        """Scores of a plain model and of the frequencies, each fold of validated rows by the other folds."""
        shape = len(labels), len(self.classes_)
        plain, frequencies = np.zeros(shape), np.zeros(shape)
        for number in np.unique(fold[fold >= 0]):
            # Rows that are in no fold, such as those held out, are known to no model.
            train = np.flatnonzero((fold >= 0) & (fold != number))
            valid = np.flatnonzero(fold == number)
            model = clone(self._plain).fit(take(X, train), labels[train])
            columns = np.searchsorted(self.classes_, model.classes_)
            plain[np.ix_(valid, columns)] = model.predict_proba(take(X, valid))
            counts = [np.sum(labels[train] == label) for label in self.classes_]
            frequencies[valid] = np.array(counts) / len(train)
        found = {"plain model": plain, "frequencies": frequencies}
        return pd.Series(
            {name: scoring.report(p[rows.places])["score"] for name, p in found.items()}
        )

    def _always_wrong(self, scoring: Scoring, rows: OutOfFoldRows) -> np.ndarray:
        """Positions of rows that the ensemble and all models that were kept label wrongly, in every repeat."""
        y, _ = scoring.oriented(rows.proba)
        wrong = np.ones(len(y), dtype=bool)
        for proba in [rows.proba, *rows.of_trials.values()]:
            wrong &= scoring.labels_of(proba.astype(float)) != y
        right = np.zeros(rows.n_rows, dtype=bool)
        right[rows.places[~wrong]] = True
        return np.setdiff1d(rows.places[wrong], np.flatnonzero(right))

    def _leaks(self, X: Rows, codes: np.ndarray) -> pd.DataFrame:
        """Columns that tell a class on their own, with the label of the class."""
        leaks = leaking_columns(X, codes)
        return leaks.assign(**{"class": self.classes_[leaks["class"].to_numpy(int)]})


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _some(positions: np.ndarray, n_rows: int) -> str:
    """How many, and the first of them."""
    if not len(positions):
        return "none"
    first = ", ".join(map(str, positions[:SHOWN]))
    dots = ", ..." if len(positions) > SHOWN else ""
    return f"{len(positions)} of {n_rows} ({first}{dots})"


def _leaks(leaks: pd.DataFrame) -> str:
    if leaks.empty:
        return "none"
    told = [
        f"{row['column']!r} (AUC {row['AUC']:.3f} of {row['class']!r})"
        for _, row in leaks.head(SHOWN).iterrows()
    ]
    return ", ".join(told) + "; are they known when a prediction is asked for?"
