"""AutoML for scikit-learn pipelines.

The public names of this package are served lazily: `import skauto` alone loads none of the packages it stands on.
"""

import importlib

from skauto._version import __version__

# Public name -> the file that defines it.
_NAMES = {
    "AutoClassifier": "skauto.automl._classifier",
    "Candidate": "skauto.automl._candidate",
    "compress": "skauto._compress",
    "load_model": "skauto._persistence",
    "load_online_shoppers": "skauto._datasets",
    "save_model": "skauto._persistence",
}

__all__ = ["AutoClassifier", "Candidate", "__version__", "compress", "load_model", "load_online_shoppers", "save_model"]


def __getattr__(name):
    if name not in _NAMES:
        raise AttributeError(f"module 'skauto' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_NAMES[name]), name)


def __dir__():
    return sorted(__all__)
