"""From data and settings to a plan: folds, scoring, candidates, space and strategy of one search."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np

from skauto.automl._builder import Builder
from skauto.automl._candidate import Candidate
from skauto.automl._data_profile import DataProfile
from skauto.automl._imbalance import imbalance_strategies
from skauto.automl._kind import Kind, kind_named
from skauto.automl._matrix_learners import CALIBRATION_FOLDS
from skauto.automl._networks_tried import tries_networks
from skauto.automl._plan import ROWS_OF_A_RUNG, Folds, Plan, TrialTime
from skauto.automl._search_space import space_of
from skauto.automl._select_candidates import select_candidates, trial_fraction
from skauto.automl._settings import Settings
from skauto.automl._sizing import folds_within
from skauto.automl._splits import fold_of_rows, folds_of, warn_of_one_class
from skauto.automl._time_budget import LONG_TRIAL_FRACTION
from skauto.automl._types import Pair
from skauto.automl.evaluation._context import Evaluation
from skauto.automl.evaluation._early_stopping import (
    MIN_CLASS_ROWS,
    fit_and_adapt,
    fit_last_step,
    predict_at,
)
from skauto.automl.evaluation._estimator_scoring import EstimatorScoring
from skauto.automl.evaluation._fold_models import pack
from skauto.automl.evaluation._metrics import resolve_metric
from skauto.automl.evaluation._scoring import Scoring
from skauto.inputs._data import Data
from skauto.resample._decision_rule import positive_last
from skauto.search._folds import take_if_given
from skauto.search._prefix_cache import PrefixCache
from skauto.search._space import Space

# Most bytes of first steps that a worker keeps for later trials, and most of what a trial may use.
CACHE_BYTES, CACHE_PART = 128 << 20, 1 / 4

# The fewest rows of a class in the training rows of a trial on a part of them.
MIN_ROWS_OF_A_CLASS = 20


def make_plan(data: Data, settings: Settings, seed: int) -> Plan:
    """The plan of a search.

    Parameters
    ----------
    data : Data
        What was read, with its folds, costs and positive class.
    settings : Settings
    seed : int

    Raises
    ------
    ValueError
        If no fold can be learnt from, or no candidate is left.
    """
    kind = kind_named(data.kind)
    seconds = _seconds_for_networks(settings, kind)
    folds = Folds(*folds_of(data, seed, seconds))
    warn_of_one_class(data, folds.validated)
    time = _trial_time(settings, kind, len(folds.pairs))
    profile = _profile_of(data, kind, folds, settings.threads, seed, time)
    profile = replace(profile, holds_out=seconds is not None and len(folds.pairs) == 1)
    bounded = bool(settings.constraints)
    chosen, missing = select_candidates(settings.candidates, profile, small=bounded)
    profile = replace(
        profile, alone=all(candidate.extra == "deep" for candidate in chosen)
    )
    chosen = [candidate.for_data(profile) for candidate in chosen]
    # A sampler must work in each training fold, so the one with the fewest rows of a class decides.
    strategies = imbalance_strategies(_rarest(data.y, folds.pairs))
    space, initial = space_of(chosen, strategies, settings.finite)
    scoring = _scorings_of(data, settings, folds, seed)
    context = _context_of(
        data, settings, folds, space, scoring, _builder_of(chosen, profile, data), seed
    )
    n_trials = (
        space.size
        if settings.finite
        else len(initial) + profile.n_rows // kind.effort.rows_per_trial
    )
    return Plan(
        context, scoring, space, initial, missing, n_trials, settings.constraints, time
    )


def _seconds_for_networks(settings: Settings, kind: Kind) -> float | None:
    """What all workers together may use; None without a limit, and where no network is tried whose trial is final."""
    if not (settings.timed and kind.effort.keeps_networks):
        return None
    if not tries_networks(settings.candidates, kind):
        return None
    limit = cast(float, settings.time_limit)
    return limit * settings.n_workers * settings.threads


def _trial_time(settings: Settings, kind: Kind, n_folds: int) -> TrialTime:
    """What a trial may use: more where nothing but networks is tried, and where one is the final model."""
    # A trial of other models may never take all of the time: its failure would cost the fit.
    fraction = net_fraction = trial_fraction(settings.candidates, kind)
    if kind.effort.keeps_networks and n_folds == 1:
        net_fraction = LONG_TRIAL_FRACTION
    if not settings.timed:
        return TrialTime(fraction, net_fraction, None, None)
    limit = cast(float, settings.time_limit)
    return TrialTime(
        fraction,
        net_fraction,
        fit_seconds=limit * net_fraction * kind.effort.plan_fraction / n_folds,
        trial_seconds=limit * fraction,
    )


def _profile_of(
    data: Data, kind: Kind, folds: Folds, threads: int, seed: int, time: TrialTime
) -> DataProfile:
    """What the candidates must know of the data: sizes are those of the smallest training fold."""
    # What the smallest fold allows, all folds allow.
    fewest_validated = min(_fewest(data.y[valid]) for _, valid in folds.pairs)
    fewest_trained = min(_fewest(data.y[train]) for train, _ in folds.pairs)
    return DataProfile(
        n_rows=min(len(train) for train, _ in folds.pairs),
        n_columns=data.n_features,
        n_classes=len(data.classes),
        sparse=hasattr(data.X, "indptr"),
        threads=threads,
        early_stopping=fewest_validated >= MIN_CLASS_ROWS,
        weighted=data.sample_weight is not None,
        rare=fewest_trained < CALIBRATION_FOLDS,
        kind=kind,
        shape=tuple(data.X.shape[1:]),
        seconds=time.fit_seconds,
        trial_seconds=time.trial_seconds,
        seed=seed,
        as_given=data.as_given,
        **kind.profile(data),
    )


def _builder_of(
    candidates: list[Candidate], profile: DataProfile, data: Data
) -> Builder:
    return Builder(
        {candidate.name: candidate for candidate in candidates}, profile, data.classes
    )


def _scorings_of(data: Data, settings: Settings, folds: Folds, seed: int) -> Scoring:
    """The score that is maximised, with those that are only shown."""
    others = []
    for name, scoring in settings.also.items():
        other = _scoring_of(replace(data, costs=None), scoring, folds, seed)
        others.append(replace(other, name=name))
    first = _scoring_of(data, settings.scoring, folds, seed)
    return replace(first, also=tuple(others))


def _scoring_of(data: Data, scoring: Any, folds: Folds, seed: int) -> Scoring:
    """What the out-of-fold probabilities are judged by; a scorer of (estimator, X, y) is given the rows of X."""
    rows, order = folds.validated, positive_last(data.classes, data.pos_label)
    costs: Any = data.costs
    costs = costs[rows] if np.ndim(costs) == 3 else costs
    name, judged_by, metric = resolve_metric(scoring, data.classes[order], costs)
    of_validated: dict[str, Any] = {
        "name": name,
        "judged_by": judged_by,
        "metric": metric,
        "y": data.y[rows],
        "fold": fold_of_rows(data.y[rows], folds.pairs, seed),
        "repeat": np.repeat(folds.repeat, [len(valid) for _, valid in folds.pairs]),
        "weight": take_if_given(data.sample_weight, rows),
        "positive": int(order[-1]),
    }
    if judged_by == "estimator":
        return EstimatorScoring(**of_validated, X=data.X, rows=rows, index=data.index)
    return Scoring(**of_validated)


def _context_of(
    data: Data,
    settings: Settings,
    folds: Folds,
    space: Space,
    scoring: Scoring,
    build: Builder,
    seed: int,
) -> Evaluation:
    """What the workers get."""
    constraints, profile = settings.constraints, build.profile
    most_folds = folds_within(profile, len(folds.pairs)) if settings.timed else None
    n_folds = most_folds or len(folds.pairs)
    return Evaluation(
        X=data.X,
        y=data.y,
        weight=data.sample_weight,
        folds=folds.pairs,
        n_classes=len(data.classes),
        space=space,
        build=build,
        report=scoring.report_of_trial,
        low_fidelity_score=scoring.low_fidelity_score,
        seed=seed,
        fit=_fit_of(profile),
        predict=predict_at,
        apply_fidelity=functools.partial(
            build.at_fidelity, least=min(1.0, ROWS_OF_A_RUNG / profile.n_rows)
        ),
        plan_training=build.plan_training,
        plain=build.is_own,
        labels=data.classes,
        constraints=constraints or None,
        min_class_rows=MIN_ROWS_OF_A_CLASS,
        repeat=folds.repeat,
        keep_model=build.keeps,
        most_folds=most_folds,
        bag=pack if settings.timed else None,
        cache=PrefixCache(_cache_bytes(settings.trial_memory), n_folds),
    )


def _fit_of(profile: DataProfile) -> Callable[..., Any]:
    """How the last step of a pipeline is fitted."""
    adapt = profile.kind.effort.adapt_to_held_out
    if profile.holds_out and adapt is not None:
        return functools.partial(fit_and_adapt, adapt)
    return fit_last_step


def _cache_bytes(trial_memory: int | None) -> int:
    return (
        CACHE_BYTES
        if trial_memory is None
        else min(CACHE_BYTES, int(trial_memory * CACHE_PART))
    )


def _rarest(y: np.ndarray, folds: list[Pair]) -> np.ndarray:
    """Labels of the training fold whose rarest class has the fewest rows: what it allows, all allow."""
    return min((y[train] for train, _ in folds), key=_fewest)


def _fewest(y: np.ndarray) -> int:
    counts = np.bincount(y)
    return int(counts[counts > 0].min(initial=len(y)))
