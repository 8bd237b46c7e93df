"""A candidate of AutoClassifier: a kind of classifier with its space, built in or the user's own."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, TypeAlias, cast

from skauto.automl._check_builtin import changes_of
from skauto.automl._check_candidate import (
    check_class_weight,
    check_own,
    completed,
    estimators_of,
    groups_of,
)
from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import KINDS, kind_named
from skauto.automl._types import Branch, Estimator, Values
from skauto.inputs._closest import did_you_mean
from skauto.search._fidelity import Fidelity, read_fidelity
from skauto.search._sandbox import attempt
from skauto.search._space import Space

# The rank of a user's configurations among those of the built-in candidates, which begin at 0: the first one early, so
# that it is tried in short searches too, the others among the second ones of the built-in candidates.
FIRST_RANK, OTHER_RANKS = 0.5, 5.5

# What makes a built-in candidate: its transformer or None, and its classifier.
Prepare: TypeAlias = Callable[[Values, DataProfile], Estimator]
Build: TypeAlias = Callable[[Values, DataProfile, int], Estimator]


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
        Imbalance strategies to try besides none: "class_weight", and the names of samplers that
        `skauto.resample.imbalance_search_space` tries, such as "SMOTE". They are given X as the estimator is.
    prepare : bool, default=False
        Whether the preparation of the kind of data comes before the estimator: of a table the cleaner, which gives a
        DataFrame of numbers, missing values among them, and categories.
    weight : float, default=1.0
        How often random trials take it, relative to the others.

    Raises
    ------
    ValueError, TypeError
        If the estimator is no classifier with probabilities, if it or a value of the space cannot be pickled, if the
        space has a parameter or `imbalance` class weights that it has not, for a name that is taken, a weight that is
        no finite number above 0, and for a configuration that does not lie in the space.

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
    space: Mapping[str, Any] | Sequence[Mapping[str, Any]] = field(default_factory=dict)
    _: KW_ONLY
    initial: Sequence[Values] = ()
    fidelity: Any = None
    imbalance: Sequence[str] | Sequence[tuple[str, ...]] = ()
    prepare: bool | Prepare = False
    weight: float = 1.0
    # Of built-in candidates. `prepare(values, profile)` gives the transformer before the classifier, or None, and takes
    # what it needs out of `values`; `build(values, profile, seed)` gives the classifier of the values that are left.
    # Of a network `plan_training(classifier, values, profile)` sets epochs and seconds in the worker where it trains.
    # `defaults` has a value of each parameter in the space. `ranks` has a number for each initial configuration:
    # those of all candidates are tried in the order of their ranks, so that 3.5 stands between 3 and 4. As many take
    # their place where `initial_for(profile)` says so.
    # Then where it can be used: rows, sparse tables, weights, packages with the extra that brings them, and
    # `time_budget_reason`, one line on why there is no time for it, or an empty one.
    build: Build | None = None
    plan_training: Callable[[Estimator, Values, DataProfile], None] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ranks: Sequence[float] = ()
    initial_for: Callable[[DataProfile], Sequence[Values]] | None = None
    max_rows: int | None = None
    sparse: bool = True
    weighted: bool = True
    package: str | None = None
    extra: str | None = None
    time_budget_reason: Callable[[Mapping[str, Any], DataProfile], str] | None = None

    def __post_init__(self) -> None:
        if self.build is None:
            check_own(self)
            where = f"imbalance of Candidate({self.name!r})"
            groups = groups_of(where, self.imbalance)
            check_class_weight(estimators_of(self), groups, where)
            object.__setattr__(self, "imbalance", groups)

    def __repr__(self) -> str:
        return f"Candidate({self.name!r})"

    @staticmethod
    def names(kind: str = "table") -> list[str]:
        """Names of the built-in candidates: those that "auto" tries, then those that are tried only where named.

        Parameters
        ----------
        kind : str, default="table"
            The kind of data that they are for, as in `AutoClassifier`.

        Examples
        --------
        >>> from skauto import Candidate
        >>> "lightgbm" in Candidate.names("table")
        True
        """
        return list(_builtin_candidates(kind))

    @classmethod
    def builtin(
        cls,
        name: str,
        *,
        kind: str = "table",
        space: Branch | None = None,
        initial: Sequence[Values] | None = None,
        samplers: Sequence[str] | None = None,
    ) -> "Candidate":
        """A built-in candidate, narrowed or widened.

        Parameters
        ----------
        name : str
            For example "lightgbm".
        kind : str, default="table"
            The kind of data that it is for, as in `AutoClassifier`.
        space : dict, default=None
            Parameters with lists or distributions that take the place of its own, or are added: those that its
            classifier takes. Values of its initial configurations that lie outside are moved to the nearest one.
        initial : sequence of dict, default=None
            Its initial configurations, in the place of its own.
        samplers : sequence of str, default=None
            Its imbalance strategies, in the place of its own; none where empty.

        Returns
        -------
        candidate : Candidate

        Raises
        ------
        ValueError, TypeError
            For a name or a parameter that is not known, for what is no list and no distribution, for a configuration
            that does not lie in the space, and for imbalance strategies that the candidate cannot have.

        Examples
        --------
        >>> from skauto import Candidate
        >>> Candidate.builtin("lightgbm", space={"num_leaves": [7, 15]}, samplers=["SMOTE"])
        Candidate('lightgbm')
        """
        known = _builtin_candidates(kind)
        if name not in known:
            raise ValueError(
                f"{name!r} is no built-in candidate of kind {kind!r}, which are "
                f"{sorted(known)}{did_you_mean(name, known)}"
            )
        changes = changes_of(known[name], kind, space, initial, samplers)
        if space is not None or initial is not None:
            changes["initial_for"] = None
        if initial is not None:
            changes["ranks"] = _ranks(len(initial))
        return replace(known[name], **changes)

    @property
    def is_own(self) -> bool:
        """Whether it is one of the user's, and not built in."""
        return self.build is None

    def branches(self) -> list[Branch]:
        """Its space as a list of dicts."""
        return (
            [dict(self.space)]
            if isinstance(self.space, Mapping)
            else [dict(branch) for branch in self.space]
        )

    def initial_configurations(self) -> list[tuple[float, Values]]:
        """Pairs of a rank among those of all candidates and a configuration, of those that lie in the space."""
        if not self.is_own:
            space = Space(self.branches())
            first: dict[Hashable, tuple[float, Values]] = {}
            for rank, changed in zip(self.ranks, self.initial, strict=True):
                values = {**self.defaults, **changed}
                params = attempt(space.encode, values).value
                # In a narrow space two of them can be the same one.
                if params is not None:
                    first.setdefault(space.key(params), (rank, values))
            return list(first.values())
        # What a user's configuration leaves out is as the estimator has it, and must lie in the space all the same: a
        # strategy can only move on from points of it.
        params = self.estimator.get_params()
        filled = [
            completed(changed, params, self.branches())
            for changed in self.initial or ({},)
        ]
        if None in filled:
            return []
        return list(zip(_ranks(len(filled)), cast(list[Values], filled), strict=True))

    def for_data(self, profile: DataProfile) -> "Candidate":
        """The candidate with the initial configurations that suit the data."""
        if self.initial_for is None:
            return self
        return replace(self, initial=self.initial_for(profile))

    def at_fidelity(self, fidelity: float) -> Values:
        """Parameters of the user's estimator at a fidelity."""
        read = self.own_fidelity()
        return {} if read is None else read.values(fidelity)

    def own_fidelity(self) -> Fidelity | None:
        """What `fidelity` means for the user's estimator."""
        # Asked in each fold, where to read a space again would be for nothing.
        if self.fidelity is None:
            return None
        return read_fidelity(self.fidelity, self.estimator, Space(self.branches()))


def _builtin_candidates(kind: str) -> dict[str, Candidate]:
    """Built-in candidates of a kind of data by name."""
    if kind not in KINDS:
        raise ValueError(
            f"kind={kind!r} of a built-in Candidate must be one of {sorted(KINDS)}"
        )
    return {candidate.name: candidate for candidate in kind_named(kind).built_in}


def _ranks(count: int) -> tuple[float, ...]:
    return (FIRST_RANK, *(OTHER_RANKS + number for number in range(count - 1)))[:count]
