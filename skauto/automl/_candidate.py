"""A candidate of AutoClassifier: a kind of classifier with its space, built in or the user's own."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

import cloudpickle
from sklearn.base import BaseEstimator, is_classifier

from skauto.automl._imbalance import NAMES, NONE
from skauto.automl._kind import KINDS, kind_named
from skauto.search._fidelity import Fidelity, read_fidelity
from skauto.search._sandbox import attempt
from skauto.search._space import Space

# Names that a candidate may not have: rows of the leaderboard and words of `candidates`.
RESERVED = ("auto", "ensemble", "quick_model", "class_frequencies")

# The rank of a user's configurations among those of the built-in candidates, which begin at 0: the first one early, so
# that it is tried in short searches too, the others among the second ones of the built-in candidates.
FIRST_RANK, OTHER_RANKS = 0.5, 5.5


@dataclass(frozen=True, repr=False)
class Candidate:
    """A kind of classifier that AutoClassifier tries, with the space in which it is tuned.

    Any scikit-learn, imbalanced-learn or skorch classifier or Pipeline competes beside the built-in candidates, under
    every strategy, with thresholds, ensemble, time limit, leaderboard, journal and executor.

    Parameters
    ----------
    name : str
        In the leaderboard.
    estimator : classifier
        With `predict_proba`. It is given X as it was given to `fit`, and never changed.
    space : dict or list of dict
        What is tuned, in the form of `SearchCV`: names of parameters with lists or distributions.
    initial : sequence of dict, default=()
        Configurations that are evaluated before any search; what they leave out is as the estimator has it. Without any
        the estimator is tried as it is, where its own settings lie in the space.
    fidelity : None, "rows", "epochs" or (str, int, int), default=None
        What less effort means where a strategy begins with less, as in `SearchCV`. None: fewer epochs of a network,
        fewer rows of all others.
    imbalance : sequence of str, default=()
        Imbalance strategies to try besides none: "class_weight", "SMOTE", "BorderlineSMOTE", "RandomOverSampler",
        "RandomUnderSampler". Samplers are given X as the estimator is.
    prepare : bool, default=False
        Whether the preparation of the kind of data comes before the estimator: of a table the cleaner, which gives a
        DataFrame of numbers, missing values among them, and categories.
    weight : float, default=1.0
        How often random trials take it, relative to the others.

    Raises
    ------
    ValueError, TypeError
        If the estimator is no classifier with probabilities or cannot be pickled, if the space has a parameter that it
        has not, for a name that is taken, and for a configuration that does not lie in the space.

    Notes
    -----
    Built-in candidates are of this class too, with further fields that are no part of the public interface.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skauto import AutoClassifier, Candidate
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    >>> mine = Candidate("mine", pipeline, {"logisticregression__C": loguniform(1e-3, 1e2)})
    >>> AutoClassifier(candidates=["auto", mine]).candidates
    ['auto', Candidate('mine')]
    """

    name: str
    estimator: Any = None
    space: Mapping | Sequence = field(default_factory=dict)
    _: KW_ONLY
    initial: Sequence = ()
    fidelity: Any = None
    imbalance: Sequence = ()
    prepare: bool | Callable = False
    weight: float = 1.0
    # Of built-in candidates: `build(values, profile, seed)` gives the classifier and `prepare(values, profile)` the
    # transformer before it, or None; a value of each parameter; ranks of the initial configurations among all; and
    # where it can be used: rows, sparse tables, weights, packages with the extra that brings them, and
    # `time_budget_reason`, one line on why there is no time for it, or an empty one.
    build: Callable | None = None
    defaults: Mapping = field(default_factory=dict)
    ranks: Sequence = ()
    max_rows: int | None = None
    sparse: bool = True
    weighted: bool = True
    package: str | None = None
    extra: str | None = None
    time_budget_reason: Callable | None = None

    def __post_init__(self):
        if self.build is None:
            _check(self)

    def __repr__(self):
        return f"Candidate({self.name!r})"

    @classmethod
    def builtin(cls, name, *, kind="table", space=None, initial=None, samplers=None):
        """A built-in candidate, narrowed or widened.

        Parameters
        ----------
        name : str
            For example "lightgbm".
        kind : {"table", "sequence", "image"}, default="table"
            The kind of data that it is for.
        space : dict, default=None
            Parameters with lists or distributions that take the place of its own, or are added.
        initial : sequence of dict, default=None
            Its initial configurations, in the place of its own.
        samplers : sequence of str, default=None
            Its imbalance strategies, in the place of its own; none where empty.

        Returns
        -------
        candidate : Candidate

        Examples
        --------
        >>> from skauto import Candidate
        >>> Candidate.builtin("lightgbm", space={"num_leaves": [7, 15]}, samplers=["SMOTE"])
        Candidate('lightgbm')
        """
        if kind not in KINDS:
            raise ValueError(
                f"kind={kind!r} of Candidate.builtin must be one of {sorted(KINDS)}"
            )
        of_kind = kind_named(kind)
        known = {
            candidate.name: candidate
            for candidate in (*of_kind.candidates(), *of_kind.on_request())
        }
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"{name!r} is no built-in candidate of kind {kind!r}.{hint} Those are {sorted(known)}"
            )
        changes = {} if samplers is None else {"imbalance": _groups(name, samplers)}
        if space is not None:
            changes["space"] = {**known[name].space, **space}
        if initial is not None:
            changes |= {"initial": tuple(initial), "ranks": _ranks(len(initial))}
        changed = replace(known[name], **changes)
        return changed if initial is None else _with_sound_initial(changed)

    @property
    def is_own(self):
        """Whether it is one of the user's, and not built in."""
        return self.build is None

    def branches(self):
        """Its space as a list of dicts."""
        return (
            [dict(self.space)]
            if isinstance(self.space, Mapping)
            else [dict(branch) for branch in self.space]
        )

    def initial_configurations(self):
        """Pairs of a rank among those of all candidates and a configuration, of those that lie in the space."""
        if not self.is_own:
            pairs = zip(self.ranks, self.initial, strict=True)
            whole = [(rank, {**self.defaults, **changed}) for rank, changed in pairs]
            return [
                (rank, values)
                for rank, values in whole
                if _lies_in(values, self.branches())
            ]
        params = self.estimator.get_params()
        whole = [
            _completed(changed, params, self.branches())
            for changed in self.initial or ({},)
        ]
        return (
            list(zip(_ranks(len(whole)), whole, strict=True))
            if None not in whole
            else []
        )

    def at_fidelity(self, fidelity):
        """Parameters of the user's estimator at a fidelity."""
        read = self._fidelity()
        return {} if read is None else read.values(fidelity)

    def _fidelity(self):
        return read_fidelity(self.fidelity, self.estimator, Space(self.branches()))


