"""Estimators for tables, images and sequences, and their ensembles."""

from importlib import import_module

# public name -> the file that defines it; loaded on first use, so that torch stays out until it is needed
NAMES = {
    "Binarize": "compression._binarize",
    "CNNClassifier": "_cnn",
    "CompressedClassifier": "compression._classifier",
    "DamagedModelError": "compression._packed",
    "Distill": "compression._distill",
    "GradCAMDisplay": "_gradcam",
    "LowRank": "compression._lowrank",
    "MLPClassifier": "_mlp",
    "MinGRUClassifier": "_recurrent",
    "MinLSTMClassifier": "_recurrent",
    "MiniRocketTransformer": "_minirocket",
    "SequenceSummaryTransformer": "_sequence_summary",
    "Prune": "compression._prune",
    "Quantize": "compression._quantize",
    "footprint": "_footprint",
    "grad_cam": "_gradcam",
}

__all__ = sorted(NAMES)


def __getattr__(name):
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{NAMES[name]}"), name)


def __dir__():
    return __all__
