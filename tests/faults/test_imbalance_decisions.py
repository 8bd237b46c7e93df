"""What resampling classifiers decide: a pipeline with SMOTE, tuned by F1, must not end at an F1 of 0."""

import pickle

import numpy as np
import pandas as pd
import pytest
from imblearn import combine, ensemble, over_sampling, under_sampling
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, recall_score
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skauto.resample import (
    SMOTE,
    BalancedBaggingClassifier,
    CostSensitiveClassifier,
    EasyEnsembleClassifier,
    PriorCorrectedClassifier,
    ResamplingClassifier,
    RUSBoostClassifier,
    SMOTETomek,
)
from skauto.search import SearchCV

UNDER = under_sampling.RandomUnderSampler(random_state=0)
BOOSTER = LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1, random_state=0)


@pytest.fixture(scope="module")
def hard():
    """A rare class that overlaps the common one: no row of it is more likely than not."""
    X, y = make_classification(4000, weights=[0.96], class_sep=0.4, flip_y=0, random_state=3)
    return train_test_split(X, np.array(["common", "rare"])[y], stratify=y, random_state=0)


@pytest.mark.parametrize("learner", [LogisticRegression(), BOOSTER], ids=["logistic", "lightgbm"])
@pytest.mark.parametrize(
    "sampler",
    [over_sampling.SMOTE(random_state=0), under_sampling.RandomUnderSampler(random_state=0)],
    ids=["over", "under"],
)
@pytest.mark.parametrize("correction", [True, "bayes", "calibration", False])
def test_labels_are_those_of_a_pipeline_of_imbalanced_learn(hard, learner, sampler, correction):
    X, X_test, y, _ = hard
    theirs = make_imblearn_pipeline(clone(sampler), clone(learner)).fit(X, y)
    ours = ResamplingClassifier(learner, sampler, prior_correction=correction).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X_test), theirs.predict(X_test))


def test_labels_after_cleaning_are_those_of_a_pipeline_of_imbalanced_learn(hard):
    X, X_test, y, _ = hard
    sampler = under_sampling.TomekLinks()
    theirs = make_imblearn_pipeline(sampler, LogisticRegression()).fit(X, y)
    ours = ResamplingClassifier(LogisticRegression(), sampler).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X_test), theirs.predict(X_test))


def test_weighted_classifiers_decide_as_they_are(hard):
    X, X_test, y, _ = hard
    balanced = LogisticRegression(class_weight="balanced")
    expected = balanced.fit(X, y).predict(X_test)
    for model in (PriorCorrectedClassifier(balanced), ResamplingClassifier(balanced)):
        np.testing.assert_array_equal(model.fit(X, y).predict(X_test), expected)


ALL = {
    "sampler": ResamplingClassifier(LogisticRegression(), SMOTE(random_state=0)),
    "class weights": PriorCorrectedClassifier(LogisticRegression(class_weight="balanced")),
    "bagging": BalancedBaggingClassifier(random_state=0),
    "easy ensemble": EasyEnsembleClassifier(n_estimators=3, random_state=0),
    "rusboost": RUSBoostClassifier(random_state=0),
}


@pytest.mark.parametrize("name", ALL)
def test_the_rare_class_is_found_and_probabilities_stay_honest(hard, name):
    X, X_test, y, y_test = hard
    model = clone(ALL[name]).fit(X, y)
    assert recall_score(y_test, model.predict(X_test), pos_label="rare") > 0.4
    proba = model.predict_proba(X_test)
    assert proba[:, 1].mean() == pytest.approx(np.mean(y == "rare"), abs=0.05)
    by_probability = clone(ALL[name]).set_params(decision="unresampled").fit(X, y)
    np.testing.assert_allclose(by_probability.predict_proba(X_test), proba)
    np.testing.assert_array_equal(by_probability.predict(X_test), model.classes_[proba.argmax(axis=1)])
    assert by_probability.score(X_test, y_test) > model.score(X_test, y_test)  # what accuracy wants
    with pytest.raises(ValueError, match="decision='f1' must be 'resampled'"):
        clone(ALL[name]).set_params(decision="f1").fit(X, y)


def test_rusboost_finds_what_imbalanced_learn_finds():
    X, y = make_classification(2000, weights=[0.97], class_sep=1.5, flip_y=0, random_state=0)
    theirs = ensemble.RUSBoostClassifier(random_state=0).fit(X, y).predict(X)
    ours = RUSBoostClassifier(random_state=0).fit(X, y).predict(X)
    assert recall_score(y, ours) >= recall_score(y, theirs) - 0.02


@pytest.mark.parametrize("strategy", ["genetic", "random"])
def test_a_search_of_smote_scored_by_f1_does_not_end_at_zero(hard, strategy):
    X, X_test, y, y_test = hard
    y = (y == "rare").astype(int)
    model = make_pipeline(StandardScaler(), ResamplingClassifier(BOOSTER, SMOTE(random_state=0)))
    space = {
        "resamplingclassifier__sampler__k_neighbors": [3, 5],
        "resamplingclassifier__estimator__num_leaves": [7, 31],
    }
    search = SearchCV(model, space, strategy=strategy, scoring="f1", n_iter=3, cv=3, random_state=0).fit(X, y)
    theirs = make_imblearn_pipeline(StandardScaler(), over_sampling.SMOTE(random_state=0), BOOSTER)
    grid = GridSearchCV(
        theirs, {"smote__k_neighbors": [3, 5], "lgbmclassifier__num_leaves": [7, 31]}, scoring="f1", cv=3
    )
    grid.fit(X, y)
    assert search.best_score_ > 0.8 * grid.best_score_ > 0
    assert f1_score(y_test == "rare", search.predict(X_test)) > 0


