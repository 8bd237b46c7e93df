"""What a fitted AutoClassifier answers: probabilities, labels, scores and the leaderboard."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skauto._seeds import root_seed
from skauto._telling import steady_streams, tell
from skauto.automl._costs_by_row import costs_for
from skauto.automl._distill import distilled, line_on, refuse_undistillable
from skauto.automl._kind import kind_named
from skauto.automl._leaderboard import COLUMNS, rescored
from skauto.automl._settings import first_and_others
from skauto.automl._types import Estimator, Threshold
from skauto.automl.evaluation._new_rows import score, scores_of
from skauto.automl.selection._out_of_fold_rows import OutOfFoldRows
from skauto.estimators._ensemble import WeightedEnsembleClassifier
from skauto.inputs._data import Form
from skauto.inputs._read import refuse_lazy
from skauto.inputs._types import Given, Label, Rows
from skauto.resample._decision_rule import DecisionRule

# Rows of the leaderboard under the diagram of a notebook.
SHOWN = 10


class Answers:
    """The methods of AutoClassifier that need a fit and change nothing."""

    # What AutoClassifier keeps of a fit.
    scoring: Any
    kind_: str
    classes_: np.ndarray
    pos_label_: Label | None
    threshold_: Threshold | None
    cost_matrix_: np.ndarray | None
    ensemble_: WeightedEnsembleClassifier
    leaderboard_: pd.DataFrame
    _board: pd.DataFrame
    _kept: dict[int, tuple[Estimator, Threshold | None]]
    _form: Form
    _rows: OutOfFoldRows | None
    _costs_by_column: dict[Any, Any] | None
    _decided_for: Any
    verbose: int

    def predict_proba(self, X: Given) -> np.ndarray:
        """Probabilities of the ensemble, never moved by the threshold.

        Parameters
        ----------
        X : as in `fit`
            A DataFrame may have its columns in another order, unseen categories and new missing values; sequences may
            have another number of steps.

        Returns
        -------
        proba : ndarray of shape (n, n_classes)
            Columns in the order of `classes_`.
        """
        return self._answer(X)[1]

    def _answer(self, X: Given) -> tuple[Rows, np.ndarray]:
        """X as the members want it, and their probabilities."""
        check_is_fitted(self, "ensemble_")
        with steady_streams():
            X = self._aligned(X)
            return X, self.ensemble_.predict_proba(X)

    def _aligned(self, X: Given) -> Rows:
        refuse_lazy(X)
        return kind_named(self.kind_).same_form(X, self._form)

    def _rule(self, X: Rows, cost_matrix: Any) -> DecisionRule:
        """How probabilities of these rows become labels."""
        # `threshold_` is None where costs decide, and a threshold is never looked at then.
        rule = DecisionRule(
            self.classes_, self.pos_label_, self.threshold_, self.cost_matrix_
        )
        return replace(
            rule, costs=costs_for(X, cost_matrix, rule, self._costs_by_column)
        )

    def predict(self, X: Given, cost_matrix: Any = None) -> np.ndarray:
        """Labels of the ensemble at `threshold_`, or of least expected cost.

        Parameters
        ----------
        X : as in `predict_proba`
        cost_matrix : array-like of shape (n, n_classes, n_classes), default=None
            Costs of these rows. None: those of the columns that the constructor names, else `cost_matrix_`.

        Returns
        -------
        labels : ndarray of shape (n,)
        """
        X, proba = self._answer(X)
        return self._rule(X, cost_matrix).labels(proba)

    def score(
        self, X: Given, y: Any, sample_weight: Any = None, cost_matrix: Any = None
    ) -> float:
        """The score that the search maximised, or `set_decision` was given, of given rows; costs as in `predict`.

        Raises
        ------
        ValueError
            If y has another length than X, or labels that fit never saw.
        """
        X, proba = self._answer(X)
        scoring, _ = self._scorings()
        rule = self._rule(X, cost_matrix)
        return score(y, proba, rule, scoring, sample_weight, X)

    def _scorings(self) -> tuple[Any, dict[str, Any]]:
        """What rows are scored by, and the further scores by name."""
        first, others = first_and_others(self.scoring)
        decided_for = self._decided_for
        return first if decided_for is None else decided_for, others

    def distill(
        self,
        X: Given,
        y: Any = None,
        *,
        max_bytes: int = 1_000_000,
        random_state: Any = None,
    ) -> Pipeline:
        """One small model of a table that answers nearly as the ensemble does.

        It learns the probabilities of the ensemble, of the rows of X and of thousands more that are drawn from them.
        The ensemble keeps no rows, so these are asked for.

        Parameters
        ----------
        X : as in `fit`
            Rows like those of `fit`, best the same ones. Labels are not needed.
        y : array-like of shape (n,), default=None
            Their labels, with which the loss is known: it is found by cross-validation, which takes as long again.
        max_bytes : int, default=1_000_000
            Most bytes that joblib may store of it.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        model : Pipeline
            Fitted, with the decision of the ensemble in its last step. Its attribute `distillation_` has its `bytes`,
            its `agreement` with the labels of the ensemble and, with y, the table `scores`.

        Raises
        ------
        ValueError
            If the data are no table, or a sparse one, or if no student has so few bytes.
        """
        check_is_fitted(self, "ensemble_")
        X = self._aligned(X)
        refuse_undistillable(X, max_bytes)
        rule = DecisionRule(
            self.classes_, self.pos_label_, self.threshold_, self.cost_matrix_
        )
        predicts = self._board[self._board["trial"] == -1].iloc[0]
        of_ensemble = {name: predicts[name] for name in ("F1", "AUC", "AP")}
        if self._rows is not None and len(
            self._rows.places
        ):  # by the decision that is now made
            known = self.classes_[self._rows.y]
            of_ensemble["F1"] = scores_of(known, self._rows.proba, rule, "f1")["F1"]
        ask, seed = self.ensemble_.predict_proba, root_seed(random_state)
        with steady_streams():
            model = distilled(ask, X, y, rule, of_ensemble, max_bytes, seed)
        if self.verbose:
            tell(f"skauto {line_on(model.distillation_)}\n")
        return model

    def leaderboard(
        self,
        X: Given = None,
        y: Any = None,
        *,
        details: bool = False,
        cost_matrix: Any = None,
    ) -> pd.DataFrame:
        """The leaderboard with more columns, or of other rows.

        Parameters
        ----------
        X : as in `fit`, default=None
            Rows on which every model that was kept is scored: what predicts, the members of the ensemble and the best
            one, each with its own threshold. None gives the scores of the search, of all trials.
        y : array-like of shape (n,), default=None
            Their labels.
        details : bool, default=False
            Whether to add `trial`, `seconds`, `fold_std` (standard deviation of the score over folds), `fidelity`
            (fraction of rows or epochs), `reason` of a failure, `params` (of an ensemble its members with their
            weights) and what is constrained.
        cost_matrix : array-like of shape (n, n_classes, n_classes), default=None
            Costs of these rows, as in `predict`.

        Returns
        -------
        board : DataFrame

        Notes
        -----
        A trial may have a greater score than the ensemble, whose members are not selected by the score where that is a
        matter of few rows: those of a score of labels, such as F1, by log loss and average precision (of accuracy by
        log loss alone), those of a score of probabilities by log loss and that score. A fit then says so in a line.
        """
        check_is_fitted(self, "ensemble_")
        if (X is None) != (y is None):
            raise ValueError(
                f"{'X' if X is None else 'y'} is missing: leaderboard takes both X and y, or neither"
            )
        board = (
            self._board.copy()
            if X is None
            else self._rescored(self._aligned(X), y, cost_matrix)
        )
        return board if details else board[COLUMNS]

    def _rescored(self, X: Rows, y: Any, cost_matrix: Any) -> pd.DataFrame:
        models = {-1: (self.ensemble_, self.threshold_), **self._kept}
        rule, scorings = self._rule(X, cost_matrix), self._scorings()
        return rescored(self._board, models, X, y, rule, *scorings)

    def _html_repr(self) -> str:
        """What a notebook shows: scikit-learn's diagram and, once fitted, the head of the leaderboard under it."""
        board = getattr(self, "leaderboard_", None)
        return super()._html_repr() + (  # type: ignore[misc]
            "" if board is None else board.head(SHOWN)._repr_html_()
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        tags.input_tags.string = tags.input_tags.categorical = (
            tags.input_tags.three_d_array
        ) = True
        return tags
