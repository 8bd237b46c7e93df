"""Types that many signatures of the search share, by name."""

import os
from typing import Any, Literal, TypeAlias

import numpy as np

from skauto.search._trial import Result, Trial

# A configuration as plain JSON, {"branch": int, "values": {name: number}}: see `Space`.
Params: TypeAlias = dict[str, Any]

# A trial with its result, such pairs by fidelity, and a trial with its score on the scale of the highest fidelity.
Pair: TypeAlias = tuple[Trial, Result]
Levels: TypeAlias = dict[float, list[Pair]]
Scored: TypeAlias = tuple[Trial, float]

# scikit-learn has no types. An estimator has `fit`, `get_params` and `set_params`; data are an array, a sparse matrix,
# a list or a DataFrame.
Estimator: TypeAlias = Any
Data: TypeAlias = Any

# Row numbers to learn from and to validate on; and what came of a fold, see `score_fold`.
Fold: TypeAlias = tuple[np.ndarray, np.ndarray]
Record: TypeAlias = dict[str, Any]

# What happens to a step that leaves the range: see `bounded`.
Bounds: TypeAlias = Literal["clip", "reflect"]

RandomState: TypeAlias = int | np.random.RandomState | np.random.Generator | None
AnyPath: TypeAlias = str | os.PathLike[str]
