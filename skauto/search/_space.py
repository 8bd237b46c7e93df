"""Space: the configurations a search may try, read from scikit-learn's form of a parameter grid."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np

from skauto._telling import warn
from skauto.inputs._closest import did_you_mean
from skauto.search._dimensions import Choice, Continuous, Dimension, Drawn, Quantile, Size, Whole, same_dimension
from skauto.search._types import Params

# What a user writes: a branch, or several.
Branches: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]

# How scikit-optimize spreads the values of a range.
PRIORS = ("uniform", "log-uniform")
WORDS_OF_RANGES = (*PRIORS, "loguniform", "log_uniform", "log", "quniform", "float", "int")


class Space:
    """Branches of named dimensions.

    Configurations travel as ``params``, plain JSON: ``{"branch": 0, "values": {"C": 0.1, "kernel": 1}}`` with numbers
    for numeric dimensions and the index for listed choices, so that any object may be a choice.

    Parameters
    ----------
    space : dict or list of dict
        Each dict is a branch. Its values are lists (or tuples, ranges, 1-d arrays) of choices, frozen scipy
        distributions, any object with ``rvs(random_state=)``, or scikit-optimize's Real, Integer and Categorical, or
        its short form of a range, ``(low, high, "uniform" or "log-uniform")``. An empty dict is one configuration.
        The objects are never changed, and compared only by `encode`.
    weights : sequence of float, default=None
        How often each branch is sampled; None for all equally often.

    Attributes
    ----------
    branches : list of dict
        Dimensions of each branch by parameter name, sorted by name.
    size : int or float
        Number of different configurations; infinite with a continuous dimension.
    n_dims : int
        Length of a unit vector: the dimensions of all branches, one after the other.

    Examples
    --------
    >>> from skauto.search._space import Space
    >>> space = Space([{"kernel": ["rbf"], "C": [1, 10]}, {"kernel": ["linear"]}])
    >>> [space.decode(params) for params in space.grid()]
    [{'C': 1, 'kernel': 'rbf'}, {'C': 10, 'kernel': 'rbf'}, {'kernel': 'linear'}]
    >>> space.encode({"kernel": "rbf", "C": 10})
    {'branch': 0, 'values': {'C': 1, 'kernel': 0}}
    """

    def __init__(self, space: Branches, weights: Sequence[float] | None = None) -> None:
        self.branches = [_read_branch(branch) for branch in _as_list(space)]
        self._cumulative = _cumulative(weights, len(self.branches), "weights")
        self.size: Size = sum(math.prod(dim.size for dim in branch.values()) for branch in self.branches)
        starts = np.cumsum([0] + [len(branch) for branch in self.branches])
        self._slices = [slice(int(a), int(b)) for a, b in itertools.pairwise(starts)]
        self.n_dims = int(starts[-1])

    @cached_property
    def groups(self) -> list[dict[int, list[int]]]:
        """Dimensions that occur in the same branches, each group as ``{branch: columns of the branch}``.

        A dimension of several branches is one of the same name, bounds and choices.
        """
        by_name: dict[str, list[tuple[Dimension, dict[int, int]]]] = {}
        for branch, dims in enumerate(self.branches):
            for column, (name, dim) in enumerate(dims.items()):
                namesakes = by_name.setdefault(name, [])
                where = next((where for known, where in namesakes if same_dimension(known, dim)), None)
                if where is None:
                    namesakes.append((dim, where := {}))
                where[branch] = column
        found: dict[tuple[int, ...], dict[int, list[int]]] = {}
        for where in (where for namesakes in by_name.values() for _, where in namesakes):
            group = found.setdefault(tuple(where), {branch: [] for branch in where})
            for branch, column in where.items():
                group[branch].append(column)
        return list(found.values())

    @property
    def branch_probabilities(self) -> np.ndarray:
        """The fraction of random configurations that each branch has, of shape (n_branches,)."""
        return np.diff(self._cumulative, prepend=0.0)

    def sample(self, rng: np.random.Generator) -> Params:
        """Random params: a branch by weight, then each dimension by its distribution.

        Parameters
        ----------
        rng : numpy.random.Generator
        """
        branch = min(int(np.searchsorted(self._cumulative, rng.random(), side="right")), len(self.branches) - 1)
        return self.sample_branch(branch, rng)

    def sample_branch(self, branch: int, rng: np.random.Generator) -> Params:
        """Random params of one branch."""
        dims = self.branches[branch]
        draws = rng.random(len(dims)).tolist()
        values = {name: dim.draw(u) for (name, dim), u in zip(dims.items(), draws, strict=True)}
        return {"branch": branch, "values": values}

    def grid(self) -> Iterator[Params]:
        """All params, in the order of scikit-learn's ParameterGrid.

        Raises
        ------
        ValueError
            If a dimension is not finite; the message names it.
        """
        for branch in self.branches:
            for name, dim in branch.items():
                if dim.size == math.inf:
                    raise ValueError(
                        f"parameter {name!r} has infinitely many values, a grid needs a list: "
                        f"give one, or choose another strategy such as 'random'"
                    )
        return (self.nth(index) for index in range(self.size))

    def nth(self, index: int) -> Params:
        """The params at an index in the order of `grid`."""
        for branch, dims in enumerate(self.branches):
            size = math.prod(dim.size for dim in dims.values())
            if index < size:
                digits = {}
                for name in reversed(dims):
                    index, digits[name] = divmod(index, dims[name].size)
                return {"branch": branch, "values": {name: dims[name].nth(digits[name]) for name in dims}}
            index -= size
        raise IndexError("the grid has fewer configurations")

    def decode(self, params: Params) -> dict[str, Any]:
        """The parameters as an estimator takes them: ``{name: value}``, with the user's own objects."""
        dims = self.branches[params["branch"]]
        return {name: dims[name].decode(value) for name, value in params["values"].items()}

    def encode(self, values: Mapping[str, Any], branch: int | None = None) -> Params:
        """Params of real values; the first branch they fit into unless one is given.

        Parameters
        ----------
        values : dict
            A value for each parameter of a branch. Choices are found by identity, then by equality.
        branch : int, default=None
            Index of the branch.

        Raises
        ------
        ValueError
            If they fit into no branch; the message says why for the closest one.
        """
        candidates = range(len(self.branches)) if branch is None else [branch]
        by_names = [i for i in candidates if set(self.branches[i]) == set(values)]
        if not by_names:
            raise ValueError(self._unfit_names(values, candidates))
        errors = []
        for i in by_names:
            try:
                return {"branch": i, "values": _encode_branch(self.branches[i], values)}
            except ValueError as error:
                errors.append(str(error))
        raise ValueError("; ".join(dict.fromkeys(errors)))

    def _unfit_names(self, values: Mapping[str, Any], candidates: Iterable[int]) -> str:
        known = sorted({name for i in candidates for name in self.branches[i]})
        unknown = sorted(set(values) - set(known))
        if unknown:
            hint = did_you_mean(unknown[0], known) or f"; known are {known}"
            return f"parameter {unknown[0]!r} is not in the space{hint}"
        options = [sorted(self.branches[i]) for i in candidates]
        return f"no branch of the space has exactly the parameters {sorted(values)}: the branches have {options}"

    def contains(self, params: Params) -> bool:
        """Whether params are a configuration of this space."""
        branch, values = params["branch"], params["values"]
        if not 0 <= branch < len(self.branches) or set(values) != set(self.branches[branch]):
            return False
        return all(dim.contains(values[name]) for name, dim in self.branches[branch].items())

    def key(self, params: Params) -> tuple[Any, ...]:
        """A hashable name of the configuration: equal for equal params, whatever the order of their names."""
        values = params["values"]
        return (params["branch"], *(values[name] for name in self.branches[params["branch"]]))

    def to_unit(self, params: Params) -> tuple[np.ndarray, np.ndarray]:
        """Params as a point of the unit cube.

        Numbers take their quantile (so log scales become straight), choices the middle of their cell, dimensions of
        other branches 0.5.

        Returns
        -------
        vector : ndarray of shape (n_dims,)
        active : ndarray of bool of shape (n_dims,)
            True for the dimensions of the branch.
        """
        vector, active = np.full(self.n_dims, 0.5), np.zeros(self.n_dims, dtype=bool)
        where = self._slices[params["branch"]]
        vector[where] = self.to_unit_branch(params)
        active[where] = True
        return vector, active

    def to_unit_branch(self, params: Params) -> list[float]:
        """The part of `to_unit` that belongs to the branch of params, as a list."""
        values = params["values"]
        return [dim.to_unit(values[name]) for name, dim in self.branches[params["branch"]].items()]

    def from_unit(self, vector: np.ndarray, branch: int) -> Params:
        """Params of a branch from a point of the unit cube; what lies outside is moved to its edge."""
        return self.from_unit_branch(vector[self._slices[branch]], branch)

    def from_unit_branch(self, units: Iterable[float], branch: int) -> Params:
        """Params of a branch from one number in [0, 1] for each of its dimensions."""
        dims = self.branches[branch].items()
        values = {name: dim.from_unit(min(max(float(u), 0.0), 1.0)) for (name, dim), u in zip(dims, units, strict=True)}
        return {"branch": branch, "values": values}


