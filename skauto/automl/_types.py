"""Names of types that many signatures of automl share."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

# A configuration: values of parameters by name, "candidate" and "imbalance" among them.
Values: TypeAlias = dict[str, Any]

# A part of a space: names of parameters with lists or distributions.
Branch: TypeAlias = dict[str, Any]

# An estimator of scikit-learn, which has no types; mostly a Pipeline.
Estimator: TypeAlias = Any

# Row numbers of a fold, to learn from and to validate on.
Pair: TypeAlias = tuple[np.ndarray, np.ndarray]

# A threshold on the probability of the positive class, or a weight of each class.
Threshold: TypeAlias = float | np.ndarray

# Measured costs of a model by name.
Footprint: TypeAlias = dict[str, float]

# What a score is of: predicted labels, probabilities, or what an estimator answers.
JudgedBy: TypeAlias = Literal["labels", "proba", "estimator"]

# Of codes, probabilities and weights or None: the score.
ProbaMetric: TypeAlias = Callable[..., float]

# Of confusion matrices (..., K, K): scores (...).
LabelsMetric: TypeAlias = Callable[[np.ndarray], Any]
