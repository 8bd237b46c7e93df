"""The pool of configurations that the portfolio is learnt from: hand-set ones, those of the literature, random ones."""

import numpy as np

# Values that the literature found good, in LightGBM's names: AutoGluon's zero-shot portfolios of 2025, the tuned
# defaults of pytabkit (Holzmüller et al. 2024), and what lies between.
LIGHTGBM = [
    {"learning_rate": 0.2, "num_leaves": 12, "min_child_samples": 20, "colsample_bytree": 0.9},
    {},
    {"learning_rate": 0.05, "num_leaves": 8, "min_child_samples": 10, "colsample_bytree": 0.6},
    {"learning_rate": 0.06, "num_leaves": 48, "min_child_samples": 30, "reg_lambda": 5.0},
    {"learning_rate": 0.04, "num_leaves": 50, "min_child_samples": 40, "subsample": 0.75, "colsample_bytree": 1.0,
     "reg_lambda": 0.01},
    {"extra_trees": True, "learning_rate": 0.04, "num_leaves": 39, "min_child_samples": 3, "colsample_bytree": 0.46,
     "subsample": 0.88, "reg_lambda": 0.4},
    {"extra_trees": True, "learning_rate": 0.04, "num_leaves": 64, "min_child_samples": 28, "colsample_bytree": 0.55,
     "subsample": 0.99, "reg_alpha": 0.9, "reg_lambda": 1.9},
    {"extra_trees": True, "learning_rate": 0.04, "num_leaves": 180, "min_child_samples": 12, "colsample_bytree": 0.4,
     "subsample": 0.95, "reg_alpha": 0.8, "reg_lambda": 1.6},
    {"learning_rate": 0.03, "num_leaves": 84, "min_child_samples": 3, "colsample_bytree": 0.53, "subsample": 0.98,
     "reg_lambda": 0.84},
    {"extra_trees": True, "learning_rate": 0.05, "num_leaves": 5, "min_child_samples": 5, "colsample_bytree": 0.5},
    {"learning_rate": 0.03, "num_leaves": 8, "min_child_samples": 10, "colsample_bytree": 0.94},
    {"learning_rate": 0.08, "num_leaves": 2, "min_child_samples": 5, "colsample_bytree": 0.8},
    {"learning_rate": 0.04, "num_leaves": 16, "min_child_samples": 1, "colsample_bytree": 0.58},
    {"learning_rate": 0.05, "num_leaves": 31, "min_child_samples": 10, "path_smooth": 10.0},
    {"learning_rate": 0.05, "num_leaves": 16, "min_child_samples": 10, "max_bin": 63},
    {"extra_trees": True, "learning_rate": 0.1, "num_leaves": 16, "min_child_samples": 5, "colsample_bytree": 0.9},
    {"learning_rate": 0.05, "num_leaves": 12, "min_child_samples": 5, "colsample_bytree": 0.3, "subsample": 0.6},
    {"learning_rate": 0.05, "num_leaves": 8, "min_child_samples": 10, "class_weight": "balanced"},
    {"features": "crossed"},
    {"features": "crossed", "extra_trees": True, "learning_rate": 0.04, "num_leaves": 64, "min_child_samples": 28,
     "colsample_bytree": 0.55, "subsample": 0.99, "reg_alpha": 0.9, "reg_lambda": 1.9},
    {"features": "crossed", "learning_rate": 0.05, "num_leaves": 8, "min_child_samples": 15, "colsample_bytree": 0.42},
    {"features": "crossed", "learning_rate": 0.04, "num_leaves": 16, "min_child_samples": 1, "colsample_bytree": 0.58},
    {"linear_tree": True, "learning_rate": 0.05, "num_leaves": 8, "min_child_samples": 20, "reg_lambda": 1.0,
     "linear_lambda": 1.0},
]  # fmt: skip

FORESTS = [
    {},
    {"min_samples_leaf": 1, "criterion": "gini"},
    {"max_features": 0.4, "min_samples_leaf": 1, "criterion": "gini"},
    {"max_features": 0.75, "min_samples_leaf": 1},
    {"max_features": 1.0, "min_samples_leaf": 4},
    {"max_features": "sqrt", "min_samples_leaf": 5},
]

