"""scikit-learn's own checks on every classifier and transformer of skauto.resample that has none beside its tests."""

import pytest
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto import resample

BASE = LogisticRegression()
FEW = {"n_estimators": 3, "random_state": 0}
WEIGHTS = ["check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"]
DRAWN = dict.fromkeys(WEIGHTS, "rows are drawn by number; near on average over seeds, see test_weights_on_average")
FOLDED = dict.fromkeys(
    WEIGHTS, "folds are split by number of rows; near over their orders, see test_weights_on_average"
)
OUT_OF_FOLD = dict.fromkeys(
    ["check_transformer_general", "check_transformer_data_not_an_array"],
    "training rows are scored by detectors that have not seen them, so fit_transform is not transform after fit",
)
WEIGHED = {"check_classifiers_train": "predict is the largest weighted probability, not the largest one"}
BINS = dict.fromkeys(WEIGHTS, "LightGBM's bins count rows, not weights")

ESTIMATORS = [
    (resample.ECOD(), {}),
    (resample.OutlierScoreTransformer("ecod", random_state=0), OUT_OF_FOLD),
    # rows of these checks are too few to tune on; a weight is a repeated row there too: test_multiclass_threshold
    (resample.MulticlassThresholdClassifierCV(BASE, cv=2), WEIGHED),
    (resample.CostSensitiveClassifier(BASE), FOLDED),
    (resample.CostSensitiveClassifier(BASE, method="metacost", **FEW), DRAWN),
    (resample.CostSensitiveClassifier(BASE, method="rejection_sampling", **FEW), DRAWN),
    (resample.BalancedBaggingClassifier(**FEW), DRAWN),
    (resample.BalancedBaggingClassifier(BASE, **FEW), DRAWN),
    (resample.EasyEnsembleClassifier(BASE, **FEW), DRAWN),
    (resample.RUSBoostClassifier(**FEW), DRAWN),
    (resample.ResamplingClassifier(BASE, resample.RandomOverSampler(random_state=0)), DRAWN),
    (
        resample.FocalLossClassifier(LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1, min_child_samples=1)),
        BINS,
    ),
]


def expected(estimator):
    """The checks that cannot hold for one of the estimators, each with its reason."""
    return next(reasons for known, reasons in ESTIMATORS if repr(known) == repr(estimator))


@pytest.mark.lightgbm
@pytest.mark.filterwarnings("ignore:Converting data to scipy sparse matrix:UserWarning:lightgbm")
@parametrize_with_checks([known for known, _ in ESTIMATORS], expected_failed_checks=expected)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [resample.OutlierScoreTransformer(name, random_state=0) for name in ("isolation_forest", "lof")],
    expected_failed_checks=lambda estimator: OUT_OF_FOLD,
)
def test_scikit_learn_checks_with_slow_detectors(estimator, check):
    check(estimator)
