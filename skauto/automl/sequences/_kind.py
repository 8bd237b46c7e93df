"""The kind "sequence"."""

from skauto._telling import warn
from skauto.automl._kind import Effort, Kind, Splits, no_candidates, within_bounds
from skauto.inputs._rank import rank_of
from skauto.inputs._sequences import (
    channels_first_hint,
    describe_sequences,
    read_sequences,
    same_features,
    same_steps,
    series_lengths,
)

# Numbers a second in the summaries of series.
SERIES_CELLS = 4e5


def _recognises(X):
    return rank_of(X)[0] == 3


def _last(shape):
    return shape[-1]


def _warn(data):
    hint = channels_first_hint(data.X.shape)
    if hint:
        warn(hint)


def _same_form(X, form):
    X, names = read_sequences(X)
    same_steps(X, form.shape)
    return same_features(X, names, form.feature_names)


def _profile(data):
    return {"length": float(series_lengths(data.X).mean())}


def _candidates():
    from skauto.automl.sequences._candidates import SEQUENCES

    return SEQUENCES


def _fallback(profile):
    from skauto.automl.sequences._learners import fallback

    return fallback(profile)


def _student(size, seed):
    from skauto.estimators.sequences._recurrent import MinGRUClassifier

    return MinGRUClassifier(hidden_size=size, random_state=seed)


def fit_seconds(profile):
    """About what one fit on all training rows takes."""
    return profile.n_rows * profile.length * profile.shape[-1] / SERIES_CELLS


def quick_sample(context, seconds):
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
    on_request=no_candidates,
    when_bounded=_candidates,
    first_steps=list,
    fallback=_fallback,
    student=_student,
    splits=Splits(),
    effort=Effort(fit_seconds, quick_sample, rows_per_trial=40),
)
