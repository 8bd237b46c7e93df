"""Plan: what one search does, and what its trials may use."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skauto.automl._data_profile import DataProfile
from skauto.automl._sizing import ends_in_time, fidelity_within
from skauto.automl._types import Pair
from skauto.automl.evaluation._constraints import Constraints
from skauto.automl.evaluation._context import Evaluation
from skauto.automl.evaluation._scoring import Scoring
from skauto.search._space import Space
from skauto.search._trial import Trial

# The least fraction of their epochs that nets are tried with.
LEAST_EPOCHS = 1 / 9

# The fewest training rows of a trial on a part of them; "auto" halves only where rows are many.
ROWS_OF_A_RUNG, ROWS_TO_HALVE = 200, 1_500

# Seconds of importing PyTorch, which the first network of each worker pays.
NET_IMPORT_SECONDS = 2.5


@dataclass(frozen=True)
class Folds:
    """How rows are divided.

    Parameters
    ----------
    pairs : list of (ndarray, ndarray)
        Row numbers to learn from and to validate on.
    repeat : ndarray of shape (n_folds,)
        The repeat of the cross-validation that each fold belongs to.
    """

    pairs: list[Pair]
    repeat: np.ndarray

    @property
    def validated(self) -> np.ndarray:
        """Row numbers of all validation folds, one after the other."""
        return np.concatenate([valid for _, valid in self.pairs])


@dataclass(frozen=True)
class TrialTime:
    """What one trial may use.

    Parameters
    ----------
    fraction : float
        The part of the time limit that a trial may use.
    net_fraction : float
        The same of a network that is the final model.
    fit_seconds : float or None
        Seconds of one of its fits; None without a limit.
    trial_seconds : float or None
        Seconds of all of its fits.
    """

    fraction: float
    net_fraction: float
    fit_seconds: float | None
    trial_seconds: float | None


@dataclass(frozen=True)
class Plan:
    """What one search does; `context` is sent to the workers."""

    context: Evaluation
    scoring: Scoring
    space: Space
    initial: list[dict[str, Any]]
    missing: list[str]
    n_trials: int
    constraints: Constraints
    time: TrialTime

    @property
    def profile(self) -> DataProfile:
        """What is known of the data."""
        return self.context.build.profile

    @property
    def n_rows(self) -> int:
        """Rows of the data."""
        return len(self.context.y)

    def fraction_of(self, trial: Trial) -> float:
        """The part of the time limit that a trial may use: more where its model is the final one."""
        values = self.space.decode(trial.params)
        return (
            self.time.net_fraction
            if self.context.build.keeps_network(values)
            else self.time.fraction
        )

    def start_seconds(self, trial: Trial) -> float:
        """Seconds that a trial may have beyond its part of the time limit: those that importing a network takes."""
        return (
            NET_IMPORT_SECONDS
            if self.space.decode(trial.params)["candidate"] in self.context.build.nets
            else 0.0
        )

    def min_fidelity(self, strategy: Any) -> float:
        """The least power of a third, at least a ninth, that leaves enough rows, one where none does.

        A strategy that was asked for saves epochs where there are nets of series or images, however few the rows.
        Where there is much data for the time, trials begin with fewer rows still; networks plan their epochs.
        """
        build, auto = self.context.build, strategy == "auto"
        if auto and build.profile.holds_out:
            return 1.0
        if self._plans_epochs and not auto:
            return LEAST_EPOCHS
        rows, n_rows = build.profile.n_rows, ROWS_TO_HALVE if auto else ROWS_OF_A_RUNG
        least = next(
            (fraction for fraction in (1 / 9, 1 / 3) if fraction * rows >= n_rows), 1.0
        )
        return (
            least
            if self._plans_epochs
            else fidelity_within(build.profile, least, ROWS_OF_A_RUNG)
        )

    def first_fidelity(self, strategy: Any) -> float:
        """The fidelity of the first configurations: the full one, unless a fit of it would outlast its trial."""
        whole = self._plans_epochs or ends_in_time(self.profile)
        return 1.0 if whole else self.min_fidelity(strategy)

    @property
    def _plans_epochs(self) -> bool:
        """Whether there are networks of series or images, which fit themselves into their time."""
        saves_epochs = self.profile.kind.effort.saves_epochs
        return saves_epochs and bool(self.context.build.nets)
