"""scikit-learn's forests, whose files are a twentieth as large, and which answer for one row without a pool of threads.

A fitted tree of scikit-learn has 80 bytes a node. Stored are the float32 thresholds of inner nodes and the fractions of
classes of leaves; all else of a node follows from these when the forest is loaded.
"""

import pickle
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

# Level of compression: higher ones take seconds and gain a few percent.
ZLIB_LEVEL = 1

# What a node is told by its leaves, so that it need not be stored.
MEASURES = {"gini", "entropy", "log_loss"}


class _Compact:
    """What both forests share: how they are stored, and how they answer."""

    def hold_packed(self) -> None:
        """Hold the trees as they are stored, in a twentieth of the memory.

        Such a forest cannot answer until it has been written to a file and read again.
        """
        packed = pack(vars(self).get("estimators_"))
        if packed is not None:
            vars(self)["estimators_"] = packed

    def predict_proba(self, X: Any) -> np.ndarray:
        """Mean of the trees' fractions of classes, the same numbers as scikit-learn's, of shape (n, n_classes).

        scikit-learn hands each tree to a pool of threads, which for one row takes far longer than the trees.
        """
        trees: Any = getattr(self, "estimators_", ())
        if not trees or trees[0].n_outputs_ != 1 or (self.n_jobs or 1) != 1:  # type: ignore[attr-defined]
            return super().predict_proba(X)  # type: ignore[misc]
        X = self._validate_X_predict(X)  # type: ignore[attr-defined]
        total = np.zeros((X.shape[0], self.n_classes_))  # type: ignore[attr-defined]
        for tree in trees:
            total += tree.tree_.predict(X)
        total /= len(trees)
        return total

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        packed = pack(state.get("estimators_"))
        return state if packed is None else {**state, "estimators_": packed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        trees = state.get("estimators_")
        if isinstance(trees, PackedTrees):
            state = {**state, "estimators_": unpack(trees)}
        super().__setstate__(state)  # type: ignore[misc]


class CompactRandomForestClassifier(_Compact, RandomForestClassifier):
    """scikit-learn's random forest in a small file; parameters, attributes and probabilities are the same.

    Examples
    --------
    >>> import pickle
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skauto.estimators._forests import CompactRandomForestClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> kinds = RandomForestClassifier, CompactRandomForestClassifier
    >>> large, small = [len(pickle.dumps(kind(50, random_state=0).fit(X, y))) for kind in kinds]
    >>> large > 8 * small
    True
    """


class CompactExtraTreesClassifier(_Compact, ExtraTreesClassifier):
    """scikit-learn's extremely randomised trees in a small file; all else is the same."""


@dataclass(frozen=True)
class PackedTrees:
    """Fitted trees of one forest as they are stored.

    Parameters
    ----------
    template : bytes
        The first tree without its nodes, pickled.
    seeds : ndarray of int
        `random_state` of each tree.
    arrays : bytes
        What `_arrays_of` gives, pickled and compressed.
    """

    template: bytes
    seeds: np.ndarray
    arrays: bytes


def pack(trees: Any) -> PackedTrees | None:
    """The trees of a forest as they are stored; None where they differ in more than nodes and seeds, or are none.

    Parameters
    ----------
    trees : list of fitted tree classifiers, or None
    """
    if not isinstance(trees, list) or not trees or not all(hasattr(tree, "tree_") for tree in trees):
        return None
    if trees[0].n_outputs_ != 1 or trees[0].criterion not in MEASURES or trees[0].monotonic_cst is not None:
        return None
    arrays = _arrays_of([tree.tree_.__getstate__() for tree in trees])
    if arrays is None:
        return None
    template = {name: value for name, value in vars(trees[0]).items() if name != "tree_"}
    kind = type(trees[0]), type(trees[0].tree_)
    seeds = np.array([tree.random_state for tree in trees])
    stored = pickle.dumps(arrays, protocol=5)
    return PackedTrees(pickle.dumps((kind, template), protocol=5), seeds, zlib.compress(stored, ZLIB_LEVEL))


def unpack(packed: PackedTrees) -> list[Any]:
    """The trees that `pack` stored; thresholds are those float32 numbers that divide float32 cells in the same way."""
    (kind, tree_kind), template = pickle.loads(packed.template)
    arrays = pickle.loads(zlib.decompress(packed.arrays))
    nodes, values = _nodes_of(arrays, template["criterion"], tree_kind)
    ends = np.cumsum(arrays["sizes"])
    begins = ends - arrays["sizes"]
    n_classes = np.array([template["n_classes_"]], dtype=np.intp)
    trees = []
    for seed, depth, begin, end in zip(packed.seeds.tolist(), arrays["depths"], begins, ends, strict=True):
        tree = tree_kind(template["n_features_in_"], n_classes, 1)
        tree.__setstate__(
            {"max_depth": depth, "node_count": end - begin, "nodes": nodes[begin:end], "values": values[begin:end]}
        )
        made = kind.__new__(kind)
        vars(made).update(template, random_state=seed, tree_=tree)
        trees.append(made)
    return trees


def _arrays_of(states: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What is stored of all nodes, one tree after the other; None where a left child is not the next node."""
    nodes = np.concatenate([state["nodes"] for state in states])
    sizes = np.array([len(state["nodes"]) for state in states])
    inner = nodes["left_child"] >= 0
    own = np.arange(len(nodes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    if not (nodes["left_child"][inner] == own[inner] + 1).all():
        return None
    values = np.concatenate([state["values"][:, 0, :] for state in states])
    leaves = nodes[~inner]
    return {
        "sizes": sizes,
        "depths": [int(state["max_depth"]) for state in states],
        "inner": np.packbits(inner),
        "feature": _smallest(nodes["feature"][inner]),
        "threshold": _float32_below(nodes["threshold"][inner]),
        "right": _smallest((nodes["right_child"] - own)[inner]),
        "missing_left": np.packbits(nodes["missing_go_to_left"][inner].astype(bool)),
        # The last class has what the others leave.
        "fractions": values[~inner, :-1].astype(np.float32),
        "n": _smallest(leaves["n_node_samples"]),
        "weight": leaves["weighted_n_node_samples"].astype(np.float32),
    }


def _nodes_of(arrays: dict[str, Any], criterion: str, tree_kind: type) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and values of all trees, one after the other, as scikit-learn has them."""
    sizes = arrays["sizes"]
    count = int(sizes.sum())
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    inner = np.unpackbits(arrays["inner"], count=count).astype(bool)
    at = np.flatnonzero(inner)
    left, right = at + 1, at + arrays["right"]
    nodes = np.zeros(count, dtype=_node_dtype(tree_kind))
    for name, of_leaf, of_inner in (
        ("left_child", -1, left - starts[at]),
        ("right_child", -1, right - starts[at]),
        ("feature", -2, arrays["feature"]),
        ("threshold", -2.0, arrays["threshold"]),
    ):
        column = np.full(count, of_leaf, dtype=nodes.dtype[name])
        column[at] = of_inner
        nodes[name] = column
    nodes["missing_go_to_left"][at] = np.unpackbits(arrays["missing_left"], count=len(at))
    leaf = ~inner
    n_first = arrays["fractions"].shape[1]
    fractions = np.empty((count, n_first + 1))
    fractions[leaf, :-1] = arrays["fractions"]
    fractions[leaf, -1] = 1 - fractions[leaf, :-1].sum(axis=1)
    ends = _ends(count, at, right)
    weight = _summed(arrays["weight"], leaf, at, ends)
    for k in range(n_first + 1):
        fractions[at, k] = _summed(fractions[leaf, k] * arrays["weight"], leaf, at, ends)[at] / weight[at]
    nodes["n_node_samples"] = _summed(arrays["n"], leaf, at, ends).round()
    nodes["weighted_n_node_samples"] = weight
    nodes["impurity"] = _impurity(np.clip(fractions, 0, 1), criterion)
    return nodes, np.ascontiguousarray(fractions[:, np.newaxis, :])


def _ends(count: int, at: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The node after the last one below each inner node: the right child of the right child and so on is the last."""
    last = np.arange(count, dtype=np.int32)
    last[at] = right
    while (last[last[at]] != last[at]).any():
        last = last[last]
    return last[at] + 1


def _summed(of_leaves: np.ndarray, leaf: np.ndarray, at: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """A quantity of each node: of an inner one the sum over the leaves below it, which stand before its end."""
    of_all = np.zeros(len(leaf))
    of_all[leaf] = of_leaves
    before = np.concatenate([[0.0], np.cumsum(of_all)])
    of_all[at] = before[ends] - before[at]
    return of_all


def _impurity(fractions: np.ndarray, criterion: str) -> np.ndarray:
    """Gini index, or entropy in bits, of each node."""
    if criterion == "gini":
        return 1 - np.square(fractions).sum(axis=1)
    logs = np.log2(fractions, out=np.zeros_like(fractions), where=fractions > 0)
    return -(fractions * logs).sum(axis=1)


def _node_dtype(tree_kind: type) -> np.dtype[Any]:
    """Fields of a node in this version of scikit-learn."""
    return tree_kind(1, np.array([1], dtype=np.intp), 1).__getstate__()["nodes"].dtype


def _float32_below(values: np.ndarray) -> np.ndarray:
    """The largest float32 numbers that are no larger: cells are float32, so none lies between.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators._forests import _float32_below
    >>> _float32_below(np.array([0.1])) <= 0.1
    array([ True])
    """
    nearest = values.astype(np.float32)
    return np.where(nearest > values, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _smallest(values: np.ndarray) -> np.ndarray:
    """Non-negative whole numbers in the smallest type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))
