"""From data and settings to a plan: folds, scoring, candidates, space and strategy of one search."""

import functools
from dataclasses import dataclass, replace

import numpy as np

from skauto.automl._candidate import build_pipeline
from skauto.automl._data_profile import DataProfile
from skauto.automl._epoch_planning import apply_fidelity
from skauto.automl._imbalance import NONE, imbalance_strategies, with_labels
from skauto.automl._kind import kind_named
from skauto.automl._matrix_learners import CALIBRATION_FOLDS
from skauto.automl._select_candidates import select_candidates, trial_fraction
from skauto.automl._sizing import ends_in_time, fidelity_within, folds_within
from skauto.automl._splits import fold_of_rows, folds_of, warn_of_one_class
from skauto.automl._time_budget import LONG_TRIAL_FRACTION
from skauto.automl.evaluation._constraints import UNBOUND, Constraints
from skauto.automl.evaluation._early_stopping import MIN_CLASS_ROWS, fit_last_step, predict_at
from skauto.automl.evaluation._estimator_scoring import EstimatorScoring
from skauto.automl.evaluation._evaluate import Evaluation
from skauto.automl.evaluation._fold_models import pack
from skauto.automl.evaluation._metrics import resolve_metric
from skauto.automl.evaluation._scoring import Scoring
from skauto.resample._decision_rule import positive_last
from skauto.search._prefix_cache import PrefixCache
from skauto.search._space import Space

# The least fraction of their epochs that nets are tried with.
LEAST_EPOCHS = 1 / 9

# The fewest training rows of a trial on a part of them; "auto" halves only where rows are many.
ROWS_OF_A_RUNG, ROWS_TO_HALVE = 200, 1_500

# Seconds of importing PyTorch, which the first network of each worker pays.
NET_IMPORT_SECONDS = 2.5

# Most bytes of first steps that a worker keeps for later trials.
CACHE_BYTES = 1 << 29

# What a grid tries of a distribution.
GRID_QUANTILES = (0.2, 0.8)

# Share of the trials that leave the classes as they are.
UNRESAMPLED_FRACTION = 0.6


@dataclass(frozen=True)
class Plan:
    """What one search does; `context` is sent to the workers."""

    context: Evaluation
    scoring: Scoring
    space: Space
    initial: list
    missing: list
    n_trials: int
    constraints: Constraints
    fraction: float
    net_fraction: float

    def fraction_of(self, trial):
        """The part of the time limit that a trial may use: more where its model is the final one."""
        values = self.space.decode(trial.params)
        return self.net_fraction if self.context.build.keeps(values) else self.fraction

    def start_seconds(self, trial):
        """Seconds that a trial may have beyond its part of the time limit: those that importing a network takes."""
        return NET_IMPORT_SECONDS if self.space.decode(trial.params)["candidate"] in self.context.build.nets else 0.0

    def min_fidelity(self, strategy):
        """The least power of a third, at least a ninth, that leaves enough rows, one where none does.

        A strategy that was asked for saves epochs where there are nets of series or images, however few the rows.
        Where there is much data for the time, trials begin with fewer rows still; networks plan their epochs.
        """
        build, auto = self.context.build, strategy == "auto"
        if self._plans_epochs and not auto:
            return LEAST_EPOCHS
        rows, n_rows = build.profile.n_rows, ROWS_TO_HALVE if auto else ROWS_OF_A_RUNG
        least = next((fraction for fraction in (1 / 9, 1 / 3) if fraction * rows >= n_rows), 1.0)
        return least if self._plans_epochs else fidelity_within(build.profile, least, ROWS_OF_A_RUNG)

    def first_fidelity(self, strategy):
        """The fidelity of the first configurations: the full one, unless a fit of it would outlast its trial."""
        whole = self._plans_epochs or ends_in_time(self.context.build.profile)
        return 1.0 if whole else self.min_fidelity(strategy)

    @property
    def _plans_epochs(self):
        """Whether there are networks of series or images, which fit themselves into their time."""
        return self.context.build.profile.kind.effort.saves_epochs and bool(self.context.build.nets)