def _as_list(space: Any) -> list[Mapping[Any, Any]]:
    if isinstance(space, Mapping):
        return [space]
    if isinstance(space, Sequence) and not isinstance(space, str) and all(isinstance(s, Mapping) for s in space):
        if not space:
            raise ValueError("space is an empty list: it needs at least one dict")
        return list(space)
    raise TypeError(f"space must be a dict or a list of dicts, got {space!r}")


def _read_branch(branch: Mapping[Any, Any]) -> dict[str, Dimension]:
    for name in branch:
        if not isinstance(name, str):
            raise TypeError(f"names in space must be strings, got {name!r}")
    return {name: _read_dimension(name, branch[name]) for name in sorted(branch)}


def _read_dimension(name: str, given: Any) -> Dimension:
    if type(given).__module__.split(".")[0] == "skopt":
        return _read_skopt(name, given)
    if callable(given) and hasattr(given, "ppf") and hasattr(given, "rvs"):
        given = given()  # a distribution without parameters, as scipy.stats.norm: in its standard form
    if hasattr(given, "dist") and hasattr(given, "ppf"):
        return _read_scipy(given)
    if callable(getattr(given, "rvs", None)):
        return Drawn(given)
    if isinstance(given, Mapping) and {"low", "high"} <= set(given):
        raise TypeError(
            f"parameter {name!r}: {given!r} looks like a range, which is written ({given['low']!r}, {given['high']!r}, "
            "'uniform') or 'log-uniform'"
        )
    if isinstance(given, (set, frozenset)) or hasattr(given, "to_list") or hasattr(given, "__next__"):
        raise TypeError(
            f"parameter {name!r} must be a list of choices, got a {type(given).__name__}: write list(...) round it"
        )
    if isinstance(given, str) or not isinstance(given, (Sequence, np.ndarray)):
        raise TypeError(
            f"parameter {name!r} must be a list of choices, a frozen scipy distribution or a scikit-optimize "
            f"dimension, got {given!r}: for one fixed value write [{given!r}]"
        )
    if isinstance(given, np.ndarray) and given.ndim != 1:
        raise ValueError(f"parameter {name!r} must be a one-dimensional array of choices, got shape {given.shape}")
    if len(given) == 0:
        raise ValueError(f"parameter {name!r} has an empty list of choices: it needs at least one")
    if _is_prior_range(given):
        return _read_prior_range(name, given)
    if _looks_like_a_range(given):
        raise ValueError(
            f"parameter {name!r}: {given!r} looks like a range, which is written (low, high, 'uniform') or (low, high, "
            "'log-uniform'), or as a scipy distribution such as scipy.stats.loguniform(low, high)"
        )
    if isinstance(given, tuple) and len(given) == 2 and _are_numbers(given) and not _are_neighbours(*given):
        warn(
            f"parameter {name!r}: {given!r} is a choice of two values. If a range was meant, write "
            f"({given[0]!r}, {given[1]!r}, 'uniform') or 'log-uniform', or a scipy distribution; if not, a list",
        )
    return Choice(given)


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) for value in values)


