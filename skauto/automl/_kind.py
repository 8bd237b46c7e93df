"""Kind: all in which tables, images and sequences differ. A line in KINDS makes a kind known."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from skauto.automl._types import Estimator
from skauto.inputs._closest import did_you_mean
from skauto.inputs._data import Data, Form
from skauto.inputs._types import Given, Reader, Rows

# What imports this file and cannot be imported here: a DataProfile, an Evaluation, and Candidates.
Profile: TypeAlias = Any
Context: TypeAlias = Any
Candidates: TypeAlias = tuple[Any, ...]

# Of a row.
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Splits:
    """How the rows of a kind are divided where `cv` is a number.

    Parameters
    ----------
    repeated : bool
        Whether cross-validation is repeated where rows are few.
    single_fold_rows : int or None
        Rows from which one fold alone is held back, None for never.
    held_out : callable or None
        ``held_out(n_rows, shape, n_folds, seconds)``: with a time limit, the number of parts of which one alone is
        held back, None where there is time for the folds in the seconds of all cores. None: folds in any case.
    """

    repeated: bool = False
    single_fold_rows: int | None = None
    held_out: Callable[[int, Shape, int, float], int | None] | None = None


@dataclass(frozen=True)
class Effort:
    """How much a search on a kind of data tries, and what that takes.

    Parameters
    ----------
    fit_seconds : callable
        ``fit_seconds(profile)``: about what one fit on all training rows takes on the threads of a worker.
    quick_sample : callable
        ``quick_sample(context, seconds)``: rows and columns with which the quick model is fitted in n seconds of one
        thread; None for the columns means all of them.
    rows_per_trial : int
        A search tries one configuration beyond the initial ones for each n rows: more would only fit the noise of the
        folds.
    plan_fraction : float
        The part of a trial's seconds that its fits may plan with; the rest is for predictions and for a busy machine.
    starts_with_one_fold : bool
        Whether a trial begins with a single fold where all of them would not fit into its time.
    saves_epochs : bool
        Whether networks of this kind are given fewer epochs, and never fewer rows, at a low fidelity.
    keeps_networks : bool
        Whether a network that was trained on a single fold is the final model.
    adapt_to_held_out : callable or None
        ``adapt_to_held_out(fitted, X, y, weight)``: what the fitted last step of a pipeline takes from the rows that
        are held back, where one part of all is; it is changed in place. None: nothing.
    checks_feasibility : bool
        Whether a trial is fitted on a few rows first where constraints bound its costs.
    even_ensemble : bool
        Whether a part of the ensemble is spread evenly over the kinds of models where rows are few.
    """

    fit_seconds: Callable[[Profile], float]
    quick_sample: Callable[[Context, float], tuple[int, int | None]]
    rows_per_trial: int
    plan_fraction: float = 0.7
    starts_with_one_fold: bool = False
    saves_epochs: bool = True
    keeps_networks: bool = False
    adapt_to_held_out: Callable[[Estimator, Rows, Any, Any], None] | None = None
    checks_feasibility: bool = True
    even_ensemble: bool = False


def no_candidates() -> Candidates:
    """The candidates of a kind that has none."""
    return ()


def nothing_to_say(X: Any) -> str:
    """What is said of X where nothing needs saying."""
    return ""


def no_warning(data: Data) -> None:
    """For a kind of which no common mistake is known."""


def no_fields(data: Data) -> dict[str, Any]:
    """For a kind that fills no field of DataProfile of its own."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of data: how it is recognised, read, split, modelled and predicted.

    Parameters
    ----------
    name : str
        Value of `kind` and `kind_`.
    recognises : callable
        ``recognises(X)``: whether X looks like this kind, for ``kind="auto"``.
    read : callable
        ``read(X)``: the checked X, and the names of its features or None.
    n_features : callable
        ``n_features(shape)``: the number of features as scikit-learn counts them.
    same_form : callable
        ``same_form(X, form)``: X of a predict as `read` gives it, in the Form of fit; ValueError for another form.
    candidates : callable
        Gives a tuple of Candidate: those of "auto".
    fallback : callable
        ``fallback(profile)``: the unfitted pipeline of the quick model, small and fitted in about a second.
    effort : Effort
    splits : Splits
    describe : callable
        ``describe(X)``: one line on what X was taken for, an empty one where nothing needs saying.
    warn : callable
        ``warn(data)``: warns of data that look like a mistake.
    profile : callable
        ``profile(data)``: the fields of DataProfile that only this kind fills, a dict.
    on_request : callable
        Gives candidates that are tried only where named.
    made_small : callable
        Gives those of them that "auto" has too under constraints, as they are made to be small.
    first_steps : callable
        Gives the steps before those of a candidate.
    student : callable or None
        ``student(size, seed)``: a small network that `compress` teaches; None where there is none.
    """

    name: str
    recognises: Callable[[Given], bool]
    read: Reader
    n_features: Callable[[tuple[int, ...]], int]
    same_form: Callable[[Given, Form], Rows]
    candidates: Callable[[], Candidates]
    fallback: Callable[[Profile], Estimator]
    effort: Effort
    splits: Splits = Splits()
    describe: Callable[[Any], str] = nothing_to_say
    warn: Callable[[Data], None] = no_warning
    profile: Callable[[Data], dict[str, Any]] = no_fields
    on_request: Callable[[], Candidates] = no_candidates
    made_small: Callable[[], Candidates] = no_candidates
    first_steps: Callable[[], list[tuple[str, Estimator]]] = list
    student: Callable[[int, int], Estimator] | None = None

    @property
    def built_in(self) -> Candidates:
        """All of its candidates: those of "auto", then those that are tried only where named."""
        return (*self.candidates(), *self.on_request())


# Kinds by name, in the order in which they are asked whether X is theirs: a Kind, or the file that has it as KIND.
KINDS: dict[str, Kind | str] = {
    "image": "skauto.automl.images._kind",
    "sequence": "skauto.automl.sequences._kind",
    "table": "skauto.automl.tables._kind",
}


# What X is where no other kind recognises it.
DEFAULT = "table"


def kind_named(name: str) -> Kind:
    """The Kind of a name in KINDS."""
    entry = KINDS[name]
    return import_module(entry).KIND if isinstance(entry, str) else entry


def kind_of(X: Given, name: str = "auto") -> Kind:
    """The Kind that X is taken for.

    Parameters
    ----------
    X : array, DataFrame, sparse matrix or list
    name : str, default="auto"
        Anything but "auto" is the answer.

    Raises
    ------
    ValueError
        For a name that is not known, and for data that look like no kind at all.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.automl._kind import kind_of
    >>> [kind_of(X).name for X in (np.zeros((5, 20, 3)), np.zeros((5, 8, 8), np.uint8), np.zeros((5, 8)))]
    ['sequence', 'image', 'table']
    """
    if name == "auto":
        others = (kind_named(other) for other in KINDS if other != DEFAULT)
        return next(
            (kind for kind in others if kind.recognises(X)), kind_named(DEFAULT)
        )
    if name not in KINDS:
        *before, last = sorted(KINDS, reverse=True)
        allowed = f"{', '.join(map(repr, ['auto', *before]))} or {last!r}"
        raise ValueError(f"kind={name!r} must be {allowed}{did_you_mean(name, KINDS)}")
    return kind_named(name)


def within_bounds(n: float, n_rows: int, fewest: int = 200) -> int:
    """A number of rows to draw for the quick model: at least a few hundred, and no more than there are."""
    return int(np.clip(n, min(fewest, n_rows), n_rows))
