"""Search over any scikit-learn Pipeline: the strategies, and what they search."""

from importlib import import_module
from typing import Any

# public name -> the file that defines it; loaded on first use
NAMES = {
    "Annealing": "strategies._annealing",
    "Ants": "strategies._ants",
    "Auto": "strategies._auto",
    "Bayes": "strategies._bayes",
    "GaussianProcess": "strategies._gaussian_process",
    "Genetic": "strategies._genetic",
    "Grid": "strategies._grid",
    "Halving": "strategies._halving",
    "History": "_history",
    "Hyperband": "strategies._hyperband",
    "PBT": "strategies._pbt",
    "Random": "strategies._random",
    "Reinforce": "strategies._reinforce",
    "Result": "_trial",
    "SearchCV": "_search_cv",
    "Space": "_space",
    "Strategy": "strategies._base",
    "Swarm": "strategies._swarm",
    "TPE": "strategies._tpe",
    "Trial": "_trial",
    "WarmStart": "strategies._warm_start",
    "bohb": "strategies._hyperband",
    "maximize": "_maximize",
}

__all__ = sorted(NAMES)


def __getattr__(name: str) -> Any:
    """Load a public name from the file that defines it, on first use (PEP 562)."""
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{NAMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
