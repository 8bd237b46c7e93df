"""Search over any scikit-learn Pipeline: the strategies, and what they search."""

from importlib import import_module

# public name -> the file that defines it; loaded on first use
NAMES = {
    "Bayes": "strategies._bayes",
    "Genetic": "strategies._genetic",
    "Grid": "strategies._grid",
    "Halving": "strategies._halving",
    "Random": "strategies._random",
    "Space": "_space",
    "Strategy": "strategies._base",
    "WarmStart": "strategies._warm_start",
}

__all__ = sorted(NAMES)


def __getattr__(name):
    """Load a public name from the file that defines it, on first use (PEP 562)."""
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{NAMES[name]}"), name)


def __dir__():
    return __all__
