"""Estimators for tables, images and sequences, and their ensembles."""

from importlib import import_module

# public name -> the file that defines it; loaded on first use, so that torch stays out until it is needed
NAMES = {
    "Binarize": "compression.steps._binarize",
    "CNNClassifier": "images._cnn",
    "CompressedClassifier": "compression._classifier",
    "DamagedModelError": "compression.storage._packed",
    "Distill": "compression.steps._distill",
    "GradCAMDisplay": "images._gradcam",
    "LowRank": "compression.steps._lowrank",
    "MLPClassifier": "tables._mlp",
    "MinGRUClassifier": "sequences._recurrent",
    "MinLSTMClassifier": "sequences._recurrent",
    "MiniRocketTransformer": "sequences._minirocket",
    "SequenceSummaryTransformer": "sequences._sequence_summary",
    "Prune": "compression.steps._prune",
    "Quantize": "compression.steps._quantize",
    "footprint": "footprints._footprint",
    "grad_cam": "images._gradcam",
}

__all__ = sorted(NAMES)


def __getattr__(name):
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{NAMES[name]}"), name)


def __dir__():
    return __all__
