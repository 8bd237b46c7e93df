"""AutoClassifier and its best_estimator_ are scikit-learn's: clone, pickle, cross-validate, nest, check."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, fbeta_score, make_scorer, matthews_corrcoef, roc_auc_score
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils._test_common.instance_generator import PER_ESTIMATOR_XFAIL_CHECKS
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto import AutoClassifier
from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier
from tests.support.autos import EXPECTED_FAILURES, mixed_table, quick

TABLE, LABELS = mixed_table()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")
@parametrize_with_checks(
    [AutoClassifier(n_iter=2, time_limit=None, verbose=0)],
    expected_failed_checks=lambda auto: EXPECTED_FAILURES,
    xfail_strict=False,  # where the tuned threshold happens to lie near 0.5, the first one passes
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_scikit_learn_expects_the_same_of_its_own_threshold_estimators():
    assert EXPECTED_FAILURES.keys() == PER_ESTIMATOR_XFAIL_CHECKS[FixedThresholdClassifier].keys()
    assert EXPECTED_FAILURES.keys() > PER_ESTIMATOR_XFAIL_CHECKS[TunedThresholdClassifierCV].keys()


@pytest.fixture(scope="module")
def fitted():
    return quick(n_iter=3).fit(TABLE, LABELS)


def test_the_best_estimator_is_a_plain_pipeline(fitted):
    best = fitted.best_estimator_
    assert type(best) is Pipeline
    assert isinstance(best.steps[-1][1], FixedThresholdClassifier)
    assert best.steps[-1][1].pos_label == fitted.pos_label_
    again = clone(best).fit(TABLE, LABELS)
    np.testing.assert_array_equal(again.predict(TABLE), best.predict(TABLE))
    assert np.isfinite(cross_val_score(best, TABLE, LABELS, cv=3)).all()


def test_pickles(fitted):
    for model in (fitted, fitted.best_estimator_, fitted.ensemble_):
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict_proba(TABLE), model.predict_proba(TABLE))


def test_a_fresh_process_reads_what_joblib_wrote(fitted, tmp_path, project):
    joblib.dump((fitted.best_estimator_, TABLE), tmp_path / "model")
    script = "import joblib, sys; model, X = joblib.load(sys.argv[1]); sys.stdout.write(','.join(model.predict(X)))"
    ended = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "model"], cwd=project, capture_output=True, text=True, check=True
    )
    assert ended.stdout.split(",") == fitted.best_estimator_.predict(TABLE).tolist()


def test_the_ensemble_is_cut_at_the_threshold(fitted):
    positive = fitted.classes_.tolist().index(fitted.pos_label_)
    above = fitted.predict_proba(TABLE)[:, positive] >= fitted.threshold_
    np.testing.assert_array_equal(fitted.predict(TABLE) == fitted.pos_label_, above)
    np.testing.assert_array_equal(fitted.predict_proba(TABLE), fitted.ensemble_.predict_proba(TABLE))


def test_parameters_are_kept_as_given():
    auto = quick(candidates=("logistic",), cv=3)
    assert clone(auto).get_params() == auto.get_params()
    assert auto.set_params(n_iter=7).n_iter == 7


@pytest.mark.slow
@pytest.mark.lightgbm
def test_boosting_that_wins_is_plain_lightgbm_with_the_median_round():
    from lightgbm import LGBMClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = (X[:, 0] * X[:, 1] + rng.normal(0, 0.3, 400) > 0).astype(int)
    auto = quick(candidates=["lightgbm"], n_iter=1, ensemble=False).fit(X, y)
    last = auto.best_estimator_.steps[-1][1].estimator
    assert type(last) is LGBMClassifier
    assert 1 <= last.n_estimators < 200  # 40 over the learning rate of 0.2 is where it starts
    assert last.booster_.num_trees() == last.n_estimators
    assert len(auto.ensemble_.estimators_) == 1


@pytest.mark.slow
def test_many_classes():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=150)
    X = rng.normal(size=(150, 4)) + y[:, None]
    auto = quick().fit(X, y)
    assert isinstance(auto.best_estimator_.steps[-1][1], MulticlassFixedThresholdClassifier)
    assert auto.threshold_.shape == (3,)
    assert auto.pos_label_ is None
    expected = (auto.predict_proba(X) * auto.threshold_).argmax(axis=1)
    np.testing.assert_array_equal(auto.predict(X), expected)


@pytest.mark.slow
def test_inside_scikit_learn():
    quiet = quick(n_iter=1, candidates=["logistic"])
    assert cross_val_score(quiet, TABLE, LABELS, cv=2).shape == (2,)
    nested = make_pipeline(FunctionTransformer(), quiet).fit(TABLE, LABELS)
    assert set(nested.predict(TABLE)) <= {"no", "yes"}
    calibrated = CalibratedClassifierCV(quiet, cv=2).fit(TABLE, LABELS)
    np.testing.assert_allclose(calibrated.predict_proba(TABLE).sum(axis=1), 1)
    numbers = TABLE[["a(b)"]]
    stacked = StackingClassifier([("auto", quiet)], LogisticRegression(), cv=2).fit(numbers, LABELS)
    assert stacked.predict(numbers).shape == (90,)


X200 = np.random.default_rng(0).normal(size=(200, 3))
Y200 = (X200[:, 0] + np.random.default_rng(1).normal(0, 0.5, 200) > 0.5).astype(int)
F2 = make_scorer(fbeta_score, beta=2)
EXPECTED_SCORES = {
    "roc_auc": lambda auto: roc_auc_score(Y200, auto.predict_proba(X200)[:, 1]),
    "average_precision": lambda auto: average_precision_score(Y200, auto.predict_proba(X200)[:, 1]),
    "matthews_corrcoef": lambda auto: matthews_corrcoef(Y200, auto.predict(X200)),
    "neg_log_loss": None,
    "f1_macro": None,
    "balanced_accuracy": None,
    F2: lambda auto: fbeta_score(Y200, auto.predict(X200), beta=2),
}


@pytest.mark.slow
@pytest.mark.parametrize("scoring", EXPECTED_SCORES, ids=lambda scoring: scoring if isinstance(scoring, str) else "F2")
def test_scorings(scoring):
    auto = quick(n_iter=1, scoring=scoring).fit(X200, Y200)
    assert np.isfinite(auto.best_score_)
    if expected := EXPECTED_SCORES[scoring]:
        assert auto.score(X200, Y200) == pytest.approx(expected(auto))


@pytest.mark.slow
def test_the_time_limit_is_kept():
    auto = quick(time_limit=15, n_iter=None, n_jobs=2, cv=3).fit(X200, Y200)
    assert auto.budget_.loc["total", "used"] <= 15 * 1.15
    assert auto.budget_.loc["total", "planned"] == 15
    assert (auto.leaderboard_["status"] == "complete").sum() >= 3


@pytest.mark.slow
def test_without_torch_one_line_says_what_is_left_out(project):
    script = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
def without_torch(name, path=None, target=None):
    return None if name.split(".")[0] in ("torch", "skorch") else find(name, path, target)
PathFinder.find_spec = without_torch
import numpy as np
from skauto import AutoClassifier
X = np.random.default_rng(0).normal(size=(60, 3))
auto = AutoClassifier(n_iter=1, time_limit=None, cv=2, n_jobs=1, candidates=["naive_bayes", "mlp"])
sys.stdout.write(str(auto.fit(X, X[:, 0] > 0).predict(X).shape))
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    assert ended.stdout == "(60,)"
    said = [line for line in ended.stderr.splitlines() if "left out" in line]
    assert said == ["skauto mlp left out: `pip install 'skauto[deep]'` brings it"]
