"""The small real data set that comes with skauto, for the demo, the docs and the tests."""

from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.utils import Bunch

TARGET = "purchase"


@overload
def load_online_shoppers(*, return_X_y: Literal[True]) -> "tuple[pd.DataFrame, pd.Series]": ...


@overload
def load_online_shoppers(*, return_X_y: Literal[False] = False) -> "Bunch": ...


def load_online_shoppers(*, return_X_y: bool = False) -> Any:
    """Load Online Shoppers Purchasing Intention: 12,330 visits to a web shop, 15.5 % of which end in a purchase.

    The columns are of mixed types: counts and durations, rates, month and type of visitor as strings, four integer
    codes, one bool.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : Bunch
        With ``data`` (DataFrame of shape (12330, 17)), ``target`` (bool Series of shape (12330,), True for a
        purchase), ``frame`` (both together), ``feature_names``, ``target_names`` and ``DESCR`` (source and licence).
    (data, target) : tuple if ``return_X_y`` is True

    References
    ----------
    Sakar, Polat, Katircioglu, Kastro: Real-time prediction of online shoppers' purchasing intention using multilayer
    perceptron and LSTM recurrent neural networks. Neural Computing and Applications 31 (2019). Data: UCI Machine
    Learning Repository, doi 10.24432/C5F88Q, CC BY 4.0.

    Examples
    --------
    >>> from skauto import load_online_shoppers
    >>> X, y = load_online_shoppers(return_X_y=True)
    >>> X.shape, int(y.sum())
    ((12330, 17), 1908)
    """
    import pandas as pd

    folder = resources.files("skauto") / "data"
    with (folder / "online_shoppers.csv.gz").open("rb") as file:
        frame = pd.read_csv(file, compression="gzip").rename(columns={"target": TARGET})
    frame[TARGET] = frame[TARGET].astype(bool)
    data, target = frame.drop(columns=TARGET), frame[TARGET]
    if return_X_y:
        return data, target
    return _bunch(data, target, frame, (folder / "online_shoppers.txt").read_text(encoding="utf-8"))


def _bunch(data, target, frame, description):
    from sklearn.utils import Bunch

    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=list(data.columns),
        target_names=[TARGET],
        DESCR=description,
    )
