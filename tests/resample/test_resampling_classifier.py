"""ResamplingClassifier: what it trains on, what it answers, and that nothing leaks."""

import pickle

import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler, TomekLinks
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import TunedThresholdClassifierCV, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import skauto.resample
from skauto.resample import ResamplingClassifier


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what fit was given; predicts the first class."""

    def fit(self, X, y, sample_weight=None, amount=None, eval_set=None):
        self.seen_ = {"X": X, "y": np.asarray(y), "w": sample_weight, "amount": amount, "eval_set": eval_set}
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.fixture
def data():
    return make_classification(n_samples=3000, weights=[0.9], flip_y=0.02, class_sep=1.5, random_state=0)


@parametrize_with_checks(
    [
        ResamplingClassifier(LogisticRegression()),
        ResamplingClassifier(LogisticRegression(), RandomUnderSampler(random_state=0)),
        ResamplingClassifier(LogisticRegression(), TomekLinks()),
    ],
    expected_failed_checks=lambda estimator: (
        {
            "check_sample_weight_equivalence_on_dense_data": "a weight is not a repeated row to a sampler",
            "check_sample_weight_equivalence_on_sparse_data": "a weight is not a repeated row to a sampler",
        }
        if estimator.sampler is not None
        else {}
    ),
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_probabilities_return_to_the_unresampled_fractions(data):
    X, y = data
    plain = LogisticRegression().fit(X, y)
    sampler = RandomUnderSampler(random_state=0)
    corrected = ResamplingClassifier(LogisticRegression(), sampler, prior_correction="bayes").fit(X, y)
    naive = ResamplingClassifier(LogisticRegression(), sampler, prior_correction=False).fit(X, y)
    scores = [brier_score_loss(y, model.predict_proba(X)[:, 1]) for model in (plain, corrected, naive)]
    assert scores[1] < 1.5 * scores[0]
    assert scores[1] < 0.75 * scores[2]
    assert corrected.trained_priors_ == pytest.approx([0.5, 0.5])
    np.testing.assert_array_equal(corrected.predict(X), naive.predict(X))  # decided as on the resampled rows
    most_probable = corrected.classes_[corrected.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(corrected.set_params(decision="unresampled").predict(X), most_probable)


def test_no_sampler_is_the_plain_estimator(data):
    X, y = data
    ours = ResamplingClassifier(LogisticRegression()).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(ours, LogisticRegression().fit(X, y).predict_proba(X))


def test_a_rare_class_is_calibrated_and_a_frequent_one_is_not():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [3000, 30])
    X = rng.normal(size=(3030, 25)) + 0.3 * y[:, None]
    fresh = rng.normal(size=(3030, 25)) + 0.3 * y[:, None]

    def fitted(sampler, correction, rows=slice(None), **settings):
        model = ResamplingClassifier(LogisticRegression(**settings), sampler, prior_correction=correction)
        return model.fit(X[rows], y[rows])

    under, over = RandomUnderSampler(random_state=0), RandomOverSampler(random_state=0)
    assert fitted(under, True).calibration_ is not None
    assert fitted(under, "bayes").calibration_ is None
    assert fitted(over, True).calibration_ is not None
    assert fitted(None, True).calibration_ is None  # nothing is moved
    assert fitted(None, True, class_weight="balanced").calibration_ is not None
    assert fitted(over, True, rows=slice(0, 3009)).calibration_ is None  # nine rows
    scores = [brier_score_loss(y, fitted(under, how).predict_proba(fresh)[:, 1]) for how in (True, "bayes", False)]
    assert scores[0] < 0.8 * scores[1] < 0.8 * scores[2]  # sixty rows of 25 columns: far too sure of themselves
    with pytest.raises(ValueError, match="prior_correction='magic' must be True, False, 'bayes' or 'calibration'"):
        fitted(under, "magic")


def test_frequent_and_many_classes_are_corrected_by_the_rule():
    X = np.random.default_rng(0).normal(size=(4000, 2))
    for y in (np.repeat([0, 1], [2900, 1100]), np.repeat([0, 1, 2], [2500, 1000, 500])):
        model = ResamplingClassifier(LogisticRegression(), RandomOverSampler(random_state=0)).fit(X, y)
        assert model.calibration_ is None
        np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), model.original_priors_, atol=0.02)


@pytest.mark.parametrize("sampler", [TomekLinks(), SMOTEENN(random_state=0)])
def test_after_cleaning_probabilities_are_calibrated(data, sampler):
    X, y = data
    model = ResamplingClassifier(LogisticRegression(), sampler).fit(X, y)
    assert model.calibration_ is not None
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.03)


def test_weights_and_other_row_metadata_follow_the_rows(data):
    X, y = data
    amount = X[:, 0].copy()
    weight = np.arange(len(y), dtype=float) + 1
    evaluation = [(X[:5], y[:5])]
    model = ResamplingClassifier(Recorder(), RandomUnderSampler(random_state=0))
    seen = model.fit(X, y, weight, amount=amount, eval_set=evaluation).estimator_.seen_
    np.testing.assert_array_equal(seen["X"], X[seen["w"].astype(int) - 1])
    np.testing.assert_array_equal(seen["amount"], seen["X"][:, 0])
    assert seen["eval_set"] is evaluation


def test_metadata_of_synthetic_rows_is_interpolated_like_their_features(data):
    X, y = data
    model = ResamplingClassifier(Recorder(), skauto.resample.SMOTE(random_state=0))
    seen = model.fit(X, y, X[:, 1] + 9, amount=2 * X[:, 0]).estimator_.seen_
    assert len(seen["y"]) > len(y)
    np.testing.assert_allclose(seen["w"], seen["X"][:, 1] + 9)
    np.testing.assert_allclose(seen["amount"], 2 * seen["X"][:, 0])


def test_rows_that_weigh_nothing_are_not_there(data):
    X, y = data
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    model = ResamplingClassifier(Recorder(), skauto.resample.SMOTE(random_state=0))
    seen = model.fit(X, y, weight, amount=list(X[:, 0])).estimator_.seen_
    alone = clone(model).fit(X[weight > 0], y[weight > 0]).estimator_.seen_
    np.testing.assert_array_equal(seen["X"], alone["X"])
    np.testing.assert_allclose(seen["amount"], seen["X"][:, 0])
    assert (seen["w"] == 1).all()


def test_weights_of_rows_made_by_a_foreign_over_sampler_are_the_mean_of_their_class(data):
    X, y = data
    weight = np.where(y == 1, 3.0, 1.0)
    seen = ResamplingClassifier(Recorder(), SMOTE(random_state=0)).fit(X, y, weight).estimator_.seen_
    np.testing.assert_array_equal(seen["w"], np.where(seen["y"] == 1, 3.0, 1.0))


def test_a_sampler_that_hides_its_rows_cannot_carry_weights(data):
    X, y = data
    model = ResamplingClassifier(Recorder(), SMOTEENN(random_state=0))
    with pytest.raises(ValueError, match="SMOTEENN does not say which rows it kept"):
        model.fit(X, y, np.ones(len(y)))


def test_metadata_routing_passes_weights_through_the_sampler(data):
    X, y = data
    with config_context(enable_metadata_routing=True):
        inner = Recorder().set_fit_request(sample_weight=True, amount=True)
        model = ResamplingClassifier(inner, RandomOverSampler(random_state=0)).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        pipeline.fit(X, y, sample_weight=np.ones(len(y)), amount=np.arange(len(y)))
    seen = pipeline[-1].estimator_.seen_
    assert len(seen["w"]) == len(seen["amount"]) == len(seen["y"]) > len(y)


def test_strings_frames_and_categories_pass_through():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=90), "b": pd.Categorical(rng.choice(["u", "v"], 90))})
    y = pd.Series(["rare"] * 9 + ["middle"] * 21 + ["often"] * 60)
    model = ResamplingClassifier(Recorder(), RandomOverSampler(random_state=0)).fit(X, y)
    assert model.classes_.tolist() == ["middle", "often", "rare"]
    assert (model.estimator_.seen_["X"].dtypes == X.dtypes).all()
    assert pd.Series(model.estimator_.seen_["y"]).value_counts().tolist() == [60, 60, 60]


def test_scores_without_probabilities_are_passed_on(data):
    X, y = data
    model = ResamplingClassifier(LinearSVC(), RandomUnderSampler(random_state=0)).fit(X, y)
    assert not hasattr(model, "predict_proba")
    np.testing.assert_array_equal(model.predict(X), (model.decision_function(X) > 0).astype(int))


def test_works_in_calibration_thresholds_nested_pipelines_and_pickles(data):
    X, y = data
    model = ResamplingClassifier(LogisticRegression(), RandomUnderSampler(random_state=0))
    nested = make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), model))
    tuned = TunedThresholdClassifierCV(nested, scoring="f1", cv=3).fit(X, y)
    assert tuned.score(X, y) > 0.9
    assert CalibratedClassifierCV(clone(nested), cv=3).fit(X, y).score(X, y) > 0.9
    again = pickle.loads(pickle.dumps(nested.fit(X, y)))
    np.testing.assert_array_equal(again.predict(X), nested.predict(X))


def test_resample_gives_the_rows_that_fit_trains_on(data):
    X, y = data
    model = ResamplingClassifier(Recorder(), RandomUnderSampler(random_state=3))
    X_new, y_new, weight = model.resample(X, y, np.arange(float(len(y))))
    seen = model.fit(X, y, np.arange(float(len(y)))).estimator_.seen_
    np.testing.assert_array_equal(X_new, seen["X"])
    np.testing.assert_array_equal(y_new, seen["y"])
    np.testing.assert_array_equal(weight, seen["w"])
    assert model.resample(X, y)[2] is None


def test_no_validation_row_reaches_a_training_fold():
    """Labels of pure noise: copies of validation rows in training would be recognised by one nearest neighbour."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 5)), np.repeat([0, 1], [360, 40])
    model = ResamplingClassifier(KNeighborsClassifier(1), RandomOverSampler(random_state=0))
    inside = cross_val_predict(model, X, y, cv=5)
    X_early, y_early = RandomOverSampler(random_state=0).fit_resample(X, y)
    outside = cross_val_predict(KNeighborsClassifier(1), X_early, y_early, cv=5)
    assert inside[y == 1].mean() < 0.3
    assert outside[y_early == 1].mean() > 0.9