@dataclass(frozen=True)
class Builder:
    """Makes the estimator of a configuration in a worker."""

    candidates: dict
    profile: DataProfile
    labels: np.ndarray

    @property
    def nets(self):
        """Names of the candidates that are networks."""
        return {name for name, candidate in self.candidates.items() if candidate.extra == "deep"}

    def keeps(self, values):
        """Whether the model of a trial is the final one: where networks of images are trained on one fold alone."""
        return self.profile.kind.effort.keeps_networks and values["candidate"] in self.nets

    def is_safe(self, values):
        """Whether a configuration may be fitted in the user's process: one of scikit-learn's or LightGBM's own."""
        candidate = self.candidates[values["candidate"]]
        if candidate.is_own or candidate.extra is not None:
            return False
        return candidate.build.__module__.startswith("skauto.")

    def is_own(self, values):
        """Whether a configuration is one of the user's candidates, which are fitted and asked as they are."""
        return self.candidates[values["candidate"]].is_own

    def at_fidelity(self, values, pipeline, fidelity, least):
        """A pipeline with less effort, and its fraction of the rows; `least` is the smallest one of rows."""
        candidate = self.candidates[values["candidate"]]
        if candidate.fidelity in (None, "rows") or not candidate.is_own:
            return apply_fidelity(pipeline, fidelity, least)
        last = pipeline.steps[-1][1]
        inner = last if values.get("imbalance", NONE) == NONE else last.estimator
        inner.set_params(**candidate.at_fidelity(fidelity))
        return pipeline, 1.0

    def for_refit(self):
        """The builder of the final models, for which there is more time than for a fold."""
        return replace(self, profile=replace(self.profile, refit=True))

    def untimed(self):
        """The builder without a time limit, which times no network."""
        return replace(self, profile=replace(self.profile, seconds=None))

    def fallback(self):
        """A small model of the data's kind."""
        return self.profile.kind.fallback(self.profile)

    def __call__(self, values, seed):
        rest = {name: value for name, value in values.items() if name != "candidate"}
        if self.is_own(values):  # it learns the labels of the user
            rest = with_labels(rest, self.labels)
        return build_pipeline(self.candidates[values["candidate"]], rest, self.profile, seed)


