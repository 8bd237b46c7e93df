"""Which trials become the model: the best one, and the members of the ensemble with their weights."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._time_left import endless, first_of
from skauto.automl._types import Footprint, Values
from skauto.automl.evaluation._outcome import TrialOutcome
from skauto.automl.evaluation._scoring import Scoring
from skauto.estimators._ensemble import greedy_selection
from skauto.inputs._types import Left
from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Trial

# Models of each kind that the ensemble may choose from: more of one kind only fit the noise of the folds.
PER_KIND = 2

# The part of the ensemble that is spread evenly over the best trial of each kind, and most kinds that share it.
EVEN_FRACTION, KINDS = 0.2, 6

# Rows of a table up to which that part is spread: with more the selection knows better, and on sequences and images
# the kinds differ too much.
FEW_ROWS = 1_500


# Most trials that are judged anew after the search, where some had time for the first folds alone.
MOST_JUDGED = 30

# Trials of the most folds from which on those of fewer are left out: to compare all on fewer rows would choose by luck.
ENOUGH_TRIALS = 5


@dataclass(frozen=True)
class Scored:
    """A fully evaluated trial."""

    number: int
    values: Values
    score: float
    fold_scores: np.ndarray
    proba: np.ndarray = field(repr=False)
    fit_seconds: float
    best_iteration: int | None
    unresampled: bool
    footprint: Footprint | None = None
    score_seconds: float = 0.0
    fidelity: float = 1.0
    model: Pipeline | None = field(default=None, repr=False)


# A trial whose model the ensemble blends, and its weight.
Member: TypeAlias = tuple[Scored, float]


def mixed(members: list[Member]) -> np.ndarray:
    """Out-of-fold probabilities of an ensemble, shape (n_validated, n_classes)."""
    total = sum(weight for _, weight in members)
    blended = sum(trial.proba * weight for trial, weight in members)
    return cast(np.ndarray, blended) / total


def scored_trials(history: History) -> list[Scored]:
    """The complete trials of the fullest fidelity, the best first, an earlier one first among equals."""
    done = [
        (trial, result)
        for trial, result in history.finished
        if result.status == "complete"
    ]
    fullest = max((trial.fidelity for trial, _ in done), default=1.0)
    full = [pair for pair in done if pair[0].fidelity == fullest]
    return _ranked([_scored(history.space, *pair) for pair in full])


def _ranked(trials: list[Scored]) -> list[Scored]:
    return sorted(trials, key=lambda trial: (-trial.score, trial.number))


def comparable(
    trials: list[Scored], scoring: Scoring, left: Left = endless
) -> tuple[list[Scored], Scoring]:
    """Trials that can be judged on the same rows, and the scoring of these rows.

    Some trials had time for the first folds alone. They are left out where enough others saw more. Where these are few,
    one of fewer folds may be the best on the rows that all have seen: then these rows count, for all trials that were
    fitted on as many folds.

    Parameters
    ----------
    trials : list of Scored, the best first
    scoring : Scoring
    left : callable, default=endless
        Gives the seconds that are left.

    Raises
    ------
    TimeoutError
        Where no time is left for the comparison.
    """
    trials = _of_most_folds(trials)
    least = min((len(trial.proba) for trial in trials), default=0)
    if not trials or (least == len(scoring.y) and trials[0].fidelity >= 1):
        return trials, scoring
    # Each is scored again on the common rows, which costs a report of a trial.
    trials = trials[:MOST_JUDGED]
    common = judged(trials, scoring.first(least), left)
    size = {trial.number: len(trial.proba) for trial in trials}[common[0].number]
    scoring = scoring.first(size)
    if size == least:
        return common, scoring
    return judged(_of_rows(trials, size), scoring, left), scoring


def _of_rows(trials: list[Scored], n_rows: int) -> list[Scored]:
    """The trials that were judged on `n_rows` rows, or on more."""
    return [trial for trial in trials if len(trial.proba) >= n_rows]


def _of_most_folds(trials: list[Scored]) -> list[Scored]:
    """The trials of the most folds that enough trials have; all where there are too few."""
    if len(trials) < ENOUGH_TRIALS:
        return trials
    sizes = sorted(len(trial.proba) for trial in trials)
    return _of_rows(trials, sizes[-ENOUGH_TRIALS])


def fullest(trials: list[Scored], scoring: Scoring) -> tuple[list[Scored], Scoring]:
    """The trials of the most rows as they are, and the scoring of these rows: where nothing can be compared anew."""
    size = max((len(trial.proba) for trial in trials), default=len(scoring.y))
    return _of_rows(trials, size), scoring.first(size)


def judged(
    trials: list[Scored], scoring: Scoring, left: Left = endless
) -> list[Scored]:
    """The trials as a scoring sees them that knows the first of their rows, the best first."""
    seen = []
    for done, trial in enumerate(trials):
        if left() <= 0:
            raise TimeoutError("no time was left to compare trials of fewer folds")
        proba = trial.proba[: len(scoring.y)]
        report = scoring.report(proba, first_of(len(trials) - done, left))
        scores = np.asarray(report["fold_scores"])
        seen.append(
            replace(trial, proba=proba, score=report["score"], fold_scores=scores)
        )
    return _ranked(seen)


def _scored(space: Space, trial: Trial, result: Result) -> Scored:
    outcome = cast(TrialOutcome, TrialOutcome.of(result))
    values = space.decode(trial.params)
    return Scored(
        number=result.number,
        values=values,
        score=outcome.score,
        fold_scores=np.asarray(outcome.fold_scores),
        proba=outcome.proba,
        fit_seconds=outcome.fit_seconds,
        best_iteration=outcome.best_iteration,
        unresampled=values.get("imbalance", "none") == "none",
        footprint=outcome.footprint,
        score_seconds=outcome.score_seconds,
        model=outcome.model,
        fidelity=trial.fidelity,
    )


def choose_best(trials: list[Scored], valid_over_train: float) -> Scored:
    """The best trial, a rebalanced one only where it beats the best unresampled one by more than a standard error.

    Parameters
    ----------
    trials : list of Scored, the best first
    valid_over_train : float
        Rows of a validation fold over rows of a training fold.
    """
    best = trials[0]
    unresampled = next((trial for trial in trials if trial.unresampled), None)
    if best.unresampled or unresampled is None:
        return best
    clearly = beats(best, unresampled, valid_over_train, on_one_fold=False)
    return best if clearly else unresampled


def beats(
    trial: Scored, other: Scored, valid_over_train: float, *, on_one_fold: bool = True
) -> bool:
    """Whether a trial is better than another by more than the standard error of their difference.

    Parameters
    ----------
    trial, other : Scored
    valid_over_train : float
        Rows of a validation fold over rows of a training fold.
    on_one_fold : bool, default=True
        Whether a difference above zero is enough on a single fold, which has no standard error.

    References
    ----------
    The standard error of the mean paired difference over folds is the corrected one of Nadeau and Bengio, Inference
    for the generalization error, Machine Learning 52, 2003, section 3: folds share training rows.
    """
    difference = trial.fold_scores - other.fold_scores
    difference = difference[np.isfinite(difference)]
    error = 0.0
    if len(difference) >= 2:
        error = np.sqrt(
            (1 / len(difference) + valid_over_train) * np.var(difference, ddof=1)
        )
    elif not on_one_fold:
        return False
    return trial.score - other.score > error


def choose_members(
    trials: list[Scored], scoring: Scoring, left: Left = endless, *, even: bool = True
) -> list[Member]:
    """The trials of the ensemble with their weights: selected greedily by score and by likelihood among few of a kind.

    A score of ranks alone chooses by luck where positives are few, and where rows are few a part is spread evenly, if
    `even`; see the decision on small tables. `left` gives the seconds that are left: the selections end with them.
    """
    pool = _few_of_a_kind(_by_guide(trials, scoring))
    predictions = [trial.proba for trial in pool]
    # By score alone few positives decide by luck; by likelihood alone ranks are lost: the mean of both.
    selected = [
        greedy_selection(predictions, guide, left=left) for guide in scoring.guides
    ]
    weights = np.mean(selected, axis=0)
    if even and scoring.n_rows <= FEW_ROWS:
        weights = (1 - EVEN_FRACTION) * weights + EVEN_FRACTION * _evenly(pool)
    heaviest = np.argsort(-weights, kind="stable")
    return [(pool[k], float(weights[k])) for k in heaviest if weights[k] > 0]


def _by_guide(trials: list[Scored], scoring: Scoring) -> list[Scored]:
    """The trials by what the ensemble is selected by, the best first."""
    values = np.array([trial.score for trial in trials])
    if scoring.judged_by != "proba":  # else `select` is the score, which is known
        guide = np.array([scoring.select(trial.proba) for trial in trials])
        values = guide if np.isfinite(guide).all() else values
    numbers = [trial.number for trial in trials]
    return [trials[k] for k in np.lexsort((numbers, -values))]  # type: ignore[arg-type]


def _few_of_a_kind(ordered: list[Scored]) -> list[Scored]:
    """The first trials of each kind, in the order given, and all whose model was kept, which need no refit."""
    seen: Counter[str] = Counter()
    kept = []
    for trial in ordered:
        kind = trial.values["candidate"]
        seen[kind] += 1
        if seen[kind] <= PER_KIND or trial.model is not None:
            kept.append(trial)
    return kept


def _evenly(pool: list[Scored]) -> np.ndarray:
    """Equal weights for the best trial of each of the first kinds in a pool."""
    kinds = [trial.values["candidate"] for trial in pool]
    first = sorted(kinds.index(kind) for kind in set(kinds))[:KINDS]
    return np.bincount(first, minlength=len(pool)) / len(first)
