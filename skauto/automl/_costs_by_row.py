"""What mistakes cost in AutoClassifier: a matrix, one for each row, or numbers and columns of X by kind of mistake."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from skauto.inputs._closest import did_you_mean
from skauto.inputs._types import Label, Rows
from skauto.resample._costs import checked_costs
from skauto.resample._decision_rule import DecisionRule

# Kinds of mistakes of two classes: whether the positive class is true, and whether it is predicted.
WORDS = {
    "false_negative": (True, False),
    "false_positive": (False, True),
    "true_positive": (True, True),
    "true_negative": (False, False),
}
FORM = (
    "a dict holds 'false_negative' and 'false_positive' of two classes (and 'true_positive', 'true_negative'), or a "
    "pair (true label, predicted label) for each mistake, and each value is a number or the name of a column of X"
)


def read_costs(
    cost_matrix: Any, X: Rows, classes: np.ndarray, pos_label: Label | None
) -> np.ndarray | None:
    """Costs as numbers, None for None.

    Parameters
    ----------
    cost_matrix : array-like of shape (n_classes, n_classes) or (n, n_classes, n_classes), DataFrame, dict or None
        A dict is as `FORM` says.
    X : DataFrame, array or sparse matrix of n rows
        As read: the columns that a dict names are looked up in it.
    classes : ndarray of shape (n_classes,)
    pos_label : label or None
        The positive class of two.

    Returns
    -------
    costs : ndarray of shape (n_classes, n_classes) or (n, n_classes, n_classes), or None

    Raises
    ------
    ValueError
        For another shape, a mistake without a cost, and a column that is missing or holds something else than numbers.
    """
    if cost_matrix is None:
        return None
    if not isinstance(cost_matrix, dict):
        return checked_costs(cost_matrix, classes, X.shape[0])
    by_row = any(isinstance(value, str) for value in cost_matrix.values())
    n_rows = X.shape[0] if by_row else 1
    costs = np.full((n_rows, len(classes), len(classes)), np.nan)
    costs[:, np.arange(len(classes)), np.arange(len(classes))] = 0.0
    # A right prediction costs nothing unless it is said; each mistake must be named.
    known = np.eye(len(classes), dtype=bool)
    for key, value in cost_matrix.items():
        true, predicted = _cell(key, classes, pos_label)
        costs[:, true, predicted] = _amounts(value, X)
        known[true, predicted] = True
    if not known.all():
        mistake = tuple(classes[place].item() for place in np.argwhere(~known)[0])
        raise ValueError(
            f"cost_matrix={cost_matrix!r} has no cost of {mistake} (true, predicted): {FORM}"
        )
    return checked_costs(costs if by_row else costs[0], classes, n_rows)


def costs_for(
    X: Rows, given: Any, rule: DecisionRule, by_column: dict[Any, Any] | None = None
) -> np.ndarray | None:
    """The costs by which a fitted rule decides on rows, None where it decides by thresholds.

    Parameters
    ----------
    X : as read
    given : array-like of shape (n_classes, n_classes) or (n, n_classes, n_classes), DataFrame, dict or None
        Costs of these rows. None: read from their columns where fit read them from columns, else those of the rule.
    rule : DecisionRule
        With the mean costs of fit.
    by_column : dict, default=None
        What fit read the costs from.
    """
    if rule.costs is None:
        if given is not None:
            raise ValueError(
                "cost_matrix is given, but the fit had none: AutoClassifier(cost_matrix=...) or fit takes one"
            )
        return None
    given = by_column if given is None else given
    if given is None:
        return rule.costs
    return read_costs(given, X, rule.classes, rule.pos_label)


def _cell(key: Any, classes: np.ndarray, pos_label: Label | None) -> tuple[int, int]:
    """The places of the true and of the predicted class that a key of a dict means."""
    labels = classes.tolist()
    if key in WORDS and len(labels) == 2:
        positive = labels.index(pos_label)
        true, predicted = WORDS[key]
        places = {True: positive, False: 1 - positive}
        return places[true], places[predicted]
    is_pair = isinstance(key, tuple) and len(key) == 2
    if is_pair and set(key) <= set(labels):
        return labels.index(key[0]), labels.index(key[1])
    raise ValueError(
        f"cost_matrix has the key {key!r}, but the classes are {labels}: {FORM}"
    )


def _amounts(value: object, X: Rows) -> Any:
    """A number, or those of a column."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError(f"cost_matrix has the value {value!r}: {FORM}")
    if not isinstance(X, pd.DataFrame):
        raise ValueError(
            f"cost_matrix names the column {value!r}, but X has no column names: give a DataFrame"
        )
    if value not in X.columns:
        hint = did_you_mean(value, X.columns) or f"; it has {', '.join(X.columns[:10])}"
        raise ValueError(
            f"cost_matrix names the column {value!r}, which X has not{hint}"
        )
    try:
        numbers = pd.to_numeric(X[value]).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"cost_matrix names the column {value!r} of X, which does not hold numbers: {error}"
        ) from error
    missing = np.flatnonzero(~np.isfinite(numbers))
    if len(missing):
        raise ValueError(
            f"cost_matrix names the column {value!r} of X, which is missing or infinite in {len(missing)} rows, the "
            f"first is {missing[0]}: fill it, since every row needs its cost"
        )
    return numbers
