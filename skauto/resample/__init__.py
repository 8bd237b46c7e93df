"""Everything about class imbalance: samplers, costs, thresholds, priors."""

import importlib

_HOME = {
    "PriorCorrectedClassifier": "_priors",
    "ResamplingClassifier": "_resampling_classifier",
    "class_priors": "_priors",
    "correct_priors": "_priors",
}
__all__ = sorted(_HOME)


def __getattr__(name):
    """Load a public name from the file that defines it, on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__():
    return __all__