def _are_neighbours(low: Any, high: Any) -> bool:
    """Whether a range would hold just the two."""
    return isinstance(low, Integral) and isinstance(high, Integral) and abs(high - low) <= 1  # type: ignore[operator]


def _is_prior_range(given: Any) -> bool:
    """Whether it is a range in scikit-optimize's short form: (low, high, "log-uniform")."""
    return len(given) == 3 and isinstance(given[2], str) and given[2] in PRIORS and _are_numbers(given[:2])


def _looks_like_a_range(given: Iterable[Any]) -> bool:
    """Whether it is two or three numbers with the name of a prior among them, as other libraries write ranges."""
    words = [part for part in given if isinstance(part, str)]
    numbers = [part for part in given if not isinstance(part, str)]
    return len(words) == 1 and words[0] in WORDS_OF_RANGES and len(numbers) in (2, 3) and _are_numbers(numbers)


def _read_prior_range(name: str, given: Any) -> Dimension:
    low, high, prior = given
    is_log = prior == "log-uniform"
    if not (math.isfinite(low) and math.isfinite(high) and low < high) or (is_log and low <= 0):
        least = "positive, finite" if is_log else "finite"
        raise ValueError(f"parameter {name!r}: the range {given!r} needs {least} bounds, the lower one first")
    if isinstance(low, Integral) and isinstance(high, Integral):
        return Whole(int(low), int(high), is_log)
    return Continuous(float(low), float(high), is_log)


