"""Honest scores: what a choice among trials is worth on rows that had no part in it, by bootstrap, without any fit."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from skauto._seeds import child_seed
from skauto._time_left import endless, first_of
from skauto.automl._types import Threshold
from skauto.automl.evaluation._ranking import mean_of_known
from skauto.automl.evaluation._scoring import OfRows, Scoring
from skauto.automl.selection._bootstrap import Draw, Units
from skauto.automl.selection._select import Member, Scored, choose_members, mixed
from skauto.inputs._types import Left
from skauto.resample._threshold import default_threshold, tune_threshold

# Draws of rows in which the choice is made anew: fewer where rows are many, which vary less from draw to draw, so that
# all of them take some two seconds.
FEWEST_DRAWS, MOST_DRAWS = 8, 40

# With fewer draws than these, where time is short, nothing is said.
LEAST_DRAWS = 4

# Probabilities of the positive class, or halves of those of all classes, that one draw chooses on at most, and that all
# draws choose on together.
MOST_CELLS, CELLS_OF_ALL_DRAWS = 6_000, 45_000

# Rows, or groups, of a draw at least, however large the groups are.
LEAST_UNITS = 10

# Trials that a draw chooses among: those with the best scores. Of many classes fewer, whose thresholds take long; and
# fewer where there are less than enough seconds: of fewer rows a draw would choose worse than is done.
MOST_TRIALS, MOST_TRIALS_OF_CLASSES, LEAST_TRIALS = 25, 12, 5
ENOUGH_SECONDS = 2.0

# The quantiles of an interval that holds the score of new rows in 95 of 100 cases.
LOW, HIGH = 0.025, 0.975

# New rows that the interval is for, as a fraction of the rows of fit: as if 30 % of all rows had been held back.
NEW_ROWS = 3 / 7

# The number that stands for what predicts, among those of trials.
ENSEMBLE = -1


@dataclass(frozen=True)
class Honest:
    """An estimate of the score on new rows.

    Parameters
    ----------
    score : float
        NaN where nothing is known.
    low, high : float
        Ends of the interval that holds the score of a new sample in 95 of 100 cases.
    """

    score: float
    low: float
    high: float


UNKNOWN = Honest(np.nan, np.nan, np.nan)


def honest_scores(
    trials: list[Scored],
    scoring: Scoring,
    rows: Units,
    *,
    seed: int,
    best: int | None = None,
    n_members: int = 40,
    even: bool = True,
    n_new: float | None = None,
    calibration: Callable[[np.ndarray], np.ndarray] | None = None,
    left: Left = endless,
) -> dict[int, Honest]:
    """Estimates of what trials and the choice among them score on new rows.

    In each draw the best trial, the members of the ensemble, their weights and the threshold are chosen anew on the
    rows that were drawn, and scored on the others. No model is fitted: the estimate is that of models of the folds.

    Parameters
    ----------
    trials : list of Scored
        Judged on the same rows.
    scoring : Scoring
        Of these rows.
    rows : Units
    seed : int
    best : int, default=None
        Number of the trial that was chosen for the best; None for that of the greatest score.
    n_members : int, default=40
        Members of the ensemble at most; with one the best trial predicts.
    even : bool, default=True
        As in `choose_members`.
    n_new : float, default=None
        Rows, or groups, of the new sample that the intervals are for; None is three sevenths of those at hand.
    calibration : callable, default=None
        What blended probabilities go through, see `_calibrate`; not fitted anew, as it has three parameters at most.
    left : callable, default=endless
        Gives the seconds that are left: the draws end with them.

    Returns
    -------
    scores : dict of int to Honest
        By number of the trial, -1 for what predicts; empty where there was no time. That of `best` is of the trial with
        the greatest score in each draw, whichever that was: it was chosen for its score, and its own would flatter it.

    References
    ----------
    Tsamardinos, Greasidou, Borboudakis: Bootstrapping the out-of-sample predictions for efficient and accurate
    cross-validation, Machine Learning 107, 2018, section 4.
    """
    if not trials:
        return {}
    n_classes = trials[0].proba.shape[1]
    seconds = left()
    trials = sorted(trials, key=lambda trial: (-trial.score, trial.number))
    trials = trials[: _n_trials(n_classes, seconds)]
    seed = child_seed(seed, "honest score")
    cells_of_unit = len(scoring.y) / rows.n_units * n_classes / 2
    most = min(max(int(MOST_CELLS / cells_of_unit), LEAST_UNITS), rows.n_units)
    count = CELLS_OF_ALL_DRAWS / (most * cells_of_unit)
    # Fewer draws have more samples each, so that the first ones tell an interval too.
    count *= min(seconds / ENOUGH_SECONDS, 1)
    count = int(np.clip(count, FEWEST_DRAWS, MOST_DRAWS))
    n_new = rows.n_units * NEW_ROWS if n_new is None else n_new
    best = trials[0].number if best is None else best
    judge = _Judge(trials, scoring, best, n_members, even, calibration, left)
    found: list[dict[int, _Scores]] = []
    # Time may run out within a draw, which then does not count.
    with suppress(TimeoutError):
        for draw in rows.draws(seed, most, count, n_new):
            found.append(judge.judged(draw))
    if len(found) < LEAST_DRAWS:
        return {}
    return {number: _summary([one[number] for one in found]) for number in found[0]}


def _n_trials(n_classes: int, seconds: float) -> int:
    """How many trials a draw chooses among, in as many seconds for all draws."""
    most = MOST_TRIALS if n_classes == 2 else MOST_TRIALS_OF_CLASSES
    return int(np.clip(most * seconds / ENOUGH_SECONDS, LEAST_TRIALS, most))


class _Scores(NamedTuple):
    """Scores in one draw.

    Attributes
    ----------
    gain : float
        What the choice of the draw scores outside of it, less what the choice of all rows does there; 0 without a
        choice.
    samples : list of float
        What the choice of the draw scores on samples of the rows outside of it.
    parts : list of float
        What the choice of all rows scores on parts of them.
    """

    gain: float
    samples: list[float]
    parts: list[float]


class _Judge:
    """Scores of trials, and of the choice among them, in one draw."""

    def __init__(
        self,
        trials: list[Scored],
        scoring: Scoring,
        best: int,
        n_members: int,
        even: bool,
        calibration: Callable[[np.ndarray], np.ndarray] | None,
        left: Left,
    ) -> None:
        self.scoring, self.best = scoring, best
        self.calibration = calibration
        self.even, self.n_members = even, n_members
        self.left = left
        self.candidates = trials
        # Thresholds of each fold that were chosen on the others: a trial that is not chosen needs nothing more. Of many
        # classes they take long: as many trials have a score as there is time for.
        self._ensemble: OfRows | None = None
        if n_members > 1:
            blended = self._blend(self._chosen(trials, scoring))
            labels = scoring.labels_of(blended, left)
            self._ensemble = self._value(blended, labels)
            plain = scoring.labels_at(blended, default_threshold(blended.shape[1]))
            self._is_plain = np.array_equal(labels, plain)
        third = first_of(3, left)
        self.trials, self._values = [], []
        for trial in trials:
            if third() <= 0:
                break
            labels = scoring.labels_of(trial.proba, third)
            self.trials.append(trial)
            self._values.append(self._value(trial.proba, labels))

    def judged(self, draw: Draw) -> dict[int, _Scores]:
        """By trial, and -1 for what predicts, the scores in a draw; TimeoutError where there is no time for them."""
        if not self.trials:
            raise TimeoutError("no time was left to label the rows by a trial")
        found = {
            trial.number: self._of_fixed(draw, value)
            for trial, value in zip(self.trials, self._values, strict=True)
        }
        inside = np.array([value(draw.inside) for value in self._values])
        best = int(np.argmax(np.where(np.isnan(inside), -np.inf, inside)))
        numbers = [trial.number for trial in self.trials]
        of_all = self._values[numbers.index(self.best) if self.best in found else 0]
        of_best = self._of_choice(draw, self._values[best], of_all)
        if self.best in found:
            found[self.best] = of_best
        found[ENSEMBLE] = of_best
        if self._ensemble is not None:
            value = self._redone(draw)
            found[ENSEMBLE] = self._of_choice(draw, value, self._ensemble)
        return found

    def _redone(self, draw: Draw) -> OfRows:
        """The score of the ensemble that is chosen on the rows inside of a draw, a function of rows."""
        scoring = self.scoring.take(draw.inside)
        probas = [trial.proba[draw.inside] for trial in self.candidates]
        scores = scoring.select_all(np.stack(probas))
        drawn = [
            replace(trial, proba=proba, score=float(score))
            for trial, proba, score in zip(self.candidates, probas, scores, strict=True)
        ]
        members = self._chosen(drawn, scoring)
        whole = {trial.number: trial for trial in self.candidates}
        blended = self._blend(
            [(whole[drawn.number], weight) for drawn, weight in members]
        )
        threshold = self._threshold(scoring, blended[draw.inside])
        return self._value(blended, self.scoring.labels_at(blended, threshold))

    def _blend(self, members: list[Member]) -> np.ndarray:
        """Probabilities of an ensemble, calibrated as that which predicts is."""
        blended = mixed(members)
        return blended if self.calibration is None else self.calibration(blended)

    def _threshold(self, scoring: Scoring, proba: np.ndarray) -> Threshold:
        """The threshold that is chosen on the rows of a draw; of many classes, whether it pays is known of all rows."""
        size = proba.shape[1]
        if size == 2 or scoring.judged_by == "proba":
            return scoring.threshold(proba)
        if self._is_plain:
            return default_threshold(size)
        repeats = len(scoring.parts)
        return tune_threshold(scoring.y, proba, scoring.metric, scoring.weight, repeats)

    def _chosen(self, trials: list[Scored], scoring: Scoring) -> list[Member]:
        """The members of the ensemble that would be chosen among some trials."""
        members = choose_members(trials, scoring, self.left, even=self.even)
        return members[: self.n_members]

    def _value(self, proba: np.ndarray, labels: np.ndarray) -> OfRows:
        """The score of some rows, a function of them, which raises TimeoutError once the time is over."""
        value = self.scoring.of_labels(proba, labels)

        def timed(rows: np.ndarray) -> float:
            if self.left() <= 0:
                raise TimeoutError("no time was left for honest scores")
            return value(rows)

        return timed

    def _of_fixed(self, draw: Draw, value: OfRows) -> _Scores:
        samples = [value(rows) for rows in draw.samples]
        return _Scores(0.0, samples, [value(rows) for rows in draw.parts])

    def _of_choice(self, draw: Draw, drawn: OfRows, of_all: OfRows) -> _Scores:
        gain = drawn(draw.outside) - of_all(draw.outside)
        samples = [drawn(rows) for rows in draw.samples]
        return _Scores(gain, samples, [of_all(rows) for rows in draw.parts])


def _summary(found: list[_Scores]) -> Honest:
    """The estimate, and quantiles of the scores of all samples.

    The choice of all rows is worth the mean over parts; what a choice loses on rows that had no part in it is added.
    The mean of the scores outside of the draws estimates the same, and varies more.
    """
    parts = np.concatenate([scores.parts for scores in found])
    samples = np.concatenate([scores.samples for scores in found])
    gain = mean_of_known([scores.gain for scores in found])
    score = mean_of_known(parts) + gain
    if np.isnan(score):
        return UNKNOWN
    low, high = np.nanquantile(samples, [LOW, HIGH])
    return Honest(score, float(low), float(high))
