"""What an ensemble is distilled into, and the rows that it is asked about."""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skauto.automl._data_profile import DataProfile
from skauto.automl._types import Estimator
from skauto.automl.tables import _preparation as prepare
from skauto.estimators.tables._table_cleaner import TableCleaner
from skauto.inputs._types import Table

# The part of cells of a drawn row that is another row's.
SWAPPED = 0.3

# Leaves of a tree of the students, most rounds, and what rounds times learning rate should be.
LEAVES, ROUNDS, SHRUNK_ROUNDS = (31, 12), 250, 14.0

# Bytes of a leaf in a file, somewhat too many, and what is left for all but the trees.
LEAF_BYTES, OTHER_BYTES = 110, 40_000


def students_of(
    X: Table, n_classes: int, max_bytes: int, seed: int
) -> dict[str, Pipeline]:
    """Unfitted students by name: trees as many as the bytes allow.

    Parameters
    ----------
    X : as in `distilled`
    n_classes, max_bytes, seed : int
    """
    # Loads a package, which importing this must not.
    from lightgbm import LGBMClassifier

    profile = DataProfile(
        n_rows=len(X),
        n_columns=X.shape[1],
        n_classes=n_classes,
        sparse=False,
        threads=1,
        early_stopping=False,
    )
    outputs = 1 if n_classes == 2 else n_classes
    most_leaves = max(max_bytes - OTHER_BYTES, 0) / LEAF_BYTES
    students = {}
    for leaves in LEAVES:
        rounds = int(min(most_leaves / (leaves * outputs), ROUNDS))
        trees = LGBMClassifier(
            n_estimators=max(rounds, 1),
            learning_rate=float(np.clip(SHRUNK_ROUNDS / max(rounds, 1), 0.05, 0.3)),
            num_leaves=leaves,
            colsample_bytree=0.7,
            subsample=0.8,
            subsample_freq=1,
            deterministic=True,
            force_row_wise=True,
            verbose=-1,
            n_jobs=1,
            random_state=seed,
        )
        students[f"trees of {leaves} leaves"] = _pipeline(
            prepare.named({"features": prepare.PLAIN_FEATURES}, profile), trees
        )
    return students


def _pipeline(preparation: Estimator, classifier: Estimator) -> Pipeline:
    return Pipeline(
        [
            ("clean", TableCleaner()),
            ("prepare", preparation or FunctionTransformer()),
            ("classify", classifier),
        ]
    )


def drawn(X: Table, n: int, rng: np.random.Generator) -> Table:
    """Rows like those of a table: each is one of them, with a part of its cells from others, drawn at random.

    Parameters
    ----------
    X : DataFrame or array of shape (n_rows, n_features)
    n : int
        How many to draw.
    rng : numpy.random.Generator
    """
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
    base = rng.integers(len(frame), size=n)
    columns = {}
    for name in frame.columns:
        swapped = rng.random(n) < SWAPPED
        rows = np.where(swapped, rng.integers(len(frame), size=n), base)
        columns[name] = frame[name].array.take(rows)
    table = pd.DataFrame(columns)
    return table if isinstance(X, pd.DataFrame) else table.to_numpy()
