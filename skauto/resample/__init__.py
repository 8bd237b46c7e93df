"""Everything about class imbalance: samplers, costs, thresholds, priors."""

import importlib

_HOME = {
    "ADASYN": "_smote_variants",
    "BalancedBaggingClassifier": "_balanced_bagging",
    "BorderlineSMOTE": "_smote_variants",
    "ClassBalanceDisplay": "_displays",
    "CostCurveDisplay": "_displays",
    "CostSensitiveClassifier": "_cost_sensitive",
    "ECOD": "_outlier_scores",
    "EasyEnsembleClassifier": "_easy_ensemble",
    "EditedNearestNeighbours": "_cleaning",
    "FocalLoss": "_losses",
    "FocalLossClassifier": "_losses",
    "KMeansSMOTE": "_smote_variants",
    "MulticlassThresholdClassifierCV": "_multiclass_threshold",
    "NearMiss": "_near_miss",
    "OutlierScoreTransformer": "_outlier_scores",
    "PriorCorrectedClassifier": "_priors",
    "RUSBoostClassifier": "_rusboost",
    "RandomOverSampler": "_random_samplers",
    "RandomUnderSampler": "_random_samplers",
    "ResamplingClassifier": "_resampling_classifier",
    "ResamplingWarning": "_targets",
    "SMOTE": "_smote",
    "SMOTEENN": "_combined",
    "SMOTETomek": "_combined",
    "SVMSMOTE": "_smote_variants",
    "ThresholdCurveDisplay": "_displays",
    "TomekLinks": "_cleaning",
    "class_balanced_weights": "_losses",
    "class_priors": "_priors",
    "constrained_score": "_constrained_goal",
    "correct_priors": "_priors",
    "expected_cost_score": "_costs",
    "geometric_mean_score": "_geometric_mean",
    "imbalance_search_space": "_search_space",
    "make_cost_scorer": "_costs",
    "savings_score": "_costs",
    "total_cost_score": "_costs",
}
__all__ = [*_HOME]


def __getattr__(name):
    """Load a public name from the file that defines it, on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__():
    return __all__