def _check(candidate):
    """Raise where a user's candidate could not be tried."""
    name, estimator = candidate.name, candidate.estimator
    if (
        not isinstance(name, str)
        or not name
        or name in RESERVED
        or name.startswith("-")
    ):
        raise ValueError(
            f"name={name!r} of a Candidate must be a text that is none of {', '.join(map(repr, RESERVED))} and does "
            "not begin with '-'"
        )
    if (
        isinstance(estimator, type)
        or not isinstance(estimator, BaseEstimator)
        or not is_classifier(estimator)
    ):
        said = (
            f"the class {estimator.__name__}"
            if isinstance(estimator, type)
            else repr(estimator)[:60]
        )
        raise TypeError(
            f"estimator of Candidate({name!r}) must be a classifier, got {said}"
        )
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"estimator of Candidate({name!r}) has no predict_proba, which thresholds and ensembles need: put it into "
            "sklearn.calibration.CalibratedClassifierCV, or switch its probabilities on"
        )
    _check_space(candidate)
    if not (isinstance(candidate.prepare, bool)):
        raise TypeError(
            f"prepare={candidate.prepare!r} of Candidate({name!r}) must be True or False"
        )
    if not candidate.weight > 0:
        raise ValueError(
            f"weight={candidate.weight!r} of Candidate({name!r}) must be above 0"
        )
    object.__setattr__(candidate, "imbalance", _groups(name, candidate.imbalance))
    made = attempt(cloudpickle.dumps, estimator)
    if made.error is not None:
        raise TypeError(
            f"estimator of Candidate({name!r}) cannot be pickled, so no worker can have it: {made.reason}"
        ) from made.error


def _check_space(candidate):
    """Raise where the space or a configuration does not fit the estimator."""
    name, branches = candidate.name, candidate.branches()
    known = candidate.estimator.get_params()
    for parameter in {parameter for branch in branches for parameter in branch}:
        if parameter not in known:
            close = difflib.get_close_matches(str(parameter), known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"space of Candidate({name!r}) has {parameter!r}, which is no parameter of "
                f"{type(candidate.estimator).__name__}{hint}"
            )
        if parameter.startswith("imbalance") or parameter == "candidate":
            raise ValueError(
                f"space of Candidate({name!r}) has {parameter!r}: such names are AutoClassifier's own; give the step "
                "another name"
            )
    Space(branches)
    read = candidate._fidelity()
    if read is not None and not isinstance(read, Fidelity):
        raise TypeError(
            f"fidelity={candidate.fidelity!r} of Candidate({name!r}) cannot be read"
        )
    params = candidate.estimator.get_params()
    for number, changed in enumerate(candidate.initial):
        if _completed(changed, params, branches) is None:
            raise ValueError(
                f"initial[{number}]={changed!r} of Candidate({name!r}) does not lie in its space; widen the space or "
                "change the configuration"
            )


def _completed(changed, params, branches):
    """A configuration completed by the settings of the estimator, of the first branch that holds it; None of none."""
    for branch in branches:
        values = {
            parameter: changed.get(parameter, params[parameter]) for parameter in branch
        }
        if set(changed) <= set(branch) and _lies_in(values, [branch]):
            return values
    return None


def _lies_in(values, branches):
    return attempt(Space(branches).encode, values).error is None


def _with_sound_initial(candidate):
    """The candidate, if its configurations lie in its space."""
    for number, changed in enumerate(candidate.initial):
        if not _lies_in({**candidate.defaults, **changed}, candidate.branches()):
            raise ValueError(
                f"initial[{number}]={changed!r} of Candidate.builtin({candidate.name!r}) does not lie in its space"
            )
    return candidate


def _ranks(count):
    return (FIRST_RANK, *(OTHER_RANKS + number for number in range(count - 1)))[:count]


def _groups(name, strategies):
    """The imbalance strategies of a user's candidate, as one group."""
    if strategies and all(
        isinstance(group, tuple) for group in strategies
    ):  # of a candidate that was made from another
        return tuple(strategies)
    if isinstance(strategies, str):
        raise TypeError(
            f"imbalance={strategies!r} of Candidate({name!r}) must be a list of names"
        )
    unknown = [
        strategy for strategy in strategies if strategy not in NAMES or strategy == NONE
    ]
    if unknown:
        known = [strategy for strategy in NAMES if strategy != NONE]
        raise ValueError(
            f"imbalance of Candidate({name!r}) has {unknown[0]!r}; known are {known}"
        )
    return (tuple(strategies),) if strategies else ()
