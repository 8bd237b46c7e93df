"""Names of types that many signatures share."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

# A checked table: numbers in an array, sparse ones in a CSR matrix, everything else in a frame.
Table: TypeAlias = pd.DataFrame | np.ndarray | sparse.csr_matrix

# The rows of any kind of data, checked: a table, or an array with more axes of sequences or images.
Rows: TypeAlias = Table

# What a user may hand in for them, which a reader is about to find out.
Given: TypeAlias = Any

# Names of the features, None where they came without.
Names: TypeAlias = list[str] | None

# A reader of one kind of data: what was handed in, checked, and the names of its features.
Reader: TypeAlias = Callable[[Given], tuple[Rows, Names]]

# A label as the user gave it: a string, a boolean or an integer.
Label: TypeAlias = str | bool | int | float | np.generic

# The seconds that are left.
Left: TypeAlias = Callable[[], float]