def make_plan(
    data,
    *,
    scoring,
    cv,
    candidates,
    pos_label,
    seed,
    threads,
    cost_matrix=None,
    memory_limit=None,
    finite=False,
    time_limit=None,
    constraints=UNBOUND,
):
    """The plan of a search.

    Parameters
    ----------
    data : Data
        What `inspect` made of X and y.
    scoring : str or scorer
    cv : int, splitter or list of pairs of row numbers
    candidates : "auto" or list of str
    pos_label : label
        The positive class of two.
    seed : int
    threads : int
        Threads of one worker.
    cost_matrix : array-like of shape (n_classes, n_classes) or (n_rows, n_classes, n_classes), default=None
        Costs of mistakes, in the place of the score.
    memory_limit : int, default=None
        Bytes of a worker.
    finite : bool, default=False
        Whether the space must be a grid.
    time_limit : float, default=None
        Seconds of the whole fit.
    constraints : Constraints, default=UNBOUND
        Bounds of a winner, for which every trial is measured.
    """
    n_classes = len(data.classes)
    order = positive_last(data.classes, pos_label)
    folds, repeat = folds_of(data, cv, seed)
    kind = kind_named(data.kind)
    fraction = trial_fraction(candidates, kind)
    net_fraction = LONG_TRIAL_FRACTION if kind.effort.keeps_networks and len(folds) == 1 else fraction
    seconds = None if time_limit is None else time_limit * net_fraction * kind.effort.plan_fraction / len(folds)
    profile = _profile_of(data, kind, folds, threads, seed, seconds)
    most_folds = None
    if time_limit is not None:
        profile = replace(profile, trial_seconds=time_limit * fraction)
        most_folds = folds_within(profile, len(folds))
    chosen, missing = select_candidates(candidates, profile, small=bool(constraints))
    profile = replace(profile, alone=all(candidate.extra == "deep" for candidate in chosen))
    space, initial = table_space(chosen, imbalance_strategies(_rarest(data.y, folds)), finite)
    rows = np.concatenate([valid for _, valid in folds])
    warn_of_one_class(data, rows)
    by_row = np.ndim(cost_matrix) == 3
    name, judged_by, metric = resolve_metric(scoring, data.classes[order], cost_matrix[rows] if by_row else cost_matrix)
    own = {"X": data.X, "rows": rows, "index": data.index} if judged_by == "estimator" else {}
    judged = (EstimatorScoring if own else Scoring)(
        name=name,
        kind=judged_by,
        metric=metric,
        y=data.y[rows],
        fold=fold_of_rows(data.y[rows], folds, seed),
        repeat=np.repeat(repeat, [len(valid) for _, valid in folds]),
        weight=None if data.sample_weight is None else data.sample_weight[rows],
        positive=int(order[-1]),
        **own,
    )
    build = Builder({candidate.name: candidate for candidate in chosen}, profile, data.classes)
    context = Evaluation(
        X=data.X,
        y=data.y,
        weight=data.sample_weight,
        folds=folds,
        n_classes=n_classes,
        space=space,
        build=build,
        report=judged.report_of_trial,
        low_fidelity_score=judged.low_fidelity_score,
        seed=seed,
        fit=fit_last_step,
        predict=predict_at,
        apply_fidelity=functools.partial(build.at_fidelity, least=min(1.0, ROWS_OF_A_RUNG / profile.n_rows)),
        plain=build.is_own,
        labels=data.classes,
        measure=constraints.of_trial if constraints else None,
        check_feasible=constraints.check_feasible if constraints.most else None,
        min_class_rows=20,
        repeat=repeat,
        keep_model=build.keeps,
        most_folds=most_folds,
        bag=None if time_limit is None else pack,
        usable=constraints.may_hold if constraints else None,
        cache=PrefixCache(CACHE_BYTES if memory_limit is None else min(CACHE_BYTES, memory_limit // 4)),
    )
    n_trials = space.size if finite else len(initial) + profile.n_rows // kind.effort.rows_per_trial
    return Plan(context, judged, space, initial, missing, n_trials, constraints, fraction, net_fraction)


def _profile_of(data, kind, folds, threads, seed, seconds):
    fewest = min(_fewest(data.y[valid]) for _, valid in folds)
    return DataProfile(
        n_rows=min(len(train) for train, _ in folds),
        n_columns=data.n_features,
        n_classes=len(data.classes),
        sparse=hasattr(data.X, "indptr"),
        threads=threads,
        early_stopping=fewest >= MIN_CLASS_ROWS,
        weighted=data.sample_weight is not None,
        rare=min(_fewest(data.y[train]) for train, _ in folds) < CALIBRATION_FOLDS,
        kind=kind,
        shape=tuple(data.X.shape[1:]),
        seconds=seconds,
        seed=seed,
        **kind.profile(data),
    )


def _rarest(y, folds):
    """Labels of the training fold whose rarest class has the fewest rows: what it allows, all allow."""
    return min((y[train] for train, _ in folds), key=_fewest)


def _fewest(y):
    counts = np.bincount(y)
    return int(counts[counts > 0].min(initial=len(y)))


def table_space(candidates, strategies, finite=False):
    """The space of some candidates, a branch for each imbalance strategy, and their initial configurations.

    `strategies` are those of `imbalance_strategies`; a candidate takes those that suit it. With `finite` each
    distribution becomes a few of its quantiles, and there are no initial configurations.
    """
    branches, weights = [], []
    for candidate in candidates:
        spaces = candidate.branches()
        for own in spaces:
            for strategy, fraction in _fractions(candidate.imbalance, strategies):
                branch = {"candidate": [candidate.name], **own, **strategy}
                branches.append(_listed(branch) if finite else branch)
                weights.append(fraction * candidate.weight / len(spaces))
    space = Space(branches, weights=weights)
    if finite:
        return space, []
    ranked = [
        (rank, candidate.name, {"candidate": candidate.name, "imbalance": NONE, **values})
        for candidate in candidates
        for rank, values in candidate.initial_configurations()
    ]
    ranked.sort(key=lambda entry: entry[:2])
    return space, [space.encode(values) for _, _, values in ranked]


def _fractions(groups, strategies):
    """Pairs of an imbalance strategy and its fraction of a candidate's trials: equal by groups, and within a group."""
    suited = [[strategies[name] for name in group if name in strategies] for group in groups]
    suited = [group for group in suited if group]
    unresampled = [(strategies[NONE], UNRESAMPLED_FRACTION if suited else 1.0)]
    return unresampled + [
        (strategy, (1 - UNRESAMPLED_FRACTION) / len(suited) / len(group)) for group in suited for strategy in group
    ]


def _listed(branch):
    """The branch with a list in the place of each distribution."""
    return {name: _quantiles(values) if hasattr(values, "ppf") else values for name, values in branch.items()}


def _quantiles(distribution):
    values = np.unique(distribution.ppf(GRID_QUANTILES))
    return [int(value) if hasattr(distribution.dist, "pmf") else float(value) for value in values]