LOGISTIC = [
    {},
    {"C": 0.1, "splines": 8, "scaler": "quantile"},
    {"C": 5.0, "scaler": "quantile"},
    {"C": 0.03, "encode": "target"},
    {"C": 1.0, "splines": 4, "encode": "target"},
]

SVM = [
    {},
    {"C": 10.0, "gamma": 0.3},
    {"C": 3.0, "gamma": 1.0, "scaler": "quantile"},
    {"C": 30.0, "gamma": 0.1, "scaler": "quantile"},
    {"C": 0.3, "gamma": "scale", "encode": "target"},
]

HIST_BOOSTING = [
    {},
    {"learning_rate": 0.05, "max_iter": 160, "max_leaf_nodes": 8, "min_samples_leaf": 5},
    {"learning_rate": 0.1, "max_iter": 100, "max_leaf_nodes": 31, "l2_regularization": 5.0, "max_features": 0.4},
]

MLP = [
    {},
    {"hidden_size": 128, "n_layers": 2, "lr": 0.01, "dropout": 0.15},
    {"hidden_size": 128, "n_layers": 3, "lr": 0.006, "dropout": 0.3},
    {"hidden_size": 32, "n_layers": 1, "lr": 0.02, "encode": "target"},
]

KNN = [{}, {"n_neighbors": 5, "scaler": "standard"}, {"n_neighbors": 50, "weights": "uniform", "p": 2}]

NAIVE_BAYES = [{}]

CATBOOST = [
    {},
    {"n_estimators": 500, "learning_rate": 0.05, "max_depth": 6},
    {"n_estimators": 200, "learning_rate": 0.1, "max_depth": 4},
    {"n_estimators": 500, "learning_rate": 0.08, "max_depth": 7, "l2_leaf_reg": 0.1, "one_hot_max_size": 25},
    {"n_estimators": 100, "learning_rate": 0.2, "max_depth": 6, "l2_leaf_reg": 2.15},
    {"n_estimators": 300, "learning_rate": 0.0475, "max_depth": 4, "l2_leaf_reg": 0.1},
]

POOL = {
    "catboost": CATBOOST,
    "lightgbm": LIGHTGBM,
    "extra_trees": FORESTS,
    "random_forest": FORESTS,
    "logistic": LOGISTIC,
    "svm": SVM,
    "hist_boosting": HIST_BOOSTING,
    "mlp": MLP,
    "knn": KNN,
    "naive_bayes": NAIVE_BAYES,
}

# Random configurations of each candidate that follow those above, drawn from its space.
RANDOM = {"lightgbm": 6, "extra_trees": 2, "random_forest": 1, "logistic": 2, "svm": 2, "mlp": 2, "hist_boosting": 1}


def configurations(candidates):
    """Name and values of each configuration, in the order in which they are measured: the first of each kind first.

    Parameters
    ----------
    candidates : dict of str to Candidate
        Built-in ones, whose defaults fill what a configuration leaves out.
    """
    ranked = []
    for name, candidate in candidates.items():
        known = [{**candidate.defaults, **values} for values in POOL.get(name, [{}])]
        rng = np.random.default_rng(7)
        for _ in range(RANDOM.get(name, 0)):
            known.append({key: _draw(values, rng) for key, values in candidate.branches()[0].items()})
        count = len(known)
        for number, values in enumerate(known):
            ranked.append((number / count if number else -1.0, name, number, values))
    ranked.sort(key=lambda entry: entry[:3])
    return [
        (f"{name}-{number}", {"candidate": name, "imbalance": "none", **values}) for _, name, number, values in ranked
    ]


def _draw(values, rng):
    """A value of a list or a distribution."""
    if isinstance(values, list):
        return values[rng.integers(len(values))]
    drawn = values.rvs(random_state=rng)
    return int(drawn) if hasattr(values.dist, "pmf") else float(drawn)
