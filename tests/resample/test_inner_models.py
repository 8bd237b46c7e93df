"""What is read inside a fitted classifier: fractions of the classes, through wrappers, and rules of decision."""

import warnings
from functools import partial

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from imblearn.under_sampling import RandomUnderSampler, TomekLinks
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto import resample
from skauto.resample._inner_models import counts_after, rule_within, trained_priors

PLAIN = LogisticRegression()
BALANCED = LogisticRegression(class_weight="balanced")
UNDER = RandomUnderSampler(random_state=0)


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(n_samples=3000, weights=[0.9], class_sep=0.5, random_state=0)
    return X, np.array(["no", "yes"])[y]


WRAPPED = {
    "bagging": BaggingClassifier(BALANCED, 5, random_state=0),
    "bags of honest ones": BaggingClassifier(resample.PriorCorrectedClassifier(BALANCED), 3, random_state=0),
    "fixed threshold": FixedThresholdClassifier(BALANCED),
    "tuned threshold": TunedThresholdClassifierCV(BALANCED, cv=2),
    "class weights tuned": resample.MulticlassThresholdClassifierCV(BALANCED, cv=2),
    "search": GridSearchCV(PLAIN, {"class_weight": ["balanced"]}, cv=2),
    "search of a pipeline": GridSearchCV(make_pipeline(StandardScaler(), BALANCED), {}, cv=2),
    "voting": VotingClassifier([("a", BALANCED), ("b", BALANCED)], voting="soft"),
    "stacking": StackingClassifier([("a", PLAIN)], BALANCED, cv=2),
    "under-sampling pipeline": make_sampling_pipeline(UNDER, PLAIN),
    "over-sampling pipeline": make_sampling_pipeline(RandomOverSampler(random_state=0), StandardScaler(), PLAIN),
    "balanced bagging": resample.BalancedBaggingClassifier(PLAIN, 5, prior_correction=False, random_state=0),
    "resampling": resample.ResamplingClassifier(PLAIN, UNDER, prior_correction=False),
    "weights in resampling": resample.ResamplingClassifier(BALANCED, prior_correction=False),
    "nothing left to correct": resample.ResamplingClassifier(BALANCED),
    "calibrated": CalibratedClassifierCV(BALANCED, cv=2),
}


OUTER = {
    "weights": resample.PriorCorrectedClassifier,
    "by the rule": partial(resample.ResamplingClassifier, prior_correction="bayes"),
    "calibrated": resample.ResamplingClassifier,  # as it is by default, where one of two classes is rare
}


@pytest.mark.filterwarnings("ignore:.*does not use the rule by which:UserWarning")
@pytest.mark.parametrize("outer", OUTER)
@pytest.mark.parametrize("name", WRAPPED)
def test_weights_and_samplers_inside_are_corrected(data, outer, name):
    X, y = data
    model = OUTER[outer](WRAPPED[name]).fit(X, y)
    unresampled = np.mean(y == "yes")
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(unresampled, abs=0.02)
    if outer == "calibrated":
        np.testing.assert_allclose(model.trained_priors_, model.original_priors_)
    elif name not in ("bags of honest ones", "nothing left to correct", "calibrated"):
        np.testing.assert_allclose(model.trained_priors_, [0.5, 0.5])


def test_rusboost_says_what_it_is_trained_on(data):
    X, y = data
    model = resample.RUSBoostClassifier(n_estimators=5, prior_correction=False, random_state=0).fit(X, y)
    np.testing.assert_allclose(trained_priors(model, y, model.classes_), [0.5, 0.5])


@pytest.mark.lightgbm
@pytest.mark.parametrize(
    "given",
    [
        {"is_unbalance": True},
        {"unbalance": True},
        {"unbalanced_sets": True},
        {"is_unbalance": True, "class_weight": {0: 1, 1: 2}},
        {"subsample_freq": 1, "neg_subsample": 0.25, "pos_sub_row": 1.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_what_lightgbm_balances_are_rows_not_weights(given, weighted):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, 20_000)
    y = (rng.random(len(x)) < np.array([0.05, 0.15, 0.3, 0.5])[x]).astype(int)
    weight = np.where(y == 1, 3.0, 1.0) if weighted else None
    booster, cells = {"verbose": -1, "n_jobs": 1, "n_estimators": 60, "random_state": 0}, np.arange(4.0)[:, None]
    truth = LGBMClassifier(**booster).fit(x[:, None], y, weight).predict_proba(cells)
    model = resample.PriorCorrectedClassifier(LGBMClassifier(**booster, **given)).fit(x[:, None], y, weight)
    np.testing.assert_allclose(model.predict_proba(cells), truth, atol=0.025)


def test_members_of_a_vote_are_averaged_by_their_say(data):
    X, y = data
    vote = VotingClassifier([("a", BALANCED), ("b", PLAIN)], voting="soft", weights=[3, 1]).fit(X, y)
    priors = trained_priors(vote, y, vote.classes_)
    assert priors[1] == pytest.approx(0.75 * 0.5 + 0.25 * np.mean(y == "yes"))


def test_bags_that_lack_a_class_do_not_count():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.repeat([3, 5, 7], [50, 9, 1])
    bags = BaggingClassifier(make_pipeline(StandardScaler(), BALANCED), 20, random_state=0).fit(X, y)
    assert {len(bag.classes_) for bag in bags.estimators_} == {2, 3}
    np.testing.assert_allclose(trained_priors(bags, y, bags.classes_), np.full(3, 1 / 3))


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (OneVsRestClassifier(BALANCED), "estimator__class_weight='balanced'"),
        (AdaBoostClassifier(BALANCED, n_estimators=2), "estimator__class_weight='balanced'"),
        (make_sampling_pipeline(TomekLinks(), PLAIN), r"TomekLinks\(\)"),
    ],
    ids=["one against the rest", "boosting", "cleaning"],
)
def test_what_cannot_be_read_is_named(data, model, named):
    X, y = data
    with pytest.warns(UserWarning, match=f"cannot read .* after {named}, .* put CalibratedClassifierCV around"):
        resample.PriorCorrectedClassifier(model).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resample.PriorCorrectedClassifier(CalibratedClassifierCV(model, cv=2)).fit(X, y)
        resample.PriorCorrectedClassifier(model, trained_priors=[1, 2]).fit(X, y)
        resample.ResamplingClassifier(model, prior_correction=False).fit(X, y)


