"""From data and settings to a plan: folds, scoring, candidates, space and strategy of one search."""

import functools
from dataclasses import dataclass, replace

import numpy as np

from skauto import _image_pipelines, _pipelines, _sequence_pipelines
from skauto._array_inputs import series_lengths
from skauto._available import available, share_of_a_trial
from skauto._bags import pack
from skauto._constraints import UNBOUND, Constraints
from skauto._decisions import positive_last
from skauto._estimator_scoring import EstimatorScoring
from skauto._metrics import resolve_metric
from skauto._scoring import Scoring
from skauto._sizing import ends_in_time, fidelity_within, folds_within
from skauto._splits import fold_of_rows, folds_of, warn_of_one_class
from skauto._timing import LONG_TRIAL_SHARE
from skauto._treatments import treatments
from skauto.estimators._early_stopping import MIN_CLASS_ROWS, fit_last_step, predict_at
from skauto.search._evaluate import Evaluation
from skauto.search._prefix_cache import PrefixCache
from skauto.search._space import Space

# Trials of a search beyond the defaults: one for so many rows, since more would only fit the noise of the folds; of
# series and images the first settings are near the best, and folds are drawn once only.
ROWS_A_TRIAL = {"table": 4, "sequence": 40, "image": 40}

# The least share of their epochs that nets are tried with.
LEAST_EPOCHS = 1 / 9

# What does on each kind of data where nothing could be fitted in time.
FALLBACKS = {"table": _pipelines.fallback, "sequence": _sequence_pipelines.fallback, "image": _image_pipelines.fallback}

# The part of a trial's time that its fits may plan with: the machine may be busy, and predictions take time.
FIT_SHARE = 0.7

# The fewest training rows of a trial on a part of them; "auto" halves only where rows are many.
ROWS_OF_A_RUNG, ROWS_TO_HALVE = 200, 1_500

# Seconds of importing PyTorch, which the first network of each worker pays.
NET_IMPORT_SECONDS = 2.5

# Most bytes of first steps that a worker keeps for later trials.
CACHE_BYTES = 1 << 29

# What a grid tries of a distribution.
GRID_QUANTILES = (0.2, 0.8)

# Share of the trials that leave the classes as they are.
NATURAL_SHARE = 0.6


@dataclass(frozen=True)
class Plan:
    """What one search does; `context` is sent to the workers."""

    context: Evaluation
    scoring: Scoring
    space: Space
    first: list
    missing: list
    n_trials: int
    constraints: Constraints
    share: float
    net_share: float

    def share_of(self, trial):
        """The part of the time limit that a trial may use: more where its model is the final one."""
        values = self.space.decode(trial.params)
        return self.net_share if self.context.build.keeps(values) else self.share

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
        rows, n_rows = build.traits.n_rows, ROWS_TO_HALVE if auto else ROWS_OF_A_RUNG
        least = next((share for share in (1 / 9, 1 / 3) if share * rows >= n_rows), 1.0)
        return least if self._plans_epochs else fidelity_within(build.traits, least, ROWS_OF_A_RUNG)

    def first_fidelity(self, strategy):
        """The fidelity of the first configurations: the full one, unless a fit of it would outlast its trial."""
        whole = self._plans_epochs or ends_in_time(self.context.build.traits)
        return 1.0 if whole else self.min_fidelity(strategy)

    @property
    def _plans_epochs(self):
        """Whether there are networks of series or images, which fit themselves into their time."""
        return self.context.build.traits.kind != "table" and bool(self.context.build.nets)


