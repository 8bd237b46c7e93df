"""The kind "sequence"."""

from typing import Any

import numpy as np

from skauto._telling import warn
from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import (
    Candidates,
    Context,
    Effort,
    Kind,
    within_bounds,
)
from skauto.automl._types import Estimator
from skauto.inputs._data import Data, Form
from skauto.inputs._rank import rank_of
from skauto.inputs._sequences import (
    channels_first_hint,
    describe_sequences,
    read_sequences,
    same_features,
    same_steps,
    series_lengths,
)
from skauto.inputs._types import Given

# Numbers a second in the summaries of series.
SERIES_CELLS = 4e5


def _recognises(X: Given) -> bool:
    return rank_of(X)[0] == 3


def _last(shape: tuple[int, ...]) -> int:
    return shape[-1]


def _warn(data: Data) -> None:
    hint = channels_first_hint(data.X.shape)
    if hint:
        warn(hint)


def _same_form(X: Given, form: Form) -> np.ndarray:
    X, names = read_sequences(X)
    same_steps(X, form.shape)
    return same_features(X, names, form.feature_names)


def _profile(data: Data) -> dict[str, Any]:
    return {"length": float(series_lengths(data.X).mean())}


def _candidates() -> Candidates:
    from skauto.automl.sequences._candidates import SEQUENCES

    return SEQUENCES


def _fallback(profile: DataProfile) -> Estimator:
    from skauto.automl.sequences._learners import fallback

    return fallback(profile)


def _student(size: int, seed: int) -> Estimator:
    from skauto.estimators.sequences._recurrent import MinGRUClassifier

    return MinGRUClassifier(hidden_size=size, random_state=seed)


def fit_seconds(profile: DataProfile) -> float:
    """About what one fit on all training rows takes."""
    return profile.n_rows * profile.length * profile.shape[-1] / SERIES_CELLS


def quick_sample(context: Context, seconds: float) -> tuple[int, None]:
    """Rows of the quick model, which sees summaries; all features."""
    profile = context.build.profile
    cells = max(profile.length * profile.shape[-1], 1)
    return within_bounds(seconds * SERIES_CELLS / cells, len(context.y)), None


KIND = Kind(
    name="sequence",
    recognises=_recognises,
    read=read_sequences,
    n_features=_last,
    describe=describe_sequences,
    warn=_warn,
    same_form=_same_form,
    profile=_profile,
    candidates=_candidates,
    fallback=_fallback,
    student=_student,
    effort=Effort(fit_seconds, quick_sample, rows_per_trial=40),
)