def test_a_wrong_sampler_or_estimator_is_named(data):
    with pytest.raises(TypeError, match="sampler=StandardScaler"):
        ResamplingClassifier(LogisticRegression(), StandardScaler()).fit(*data)
    with pytest.raises(TypeError, match="estimator='tree'"):
        ResamplingClassifier("tree").fit(*data)


def test_rows_are_resampled_once_or_as_often_as_they_are_fitted():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [3000, 60])
    X = rng.normal(size=(3060, 3)) + y[:, None]
    seen = []

    class Counting(RandomUnderSampler):
        def fit_resample(self, X, y, **params):
            seen.append(len(y))
            return super().fit_resample(X, y, **params)

    ResamplingClassifier(LogisticRegression(), Counting(random_state=0), prior_correction="bayes").fit(X, y)
    assert seen == [3060]
    seen.clear()
    model = ResamplingClassifier(LogisticRegression(), Counting(random_state=0)).fit(X, y)
    model.predict(X)
    assert seen == [3060]  # labels need no calibration
    for _ in range(2):
        model.predict_proba(X)
        assert sorted(seen) == [2040, 2040, 2040, 3060]  # calibrated once: three folds


@pytest.mark.parametrize("labels", [np.array(["no", "yes"]), np.array([2, 1]), np.array([1, 2])])
def test_what_is_said_by_label_holds_in_every_fit_of_a_calibration(data, labels):
    X, y = data
    y = labels[y]
    rare, unresampled = labels[1], np.mean(y == labels[1])
    weights = dict(zip(labels.tolist(), [1, 9], strict=True))
    many = {rare: int(np.sum(y != rare))}
    for model in (
        ResamplingClassifier(LogisticRegression(class_weight=weights)),
        ResamplingClassifier(LogisticRegression(), RandomOverSampler(sampling_strategy=many, random_state=0)),
    ):
        fitted = model.fit(X, y)
        assert fitted.calibration_ is not None
        assert fitted.predict_proba(X)[:, fitted.classes_.tolist().index(rare)].mean() == pytest.approx(
            unresampled, abs=0.03
        )
        assert set(fitted.predict(X)) <= set(labels.tolist())


def test_a_calibration_leaves_the_ranking_of_sure_classifiers():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [600, 50])
    X = np.repeat(rng.normal(size=(650, 4)) + 0.5 * y[:, None], 10, axis=1)
    over = RandomOverSampler(random_state=0)
    models = [ResamplingClassifier(GaussianNB(), over, how).fit(X, y) for how in (True, "bayes")]
    first, second = (roc_auc_score(y, model.predict_proba(X)[:, 1]) for model in models)
    assert first == pytest.approx(second, abs=1e-3)


def test_nothing_is_calibrated_where_nothing_is_moved():
    X = np.random.default_rng(0).normal(size=(120, 2))
    model = ResamplingClassifier(LogisticRegression(), RandomOverSampler(random_state=0)).fit(X, np.repeat([0, 1], 60))
    assert model.calibration_ is None