def _read_scipy(distribution: Any) -> Dimension:
    kind = distribution.dist.name
    low, high = distribution.support()
    if kind == "uniform":
        return Continuous(float(low), float(high))
    if kind in ("loguniform", "reciprocal"):
        return Continuous(float(low), float(high), log=True)
    if kind == "randint":
        return Whole(int(low), int(high))
    return Quantile(distribution, discrete=hasattr(distribution.dist, "pmf"))


def _read_skopt(name: str, given: Any) -> Dimension:
    kind = type(given).__name__
    if kind == "Categorical":
        n, prior = len(given.categories), given.prior
        return Choice(given.categories, None if prior is None else _cumulative(prior, n, f"prior of {name!r}"))
    if kind == "Real":
        return Continuous(float(given.low), float(given.high), given.prior == "log-uniform")
    if kind == "Integer":
        return Whole(int(given.low), int(given.high), given.prior == "log-uniform")
    raise TypeError(f"parameter {name!r}: of scikit-optimize only Real, Integer and Categorical, got {given!r}")


def _encode_branch(dims: dict[str, Dimension], values: Mapping[str, Any]) -> dict[str, Any]:
    encoded = {}
    for name, dim in dims.items():
        try:
            encoded[name] = dim.encode(values[name])
        except ValueError as error:
            raise ValueError(f"parameter {name!r}: {error}") from None
    return encoded


def _cumulative(weights: Iterable[float] | None, n: int, name: str) -> np.ndarray:
    """Cumulative probabilities from n positive weights."""
    weights = [1.0] * n if weights is None else list(weights)
    if len(weights) != n:
        raise ValueError(f"{name} has {len(weights)} entries for {n} options")
    if not all(isinstance(w, Real) and math.isfinite(w) and w > 0 for w in weights):
        raise ValueError(f"{name} must be positive numbers, got {weights}")
    return np.cumsum(weights) / np.sum(weights)
