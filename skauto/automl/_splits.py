"""Which rows each fold of AutoClassifier learns from and is judged on: drawn here, or as the user splits them."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, cast

import numpy as np
import pandas as pd

from skauto._seeds import child_seed
from skauto._telling import warn
from skauto.automl._kind import kind_named
from skauto.automl._types import Pair
from skauto.inputs._data import Data
from skauto.inputs._types import Given
from skauto.search._folds import stratified_folds

# Folds are drawn again, up to REPEAT_ROWS rows of validation in all, since one split of few rows chooses by luck.
REPEAT_ROWS, MAX_REPEATS = 3_000, 3

# With fewer rows than this a fold holds too few of them for their repeats to tell more.
LEAST_REPEATED_ROWS = 60

# Folds where nothing is said, as in scikit-learn.
FOLDS = 5

# Parts of a single fold, between which thresholds are judged.
PARTS_OF_ONE_FOLD = 5

# Rows of a class from which it is the splitter that holds back one class alone.
ENOUGH_ROWS = 3

# Classes whose rows are counted in a message.
CLASSES_SHOWN = 10

# Most letters of a splitter in a message.
WIDTH = 100

FORM = "cv takes a number of folds, a splitter or pairs (train, test) of row positions"


def given_folds(
    cv: Any, X: Given, y: Any, groups: Any, labels: np.ndarray
) -> int | list[Pair]:
    """The folds of a splitter or of pairs, made from the rows as the user gave them; a number stays as it is.

    Parameters
    ----------
    cv : int, splitter, iterable of pairs or None
    X, y, groups : as the user gave them
        A splitter may read the index of X, the labels or the groups.
    labels : ndarray of shape (n_rows,)
        The labels as read: they stand for those of types that splitters may not know, under the same index.

    Returns
    -------
    cv : int or list of (ndarray, ndarray)
        Positions of the rows to learn from and to validate on.

    Raises
    ------
    ValueError
        If the splitter cannot split these rows, and for pairs that are none, empty, out of range or overlapping.
    """
    if cv is None:
        return FOLDS
    if isinstance(cv, Integral):
        return cast(int, cv)
    pairs = _pairs(cv, X, y, groups, labels)
    if not pairs:
        raise ValueError(
            f"cv={_shown(cv)} gave no folds; a generator can be read once only: pass a list"
        )
    return [
        _checked_pair(pair, number, len(labels), cv)
        for number, pair in enumerate(pairs)
    ]


def _pairs(cv: Any, X: Given, y: Any, groups: Any, labels: np.ndarray) -> list[Any]:
    """The pairs of a splitter or of an iterable, unchecked."""
    is_text = isinstance(cv, str | bytes)
    if is_text or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise ValueError(f"cv={_shown(cv)} cannot be used: {FORM}")
    if not hasattr(cv, "split"):
        return list(cv)
    try:
        return list(cv.split(X, _plain_labels(y, labels), groups))
    except ValueError as error:
        why = f"cv={_shown(cv)} cannot split these {len(labels)} rows: {error}"
        if groups is None and "groups" in str(error):
            why += "; pass groups= to fit"
        raise ValueError(why) from error


def folds_of(
    data: Data, seed: int, seconds: float | None = None
) -> tuple[list[Pair], np.ndarray]:
    """Pairs of row numbers and the repeat that each belongs to.

    Parameters
    ----------
    data : Data
        With the number of folds, or the pairs that `given_folds` made and checked.
    seed : int
    seconds : float, default=None
        Of all cores together; None without a time limit.

    Raises
    ------
    ValueError
        If no fold leaves two classes to learn from.
    """
    given = data.cv
    folds = given if isinstance(given, list) else _drawn(data, given, seed, seconds)
    folds = _learnable(folds, data)
    return folds, assign_repeats(folds)


def _drawn(data: Data, n_folds: int, seed: int, seconds: float | None) -> list[Pair]:
    """Stratified folds: of few rows drawn several times, of many images a single one, as their kind says."""
    splits, n_rows = kind_named(data.kind).splits, len(data.y)
    repeats, drawn = 1, child_seed(seed, "folds")
    if seconds is not None and splits.held_out is not None:
        parts = splits.held_out(n_rows, data.X.shape[1:], n_folds, seconds)
        if parts is not None:
            return stratified_folds(data.y, parts, drawn, data.groups)[:1]
    if splits.repeated and n_rows >= LEAST_REPEATED_ROWS:
        repeats = int(np.clip(REPEAT_ROWS // n_rows, 1, MAX_REPEATS))
    folds = stratified_folds(data.y, n_folds, drawn, data.groups, repeats)
    # A network of many images takes minutes a fold: one fold and a better network say more.
    is_single = n_rows >= (splits.single_fold_rows or np.inf)
    return folds[:1] if is_single else folds


def fold_of_rows(y: np.ndarray, folds: list[Pair], seed: int) -> np.ndarray:
    """The fold of each validated row; a single one is divided, so that thresholds are judged on other rows."""
    if len(folds) > 1:
        return np.repeat(np.arange(len(folds)), [len(valid) for _, valid in folds])
    return parts_of_one_fold(y, seed)


def parts_of_one_fold(y: np.ndarray, seed: int) -> np.ndarray:
    """The parts that the rows of a single fold are divided into."""
    part = np.zeros(len(y), dtype=int)
    if np.bincount(y).max() < PARTS_OF_ONE_FOLD:
        return part
    drawn = child_seed(seed, "parts")
    folds = stratified_folds(y, PARTS_OF_ONE_FOLD, drawn, None, 1)
    for number, (_, rows) in enumerate(folds):
        part[rows] = number
    return part


def warn_of_one_class(data: Data, rows: np.ndarray) -> None:
    """Say it where only one class is ever held back: a score then tells nothing."""
    judged = np.unique(data.y[rows])
    if len(judged) > 1:
        return
    counts = np.bincount(data.y)
    hint = "give at least three rows of each class, better thirty"
    if counts.min() >= ENOUGH_ROWS:
        hint = "use a stratified splitter, or a number of folds"
    warn(
        f"y: only class {data.classes[judged[0]]!s} is ever held back for validation, of rows by class "
        f"{_shown_counts(data.classes, counts)}, so no score says how the others are told from it; {hint}"
    )


def _shown_counts(classes: np.ndarray, counts: np.ndarray) -> str:
    """Rows by class as text, of many classes the first ones."""
    shown = str(
        dict(zip(classes[:CLASSES_SHOWN].tolist(), counts.tolist(), strict=False))
    )
    if len(classes) > CLASSES_SHOWN:
        shown = f"{shown[:-1]}, ...}} ({len(classes)} classes)"
    return shown


def _plain_labels(y: Any, labels: np.ndarray) -> Any:
    """The labels as given; as read where a splitter may not know their type, such as pandas' nullable ones."""
    if isinstance(y, list | tuple | np.ndarray):
        return y
    if not isinstance(y, pd.Series):
        return labels
    if isinstance(y.dtype, np.dtype | pd.StringDtype):
        return y
    return pd.Series(labels, index=y.index, name=y.name)


