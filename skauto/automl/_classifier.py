"""AutoClassifier: read the data, plan a search over pipelines, search, select, refit and report."""

from collections.abc import Sequence
from concurrent.futures import Executor
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

# Adds a method to scikit-learn's table of routed ones: here, where the name is fetched, and never within a fit, after
# which requests made before would lack it.
import imblearn.base  # noqa: F401
from sklearn.base import BaseEstimator, ClassifierMixin

from skauto.automl._answers import Answers
from skauto.automl._deciding import Deciding
from skauto.automl._holding_out import HoldsOut, hold_out, leave_time
from skauto.automl._keeping import Keeps
from skauto.automl._leaderboard import COLUMNS, DETAILS
from skauto.automl._reading import read
from skauto.automl._runtime import Runtime
from skauto.automl._score_report import Reports
from skauto.automl._search_step import plan_search, run_search
from skauto.automl._settings import PARAMETERS, settings_of
from skauto.automl.selection._decide import conclude
from skauto.automl.selection._models import refit
from skauto.automl.selection._shortlist import select
from skauto.inputs._data import Data
from skauto.inputs._types import Label
from skauto.search._executor_pool import UsesExecutor
from skauto.search.strategies._base import Strategy

if TYPE_CHECKING:  # loads the portfolio's packages, which importing skauto must not
    from skauto.automl._candidate import Candidate