def test_labels_take_no_more_than_one_fit(hard):
    X, _, y, _ = hard
    fits = []

    class Counting(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            fits.append(len(y))
            return super().fit(X, y, sample_weight)

    model = ResamplingClassifier(Counting(), SMOTE(random_state=0)).fit(X, y)
    model.predict(X)
    assert len(fits) == 1
    model.predict_proba(X)
    model.predict_proba(X)
    assert len(fits) == 4  # three folds of calibration, once


def test_a_tuned_threshold_and_costs_outside_read_honest_probabilities(hard):
    X, X_test, y, y_test = hard
    costs = [[0, 1], [9, 0]]
    resampled = ResamplingClassifier(LogisticRegression(), SMOTE(random_state=0), prior_correction="bayes")
    plain = CostSensitiveClassifier(LogisticRegression(), costs, calibration=None).fit(X, y)
    outside = CostSensitiveClassifier(resampled, costs, calibration=None).fit(X, y)
    assert np.mean(outside.predict(X_test) == plain.predict(X_test)) > 0.9
    weighted = CostSensitiveClassifier(LogisticRegression(), costs, method="reweight").fit(X, y).predict(X_test)
    both = CostSensitiveClassifier(resampled, costs, method="reweight").fit(X, y).predict(X_test)
    assert np.mean(both == weighted) > 0.9  # the costs are not counted on top of balanced classes
    tuned = TunedThresholdClassifierCV(resampled, scoring="accuracy", cv=3).fit(X, y)
    assert tuned.score(X_test, y_test) >= np.mean(y_test == "common") - 0.02


def test_balanced_bags_of_trees_rank_as_well_as_those_of_imbalanced_learn():
    gaps = []
    for seed in range(6):
        X, y = make_classification(3000, weights=[0.97], n_informative=6, class_sep=0.8, random_state=seed)
        X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=seed)
        theirs = ensemble.BalancedBaggingClassifier(random_state=seed).fit(X, y)
        ours = BalancedBaggingClassifier(random_state=seed).fit(X, y)
        ranked = [average_precision_score(y_test, model.predict_proba(X_test)[:, 1]) for model in (ours, theirs)]
        gaps.append(ranked[0] - ranked[1])
    assert np.mean(gaps) > -np.std(gaps, ddof=1) / np.sqrt(6)


def test_bags_of_a_cleaner_are_calibrated_once_after_averaging(hard):
    X, X_test, y, y_test = hard
    tree = DecisionTreeClassifier(min_samples_leaf=5)
    model = BalancedBaggingClassifier(tree, 3, sampler=SMOTETomek(random_state=0), random_state=0).fit(X, y)
    raw = clone(model).set_params(prior_correction=False).fit(X, y)
    honest, naive = (m.predict_proba(X_test)[:, 1] for m in (model, raw))
    assert brier_score_loss(y_test == "rare", honest) < brier_score_loss(y_test == "rare", naive)
    np.testing.assert_array_equal(np.argsort(honest, kind="stable"), np.argsort(naive, kind="stable"))
    np.testing.assert_array_equal(model.predict(X_test), raw.predict(X_test))


@pytest.mark.parametrize(
    ("sampler", "n_rare"),
    [
        (under_sampling.RandomUnderSampler(sampling_strategy={0: 800, 1: 100}, random_state=0), 100),
        (under_sampling.RandomUnderSampler(sampling_strategy={0: 800}, random_state=0), 100),
        (combine.SMOTETomek(random_state=0), 7),
    ],
    ids=["both-counts", "one-count", "neighbours"],
)
def test_counts_that_suit_all_rows_but_not_a_fold_leave_a_model_with_probabilities(sampler, n_rare):
    """The fits of calibration see two thirds of the rows, where 800 of 1000 cannot be drawn and 5 neighbours lack."""
    y = np.repeat([0, 1], [1000, n_rare])
    X = np.random.default_rng(0).normal(size=(len(y), 4)) + y[:, None]
    with pytest.warns(UserWarning, match="not calibrated"):
        stored = pickle.dumps(ResamplingClassifier(LogisticRegression(), sampler).fit(X, y))
    proba = pickle.loads(stored).predict_proba(X)[:, 1]
    assert proba.mean() == pytest.approx(y.mean(), rel=0.5)  # natural, not those of the resampled rows
    assert average_precision_score(y, proba) > 5 * y.mean()


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("learner", [LogisticRegression(max_iter=2000), BOOSTER], ids=["logistic", "lightgbm"])
@pytest.mark.parametrize("name", ["oil_spill", "mammography", "credit_fraud", "sick"])
def test_f1_on_real_tables_is_that_of_a_pipeline_of_imbalanced_learn(real_data, name, learner):
    table = pd.read_csv(f"{real_data}/{name}.csv.gz")
    y = table.pop("target").astype(str)
    rare = y == y.value_counts().index[-1]
    X = table.select_dtypes("number").fillna(-1)
    X, X_test, y, y_test = train_test_split(X, rare.to_numpy(), test_size=0.3, stratify=rare, random_state=0)
    scale = StandardScaler().set_output(transform="pandas").fit(X)
    theirs = make_imblearn_pipeline(over_sampling.SMOTE(random_state=0), clone(learner)).fit(scale.transform(X), y)
    ours = ResamplingClassifier(learner, SMOTE(random_state=0)).fit(scale.transform(X), y)
    scores = [f1_score(y_test, model.predict(scale.transform(X_test))) for model in (ours, theirs)]
    assert scores[0] >= scores[1] > 0.1
