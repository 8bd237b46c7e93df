"""The kind "image"."""

import math

import numpy as np

from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import Candidates, Context, Effort, Kind, Splits, within_bounds
from skauto.automl._types import Estimator
from skauto.automl.images._epoch_planning import PLAN_FRACTION
from skauto.automl.images._held_out_views import choose_views
from skauto.automl.images._hold_out import SINGLE_FOLD_ROWS, parts_with_one_held_out
from skauto.inputs._data import Form
from skauto.inputs._images import describe_images, read_images, same_size
from skauto.inputs._rank import rank_of
from skauto.inputs._types import Given

# Pixels a second in the summaries of images.
IMAGE_CELLS = 5e6


def _recognises(X: Given) -> bool:
    rank, dtype = rank_of(X)
    return rank == 4 or (rank == 3 and str(dtype).endswith("uint8"))


def _n_pixels(shape: tuple[int, ...]) -> int:
    return math.prod(shape[1:])


def _same_form(X: Given, form: Form) -> np.ndarray:
    X, _ = read_images(X)
    same_size(X, form.shape)
    return X


def _candidates() -> Candidates:
    from skauto.automl.images._candidates import IMAGES

    return IMAGES


def _compressed() -> Candidates:
    from skauto.automl.images._candidates import COMPRESSED

    return COMPRESSED


def _fallback(profile: DataProfile) -> Estimator:
    from skauto.automl.images._learners import fallback

    return fallback(profile)


def _student(size: int, seed: int) -> Estimator:
    from skauto.estimators.images._cnn import CNNClassifier

    return CNNClassifier(width=size, random_state=seed)


def fit_seconds(profile: DataProfile) -> float:
    """About what one fit on all training rows takes."""
    return profile.n_rows * profile.n_columns / IMAGE_CELLS


def quick_sample(context: Context, seconds: float) -> tuple[int, None]:
    """Rows of the quick model, which sees summaries; all pixels."""
    pixels = max(math.prod(context.build.profile.shape), 1)
    return within_bounds(seconds * IMAGE_CELLS / pixels, len(context.y)), None


KIND = Kind(
    name="image",
    recognises=_recognises,
    read=read_images,
    n_features=_n_pixels,
    describe=describe_images,
    same_form=_same_form,
    candidates=_candidates,
    on_request=_compressed,
    made_small=_compressed,
    fallback=_fallback,
    student=_student,
    splits=Splits(single_fold_rows=SINGLE_FOLD_ROWS, held_out=parts_with_one_held_out),
    effort=Effort(
        fit_seconds,
        quick_sample,
        rows_per_trial=40,
        plan_fraction=PLAN_FRACTION,
        keeps_networks=True,
        adapt_to_held_out=choose_views,
    ),
)