class AutoClassifier(
    Deciding,
    HoldsOut,
    Keeps,
    Reports,
    Answers,
    UsesExecutor,
    ClassifierMixin,
    BaseEstimator,
):
    """Searches classifiers for a table, a batch of sequences or a stack of images, and blends the best of them.

    Parameters
    ----------
    scoring : str, scorer, callable or dict of these by name, default="f1"
        What to maximise; of a dict the first one, and the others are shown: each is a column of
        ``leaderboard(details=True)``, of the labels that are predicted for the first one. "f1" is F1 of `pos_label` for
        two classes and macro F1 for more, "roc_auc" one-vs-rest for more than two; other names are scikit-learn's.
        Label metrics are scored on pooled out-of-fold probabilities, with each fold's threshold tuned on the other
        folds; so are goals of two classes under a bound: "recall_at_precision>=0.9", "precision_at_recall>=0.8" and
        "recall_at_fpr<=0.01". A callable ``(estimator, X, y)`` may read columns and the index of X; it is given an
        estimator that answers with the out-of-fold predictions of these rows.
    strategy : str or Strategy, default="auto"
        "random", "genetic", "bayes", "halving", "auto", or an object of `skauto.search`.
    time_limit : float or None, default=300
        Seconds for everything, refit and ensemble included. A search of a small table may end sooner.
    n_iter : int or None, default=None
        Most trials. With `time_limit=None` the result is the same on any number of workers, and nothing stops a
        trial that hangs.
    cv : int, splitter, iterable of (train, test) or None, default=5
        Folds; None is 5. An integer: stratified ones, drawn up to three times on small tables; images within a time
        limit, or from 5,000 on, have a single split. A splitter is given X, y and groups as they come, index and
        labels included; pairs are positions of rows.
    candidates : "auto", str or list of str and Candidate, default="auto"
        Which kinds of classifier to try, by the names that ``Candidate.names(kind)`` gives: "lightgbm" and "logistic",
        say. A `Candidate` is one of your own: ``["auto", Candidate("mine", pipeline, space)]`` adds it to the others,
        ``["auto", "-svm"]`` leaves one out.
    kind : {"auto", "table", "sequence", "image"}, default="auto"
        What X is. "auto" takes arrays of four axes, and of three if uint8, for images, other arrays of three axes and
        lists of series for sequences, and everything else for a table.
    pos_label : label or None, default=None
        The positive class of two; None is the rarer one, on a tie the second.
    cost_matrix : array-like of shape (n_classes, n_classes), DataFrame, dict or None, default=None
        Cost of predicting the j-th class where the i-th is true, in the order of `classes_`, or labelled. With it the
        search minimises the mean cost in the place of `scoring`, and `predict` decides by least expected cost. A dict
        may name columns of X: ``{"false_negative": "amount", "false_positive": 5}`` of `pos_label`, or pairs of labels
        ``{(true, predicted): cost}``. Costs of each row may also be given to `fit` and `predict`.
    constraints : dict or None, default=None
        What the model may cost: the most `bytes` that joblib stores of it, the most `latency_ms` to predict one row on
        one thread, or any name with ``(callable, least)``, where ``callable(estimator, X, y)`` measures the fitted
        model, greater being better. Trials are held to it, of images and series before they train, and the ensemble is.
    ensemble : "auto", "single" or int, default="auto"
        Most members of the weighted ensemble that predicts: "auto" goes by the rows, from 4 of a hundred to 40 of ten
        thousand, "single" is the best model alone. Members that are dear to ask for their weight are left out.
    holdout : float or None, default=None
        The fraction of the rows that is kept away from everything, stratified, by group where there are groups, and
        scored once, by what predicts in the end: `holdout_score_`. The same rows for the same `random_state`.
    journal : str, path or None, default=None
        Folder in which the search writes down all it does. After a kill, or with more budget, a fit with the same
        data and arguments goes on from there; another search is refused with the difference named.
    n_jobs : int or None, default=-1
        Worker processes; -1 is one a core, None one.
    executor : concurrent.futures.Executor or None, default=None
        Where trials run instead of here, for example ``dask.distributed.Client(...).get_executor()``.
    memory_limit : int, str or None, default=None
        Most resident memory of a trial above its worker's at the start, in bytes or as "4GB". None is an equal share
        of four fifths of what is free.
    random_state : int, RandomState or None, default=None
        Seed.
    verbose : int, default=1
        1 shows a line of progress on standard error, 0 nothing.

    Attributes
    ----------
    best_estimator_ : Pipeline
        The best single model, refitted on all rows, with its threshold in the last step.
    ensemble_ : WeightedEnsembleClassifier
        What predicts.
    leaderboard_ : DataFrame
        A row a trial and one for what predicts, the best on top: `chosen` ("best" or "predicts"), `candidate`, `score`
        (what `scoring` says, over pooled folds), `honest` (without the luck of the choice, see `honest_score_`) with
        `low` and `high`, `F1`, `AUC`, `AP`, `status`; see also `leaderboard`.
    honest_score_, honest_interval_ : float, tuple of float
        Estimate of what `score` gives on new rows: members, weights and threshold are chosen anew on draws of the rows
        and scored on the others; and what holds it for 3/7 as many new rows in 95 of 100 cases. NaN without time, for
        trials beyond the 25 best, and for functions of one's own that are called with one threshold at a time.
    pareto_front_ : DataFrame or None
        With `constraints` or several scores, the rows of ``leaderboard(details=True)`` that no other beats in all of
        the scores and in all that is bounded.
    best_params_ : dict
    best_score_ : float
        Score of the best single model over the pooled folds.
    cv_results_ : dict
        As in scikit-learn's searches.
    threshold_ : float, ndarray of shape (n_classes,) or None
        Least probability of `pos_label_` at which it is predicted; for more than two classes a factor of each class's
        probability. None with costs.
    oof_proba_ : ndarray of shape (n, n_classes)
        Out-of-fold probabilities of the ensemble, in the order of the rows given to `fit`, the mean over repeats; NaN
        for rows that were never validated. `set_decision` decides anew from them.
    goal_ : Series or None
        Of a constrained goal: the `bound` of a `measure`, the `closest` value on all out-of-fold rows, and by
        thresholds of other folds its `value`, the worst of 95 % on new rows (`worst_95`) and how sure the bound holds.
    holdout_score_, holdout_scores_, holdout_rows_ : float, Series, ndarray of shape (n_held,)
        With `holdout`, for the decision that `fit` made: the score of the rows that were kept away, the same with F1,
        AUC, AP and further scores, and the positions of these rows in X.
    cost_matrix_ : ndarray of shape (n_classes, n_classes) or None
        The costs, in the order of `classes_`; the mean over rows where they differ by row, by which `best_estimator_`
        decides.
    model_kind_ : {"refitted", "fold_models", "quick_model", "class_frequencies"}
        What predicts: models of all rows; without time for one, those of the folds of the best trial; without a
        complete trial a quick model on part of the rows, or the frequencies of the classes.
    kind_ : {"table", "sequence", "image"}
        What X was taken for.
    columns_ : DataFrame or None
        Of a table a row a column: `name`, `taken_as` ("number", "date", "category", "code", "text"), `dropped`, `why`.
    pos_label_ : label or None
        The positive class, None for more than two classes.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
        Columns of a table, features of a step of a sequence, pixels times channels of an image.
    feature_names_in_ : ndarray of str
        Only where X had column names.
    budget_ : DataFrame
        Planned and used seconds of each phase.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skauto import AutoClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> auto = AutoClassifier(n_iter=3, time_limit=None, cv=3, pos_label=0, n_jobs=1, random_state=0, verbose=0)
    >>> auto = auto.fit(X, y)
    >>> auto.predict_proba(X).shape
    (569, 2)
    >>> auto.leaderboard_["candidate"].nunique()
    4
    """

    _parameter_constraints: dict[str, list[Any]] = PARAMETERS

    def __init__(
        self,
        scoring: Any = "f1",
        *,
        strategy: str | Strategy = "auto",
        time_limit: float | None = 300,
        n_iter: int | None = None,
        cv: Any = 5,
        candidates: "str | Sequence[str | Candidate]" = "auto",
        kind: str = "auto",
        pos_label: Label | None = None,
        cost_matrix: Any = None,
        constraints: dict[str, Any] | None = None,
        ensemble: str | int = "auto",
        holdout: float | None = None,
        journal: str | PathLike[str] | None = None,
        n_jobs: int | None = -1,
        executor: Executor | None = None,
        memory_limit: int | str | None = None,
        random_state: Any = None,
        verbose: int = 1,
    ) -> None:
        self.scoring = scoring
        self.strategy = strategy
        self.time_limit = time_limit
        self.n_iter = n_iter
        self.cv = cv
        self.candidates = candidates
        self.kind = kind
        self.pos_label = pos_label
        self.cost_matrix = cost_matrix
        self.constraints = constraints
        self.ensemble = ensemble
        self.holdout = holdout
        self.journal = journal
        self.n_jobs = n_jobs
        self.executor = executor
        self.memory_limit = memory_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        groups: Any = None,
        cost_matrix: Any = None,
    ) -> Self:
        """Search, ensemble, refit and tune the threshold.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix of shape (n, n_features)
            Numbers, booleans, categories, strings and dates; missing values are welcome. Or sequences: an array
            (n, time, features), shorter ones padded at the end with NaN, or a list of arrays (time_i, features). Or
            images: (n, height, width), (n, height, width, channels) or (n, channels, height, width).
        y : array-like of shape (n,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows, in fitting and scoring.
        groups : array-like of shape (n,), default=None
            Rows of one group are never on both sides of a fold.
        cost_matrix : array-like of shape (n, n_classes, n_classes), default=None
            Costs of each row, or what the constructor takes, in the place of it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter cannot be used; the message says which and what would do.
        """
        name, taken = type(self).__name__, (*COLUMNS, *DETAILS)
        settings = settings_of(self.get_params(deep=False), name, taken)
        given = hold_out(settings, X, y, sample_weight, groups, cost_matrix)
        with Runtime(leave_time(settings)) as runtime:
            data = self._read(runtime, *given.learnt)
            plan = plan_search(runtime, data)
            history = run_search(runtime, plan, data)
            finishing = runtime.finishing(plan, history, data)
            selection = select(finishing, self.ensemble)
            models = refit(finishing, selection)
            final = conclude(finishing, selection, models)
        self._keep(finishing, final)
        self._remember(finishing, selection, final, given)
        self._keep_scores_of(given)
        return self

    def _read(
        self,
        runtime: Runtime,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any,
        cost_matrix: Any,
    ) -> Data:
        """The checked data; what they alone tell becomes attributes, and a model of an earlier fit is forgotten."""
        with runtime.phases("inspect"):
            data = read(runtime.settings, X, y, sample_weight, groups, cost_matrix)
            self.__dict__.pop("ensemble_", None)
            self.__dict__.pop("feature_names_in_", None)
            self._form, self._costs_by_column = data.form, data.costs_by_column
            self.kind_, self.classes_ = data.kind, data.classes
            self.pos_label_ = data.pos_label
            self.cost_matrix_, self.n_features_in_ = data.mean_costs, data.n_features
            if data.feature_names is not None:
                self.feature_names_in_ = self._form.feature_names
            runtime.prepare(data.kind)
        return data