def _checked_pair(pair: Any, number: int, n_rows: int, cv: Any) -> Pair:
    """Positions of the training and the test rows of a fold."""
    try:
        train, test = (_positions(part) for part in pair)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"cv={_shown(cv)}: fold {number} is no pair of arrays of integers. {FORM}"
        ) from error
    for name, part in (("training", train), ("test", test)):
        if not len(part):
            raise ValueError(
                f"cv={_shown(cv)}: the {name} rows of fold {number} are none"
            )
        wrong = part[(part < 0) | (part >= n_rows)]
        if len(wrong):
            raise ValueError(
                f"cv={_shown(cv)}: fold {number} has the {name} row {wrong[0]}, but X has the rows 0 to {n_rows - 1}; "
                "positions are meant, counted from 0, not labels of an index"
            )
    both = np.intersect1d(train, test)
    if len(both):
        raise ValueError(
            f"cv={_shown(cv)}: fold {number} is judged on {len(both)} of the rows that it learns from, the first is "
            f"{both[0]}; a score of such rows says nothing about new ones"
        )
    return train, test


def _positions(part: Any) -> np.ndarray:
    """Row numbers, from a mask too."""
    rows = np.asarray(part)
    if rows.ndim != 1 or (rows.dtype.kind not in "biu" and len(rows)):
        raise TypeError(f"{rows.dtype} of shape {rows.shape}")
    return np.flatnonzero(rows) if rows.dtype.kind == "b" else rows.astype(np.int64)


def _learnable(folds: list[Pair], data: Data) -> list[Pair]:
    """The folds that have two classes to learn from; a warning says how many others were left out."""
    counts = np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight
    kept = []
    for train, valid in folds:
        learnt = data.y[train[counts[train] > 0]]
        if len(np.unique(learnt)) > 1:
            kept.append((train, valid))
    if not kept:
        raise ValueError(
            f"cv: none of the {len(folds)} folds has two classes among its training rows, so nothing can be learnt; "
            "use a stratified splitter, or a number of folds"
        )
    if len(kept) < len(folds):
        warn(
            f"cv: {len(folds) - len(kept)} of {len(folds)} folds are left out, as their training rows hold one class "
            "only; a stratified splitter, or a number of folds, spreads the classes evenly"
        )
    return kept


def assign_repeats(folds: list[Pair]) -> np.ndarray:
    """Which folds belong together: each joins the first repeat that validates none of its rows."""
    seen: list[set[int]] = []
    repeat = []
    for _, valid in folds:
        rows = set(valid.tolist())
        free = [number for number, taken in enumerate(seen) if not taken & rows]
        number = free[0] if free else len(seen)
        if not free:
            seen.append(set())
        seen[number] |= rows
        repeat.append(number)
    return np.array(repeat)


def _shown(cv: Any) -> str:
    """A splitter as its code; of a list only how long it is."""
    if isinstance(cv, list | tuple):
        return f"<{type(cv).__name__} of {len(cv)}>"
    text = (
        repr(cv)
        if hasattr(cv, "split") or isinstance(cv, str | bytes)
        else f"<{type(cv).__name__}>"
    )
    text = " ".join(text.split())
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}..."