@dataclass(frozen=True)
class Builder:
    """Makes the estimator of a configuration in a worker."""

    candidates: dict
    traits: _pipelines.Traits

    @property
    def nets(self):
        """Names of the candidates that are networks."""
        return {name for name, candidate in self.candidates.items() if candidate.extra == "deep"}

    def keeps(self, values):
        """Whether the model of a trial is the final one: where networks of images are trained on one fold alone."""
        return self.traits.kind == "image" and values["candidate"] in self.nets

    def is_safe(self, values):
        """Whether a configuration may be fitted in the user's process: one of scikit-learn's or LightGBM's own."""
        candidate = self.candidates[values["candidate"]]
        return candidate.extra is None and candidate.build.__module__.startswith("skauto.")

    def for_refit(self):
        """The builder of the final models, for which there is more time than for a fold."""
        return replace(self, traits=replace(self.traits, refit=True))

    def untimed(self):
        """The builder without a time limit, which times no network."""
        return replace(self, traits=replace(self.traits, seconds=None))

    def fallback(self):
        """A small model of the data's kind."""
        return FALLBACKS[self.traits.kind](self.traits)

    def __call__(self, values, seed):
        rest = {name: value for name, value in values.items() if name != "candidate"}
        return _pipelines.build(self.candidates[values["candidate"]], rest, self.traits, seed)


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
    share = share_of_a_trial(candidates, data.kind)
    net_share = LONG_TRIAL_SHARE if data.kind == "image" and len(folds) == 1 else share
    fit_share = _image_pipelines.FIT_SHARE if data.kind == "image" else FIT_SHARE
    seconds = None if time_limit is None else time_limit * net_share * fit_share / len(folds)
    traits = _traits(data, folds, threads, seed, seconds)
    most_folds = None
    if time_limit is not None:
        traits = replace(traits, trial_seconds=time_limit * share)
        most_folds = folds_within(traits, len(folds))
    chosen, missing = available(candidates, traits, small=bool(constraints))
    traits = replace(traits, alone=all(candidate.extra == "deep" for candidate in chosen))
    space, first = table_space(chosen, treatments(_rarest(data.y, folds)), finite)
    rows = np.concatenate([valid for _, valid in folds])
    warn_of_one_class(data, rows)
    by_row = np.ndim(cost_matrix) == 3
    name, kind, metric = resolve_metric(scoring, data.classes[order], cost_matrix[rows] if by_row else cost_matrix)
    own = {"X": data.X, "rows": rows, "index": data.index} if kind == "estimator" else {}
    judged = (EstimatorScoring if own else Scoring)(
        name=name,
        kind=kind,
        metric=metric,
        y=data.y[rows],
        fold=fold_of_rows(data.y[rows], folds, seed),
        repeat=np.repeat(repeat, [len(valid) for _, valid in folds]),
        weight=None if data.sample_weight is None else data.sample_weight[rows],
        positive=int(order[-1]),
        **own,
    )
    build = Builder({candidate.name: candidate for candidate in chosen}, traits)
    context = Evaluation(
        X=data.X,
        y=data.y,
        weight=data.sample_weight,
        folds=folds,
        n_classes=n_classes,
        space=space,
        build=build,
        report=judged.report_of_trial,
        rank=judged.rank,
        seed=seed,
        fit=fit_last_step,
        predict=predict_at,
        spend=functools.partial(_pipelines.whole_or_part, least=min(1.0, ROWS_OF_A_RUNG / traits.n_rows)),
        measure=constraints.of_trial if constraints else None,
        rehearse=constraints.rehearse if constraints.most else None,
        min_class_rows=20,
        repeat=repeat,
        keep=build.keeps,
        most_folds=most_folds,
        bag=None if time_limit is None else pack,
        usable=constraints.may_hold if constraints else None,
        cache=PrefixCache(CACHE_BYTES if memory_limit is None else min(CACHE_BYTES, memory_limit // 4)),
    )
    n_trials = space.size if finite else len(first) + traits.n_rows // ROWS_A_TRIAL[traits.kind]
    return Plan(context, judged, space, first, missing, n_trials, constraints, share, net_share)


def _traits(data, folds, threads, seed, seconds):
    fewest = min(_fewest(data.y[valid]) for _, valid in folds)
    return _pipelines.Traits(
        n_rows=min(len(train) for train, _ in folds),
        n_columns=data.n_features,
        n_classes=len(data.classes),
        sparse=hasattr(data.X, "indptr"),
        threads=threads,
        stops=fewest >= MIN_CLASS_ROWS,
        weighted=data.sample_weight is not None,
        rare=min(_fewest(data.y[train]) for train, _ in folds) < _pipelines.CALIBRATION_FOLDS,
        kind=data.kind,
        shape=tuple(data.X.shape[1:]),
        length=float(series_lengths(data.X).mean()) if data.kind == "sequence" else 0.0,
        seconds=seconds,
        seed=seed,
        n_texts=_n_texts(data.X),
    )


def _n_texts(X):
    """How many columns of a DataFrame hold anything but numbers."""
    return 0 if not hasattr(X, "columns") else X.shape[1] - X.select_dtypes(["number", "bool"]).shape[1]


def _rarest(y, folds):
    """Labels of the training fold whose rarest class has the fewest rows: what it allows, all allow."""
    return min((y[train] for train, _ in folds), key=_fewest)


def _fewest(y):
    counts = np.bincount(y)
    return int(counts[counts > 0].min(initial=len(y)))


def table_space(candidates, ways, finite=False):
    """The space of some candidates, a branch for each way to treat the classes, and their first configurations.

    `ways` are those of `treatments`; a candidate takes those that suit it. With `finite` each distribution becomes a
    few of its quantiles, and there are no first configurations.
    """
    branches, weights = [], []
    for candidate in candidates:
        own = {"candidate": [candidate.name], **candidate.space}
        for way, share in _shares(candidate.imbalance, ways):
            branches.append(_listed({**own, **way}) if finite else {**own, **way})
            weights.append(share * candidate.weight)
    space = Space(branches, weights=weights)
    if finite:
        return space, []
    ranked = sorted((place, candidate.name) for candidate in candidates for place, _ in candidate.first)
    return space, [space.encode(_first(candidates, place, name)) for place, name in ranked]


def _shares(groups, ways):
    """Pairs of a way and its share of a candidate's trials: each group has the same, and each way of a group."""
    suited = [[ways[name] for name in group if name in ways] for group in groups]
    suited = [group for group in suited if group]
    natural = [(ways["none"], NATURAL_SHARE if suited else 1.0)]
    return natural + [(way, (1 - NATURAL_SHARE) / len(suited) / len(group)) for group in suited for way in group]


def _listed(branch):
    """The branch with a list in the place of each distribution."""
    return {name: _quantiles(values) if hasattr(values, "ppf") else values for name, values in branch.items()}


def _quantiles(distribution):
    values = np.unique(distribution.ppf(GRID_QUANTILES))
    return [int(value) if hasattr(distribution.dist, "pmf") else float(value) for value in values]


def _first(candidates, place, name):
    candidate = next(candidate for candidate in candidates if candidate.name == name)
    return {"candidate": name, "imbalance": "none", **candidate.usual, **dict(candidate.first)[place]}
