"""What a fitted model costs to use, counted from what it is made of: the same on every machine, idle or busy.

Nothing is measured, so that a search without a time limit chooses the same members everywhere. The unit of time is a
nanosecond of one core of 2020, by the constants below; measured times of 10,000 rows were a half to twice as long.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Nanoseconds: of a step from a node of a tree to its child; of a coordinate of a distance to a stored row; of a kernel
# of such a distance; of a multiplication and addition in a matrix product of a linear model or a network; of a level of
# a symmetric tree, of which CatBoost asks many rows at once.
STEP_NS, COORDINATE_NS, KERNEL_NS, PRODUCT_NS, LEVEL_NS = 8.0, 0.6, 20.0, 0.2, 1.0

# Bytes in a file: of a node of scikit-learn's trees as CompactRandomForestClassifier stores them, and as scikit-learn
# does; of a node of its boosting, of a leaf in the text of LightGBM, of a float.
PACKED_NODE_BYTES, NODE_BYTES, HISTOGRAM_NODE_BYTES, LEAF_BYTES, FLOAT_BYTES = 4, 80, 58, 90, 8


@dataclass(frozen=True)
class Counted:
    """What a fitted classifier costs.

    Attributes
    ----------
    ns_per_row : float
        Nanoseconds of one core for each of many rows.
    bytes : float
        In a file.
    """

    ns_per_row: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.ns_per_row + other.ns_per_row, self.bytes + other.bytes)


def counted(model: Any) -> Counted:
    """Count what a fitted classifier costs; what is not known, as the classes of others, counts nothing.

    Parameters
    ----------
    model : fitted classifier
        Also a Pipeline, of which the last step counts, or a classifier around others.

    Returns
    -------
    cost : Counted

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skauto.estimators.footprints._counted import counted
    >>> X, y = load_iris(return_X_y=True)
    >>> counted(KNeighborsClassifier(algorithm="brute").fit(X, y)).ns_per_row  # 150 rows of 4 columns
    360.0
    >>> small, large = (counted(RandomForestClassifier(n, random_state=0).fit(X, y)) for n in (10, 100))
    >>> 8 < large.ns_per_row / small.ns_per_row < 12
    True
    """
    for base in type(model).__mro__:
        count = COUNTS.get(f"{base.__module__.partition('.')[0]}.{base.__name__}")
        if count is not None:
            return count(model)
    return _of_parts(model)


def _of_parts(model: Any) -> Counted:
    """The sum over what a classifier asks: the last step of a pipeline, a wrapped estimator, members."""
    if hasattr(model, "steps"):
        return counted(model.steps[-1][1])
    for name in ("calibrated_classifiers_", "estimators_"):
        parts = getattr(model, name, None)
        if parts is not None:
            parts = parts.ravel() if isinstance(parts, np.ndarray) else parts
            return sum(map(counted, parts), Counted())
    inner = getattr(model, "estimator_", None) or (None if hasattr(model, "fit") else getattr(model, "estimator", None))
    return Counted() if inner is None else counted(inner)


def _paths(leaves: Any) -> float:
    """Steps that a row goes in all trees: a tree of n leaves has paths of some log2(n) + 1 nodes."""
    return float(np.sum(np.log2(np.maximum(leaves, 1)) + 1))


def _forest(model: Any) -> Counted:
    nodes = np.array([tree.tree_.node_count for tree in model.estimators_])
    of_node = PACKED_NODE_BYTES if hasattr(model, "hold_packed") else NODE_BYTES
    return Counted(STEP_NS * _paths((nodes + 1) / 2), of_node * float(nodes.sum()))


def _tree(model: Any) -> Counted:
    nodes = model.tree_.node_count
    return Counted(STEP_NS * _paths((nodes + 1) / 2), NODE_BYTES * float(nodes))


def _histograms(model: Any) -> Counted:
    nodes = np.array([len(tree.nodes) for trees in model._predictors for tree in trees])
    return Counted(STEP_NS * _paths((nodes + 1) / 2), HISTOGRAM_NODE_BYTES * float(nodes.sum()))


def _lightgbm(model: Any) -> Counted:
    trees = model.booster_.num_trees()
    leaves = model.get_params()["num_leaves"]
    return Counted(STEP_NS * trees * (np.log2(leaves) + 1), LEAF_BYTES * trees * leaves)


def _catboost(model: Any) -> Counted:
    trees, depth = model.model_.tree_count_, model.max_depth
    values = 1 if len(model.classes_) == 2 else len(model.classes_)
    return Counted(LEVEL_NS * trees * depth, FLOAT_BYTES * trees * (depth + values * 2.0**depth))


def _support_vectors(model: Any) -> Counted:
    rows, columns = model.support_vectors_.shape
    return Counted(rows * (columns * COORDINATE_NS + KERNEL_NS), FLOAT_BYTES * rows * columns)


def _neighbors(model: Any) -> Counted:
    rows, columns = model._fit_X.shape
    if model._fit_method == "brute":
        return Counted(rows * columns * COORDINATE_NS, FLOAT_BYTES * rows * columns)
    # A tree has a copy of the rows, and looks at some leaves of thirty rows for each level.
    asked = min(rows, 30 * model.n_neighbors * np.log2(rows + 1))
    return Counted(asked * columns * COORDINATE_NS, 2 * FLOAT_BYTES * rows * columns)


def _linear(model: Any) -> Counted:
    return Counted(PRODUCT_NS * model.coef_.size, FLOAT_BYTES * model.coef_.size)


def _bayes(model: Any) -> Counted:
    return Counted(5 * COORDINATE_NS * model.theta_.size, 2 * FLOAT_BYTES * model.theta_.size)


def _network(model: Any) -> Counted:
    weights = sum(weight.numel() for weight in model.module_.parameters())
    return Counted(PRODUCT_NS * weights, FLOAT_BYTES / 2 * weights)


# By the package and the name of a class or of one that it is derived from: importing these here would take seconds.
COUNTS: dict[str, Callable[[Any], Counted]] = {
    "sklearn.ForestClassifier": _forest,
    "sklearn.BaseDecisionTree": _tree,
    "sklearn.HistGradientBoostingClassifier": _histograms,
    "lightgbm.LGBMClassifier": _lightgbm,
    "sklearn.BaseSVC": _support_vectors,
    "sklearn.KNeighborsClassifier": _neighbors,
    "sklearn.LinearClassifierMixin": _linear,
    "sklearn.GaussianNB": _bayes,
    "skauto.MLPClassifier": _network,
    "skauto.CatBoostTableClassifier": _catboost,
}