def test_rows_left_by_a_sampler_are_told_in_advance():
    classes, counts = np.array(["a", "b", "c"]), np.array([100, 20, 10])
    assert counts_after(UNDER, classes, counts).tolist() == [10, 10, 10]
    assert counts_after(resample.SMOTE(sampling_strategy=0.5), classes, counts).tolist() == [100, 50, 50]
    assert counts_after(resample.RandomUnderSampler(sampling_strategy={"a": 30}), classes, counts).tolist() == [
        30,
        20,
        10,
    ]
    assert counts_after(TomekLinks(), classes, counts) is None
    assert counts_after(None, classes, counts) is None


RULES = {
    "tuned threshold": TunedThresholdClassifierCV(PLAIN, scoring="f1_macro", cv=3),
    "fixed threshold": FixedThresholdClassifier(PLAIN, threshold=0.2, pos_label="yes"),
    "costs": resample.CostSensitiveClassifier(PLAIN, [[0, 1], [9, 0]]),
    "class weights tuned": resample.MulticlassThresholdClassifierCV(PLAIN, "f1_macro", cv=3, random_state=0),
    "in a pipeline": make_pipeline(StandardScaler(), FixedThresholdClassifier(PLAIN, threshold=0.2, pos_label="yes")),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_inside_decides_where_no_probabilities_are_moved(data, name):
    X, y = data
    inner = RULES[name].fit(X, y)
    assert rule_within(inner) is not None
    expected = inner.predict(X)
    assert (expected != inner.classes_[inner.predict_proba(X).argmax(axis=1)]).any()
    for outer in (
        resample.ResamplingClassifier(inner),
        resample.ResamplingClassifier(inner, UNDER, prior_correction=False),
        resample.PriorCorrectedClassifier(inner),
    ):
        sampled = getattr(outer, "sampler", None) is not None
        answer = outer.fit(X, y).predict(X)
        np.testing.assert_array_equal(answer, outer.estimator_.predict(X) if sampled else expected)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_is_not_used_is_named(data, name):
    X, y = data
    rule = "FixedThresholdClassifier" if name == "in a pipeline" else type(RULES[name]).__name__
    for outer in (
        resample.ResamplingClassifier(RULES[name], UNDER, decision="unresampled"),
        resample.ResamplingClassifier(RULES[name], UNDER, prior_correction="bayes", decision="unresampled"),
        resample.BalancedBaggingClassifier(RULES[name], 2, decision="unresampled", random_state=0),
    ):
        with pytest.warns(UserWarning, match=rf"rule by which {rule} decides.*outside, {rule}\({type(outer).__name__}"):
            model = outer.fit(X, y)
        np.testing.assert_array_equal(model.predict(X), model.classes_[model.predict_proba(X).argmax(axis=1)])


@pytest.mark.parametrize("name", RULES)
def test_a_rule_inside_decides_on_resampled_rows_without_a_warning(data, name):
    X, y = data
    for outer in (
        resample.ResamplingClassifier(RULES[name], UNDER),
        resample.ResamplingClassifier(RULES[name], UNDER, prior_correction="bayes"),
        resample.BalancedBaggingClassifier(RULES[name], 1, bootstrap=False, sampler=UNDER, random_state=0),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = outer.fit(X, y)
        np.testing.assert_array_equal(model.predict(X), model.estimator_.predict(X))


def test_bags_with_a_rule_vote_where_no_probabilities_are_moved(data):
    X, y = data
    bags = resample.BalancedBaggingClassifier(
        FixedThresholdClassifier(PLAIN, threshold=0.8, pos_label="yes"), 3, prior_correction=False, random_state=0
    ).fit(X, y)
    votes = np.mean([bag.predict(X) == "yes" for bag in bags.estimators_], axis=0)
    np.testing.assert_array_equal(bags.predict(X) == "yes", votes > 0.5)


@pytest.mark.parametrize("method", ["reweight", "metacost"])
def test_costs_learned_in_fit_are_no_rule(data, method):
    X, y = data
    model = resample.CostSensitiveClassifier(PLAIN, [[0, 1], [9, 0]], method, n_estimators=2, random_state=0).fit(X, y)
    assert rule_within(model) is None


def test_dropped_members_and_codes_inside_are_read(data):
    X, y = data
    dropped = VotingClassifier([("a", BALANCED), ("b", "drop"), ("c", PLAIN)], voting="soft", weights=[1, 2, 1])
    named = StackingClassifier([("a", PLAIN)], LogisticRegression(class_weight={0: 1, 1: 9}), cv=2)
    for model in (dropped, named):
        fitted = resample.PriorCorrectedClassifier(model).fit(X, y)
        assert fitted.predict_proba(X)[:, 1].mean() == pytest.approx(np.mean(y == "yes"), abs=0.03)
