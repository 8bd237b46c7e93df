"""SearchCV: scikit-learn's contract, its additions, and the same outcome on any number of workers."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform, uniform
from sklearn import config_context
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skauto.search import Auto, Bayes, Genetic, Halving, Random, SearchCV
from skauto.search._budget import RefitBudget
from tests.support import shaky
from tests.support.shaky import Shaky

X, Y = load_iris(return_X_y=True)
GRID = [{"kernel": ["rbf"], "C": [0.1, 1.0, 10.0]}, {"kernel": ["linear"], "C": [1.0]}]


def without_times(results):
    return {name: value for name, value in results.items() if not name.endswith("_time")}


def assert_same_results(one, two):
    one, two = without_times(one), without_times(two)
    assert list(one) == list(two)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_a_grid_gives_what_scikit_learn_gives():
    settings = {"cv": 4, "scoring": ["accuracy", "recall_macro"], "refit": "recall_macro", "return_train_score": True}
    theirs = GridSearchCV(SVC(), GRID, **settings).fit(X, Y)
    ours = SearchCV(SVC(), GRID, strategy="grid", **settings).fit(X, Y)
    expected = without_times(theirs.cv_results_)
    assert set(without_times(ours.cv_results_)) == set(expected)
    for name in expected:
        np.testing.assert_array_equal(ours.cv_results_[name], expected[name], err_msg=name)
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_score_ == theirs.best_score_
    np.testing.assert_array_equal(ours.decision_function(X), theirs.decision_function(X))
    assert ours.score(X, Y) == theirs.score(X, Y)


@pytest.mark.parametrize("strategy", ["random", Genetic(population=4), Bayes(n_initial=4, n_candidates=50)])
def test_the_same_in_this_process_and_on_two_workers(strategy):
    def run(n_jobs):
        space = {"threshold": uniform(-1, 2)}
        settings = {"strategy": strategy, "n_iter": 12, "racing": True, "random_state": 0, "cv": 4}
        return SearchCV(Shaky(), space, n_jobs=n_jobs, **settings).fit(shaky.X, shaky.Y)

    alone, together = run(None), run(2)
    assert_same_results(alone.cv_results_, together.cv_results_)
    assert alone.best_params_ == together.best_params_


def test_without_limits_a_small_grid_is_tried_as_a_whole():
    assert len(SearchCV(SVC(), GRID, cv=2).fit(X, Y).cv_results_["params"]) == 4
    made = SearchCV(DecisionTreeClassifier(), {"ccp_alpha": uniform(0, 0.1)}, cv=2, random_state=0).fit(X, Y)
    assert len(made.cv_results_["params"]) == 50


def test_auto_is_the_strategy_of_that_name():
    settings = {"n_iter": 14, "cv": 2, "random_state": 0}
    space = {"threshold": uniform(-1, 2)}
    auto, same, other = (
        SearchCV(Shaky(), space, strategy=strategy, **settings).fit(shaky.X, shaky.Y)
        for strategy in ("auto", Auto(), "random")
    )
    assert_same_results(auto.cv_results_, same.cv_results_)
    assert auto.cv_results_["params"] != other.cv_results_["params"]


@pytest.mark.filterwarnings("ignore:fidelity .* gave no information:UserWarning")  # trees of one depth may be level
def test_auto_uses_a_fidelity_where_there_is_one():
    space = {"min_samples_leaf": list(range(1, 60))}
    settings = {"n_iter": 12, "cv": 2, "random_state": 0, "racing": False}
    tree = DecisionTreeClassifier(random_state=0)
    made = SearchCV(tree, space, fidelity=("max_depth", 1, 9), **settings).fit(X, Y)
    assert made.cv_results_["fidelity"] == pytest.approx([1 / 9] * 8 + [1 / 3] * 2 + [1] * 2)
    made = SearchCV(tree, space, fidelity=("max_depth", 3, 9), **settings).fit(X, Y)
    assert set(made.cv_results_["fidelity"]) == {1 / 3, 1.0}


def test_what_was_given_is_not_changed():
    estimator, inner = make_pipeline(StandardScaler(), SVC()), SVC(C=3)
    space = {"svc": [inner, "passthrough"], "standardscaler__with_mean": [True, False]}
    with pytest.warns(Warning):  # without a classifier there is nothing to score
        SearchCV(estimator, space, strategy="grid", cv=2, scoring="accuracy", refit=False).fit(X, Y)
    assert not hasattr(inner, "classes_")
    assert estimator.get_params()["svc"].C == 1.0
    assert not hasattr(estimator[0], "mean_")


def test_choices_of_any_kind():
    choices = {"class_weight": [None, "balanced", {0: 1, 1: 2, 2: 3}], "C": loguniform(0.1, 10)}
    made = SearchCV(SVC(), choices, strategy="random", n_iter=12, cv=2, random_state=0).fit(X, Y)
    assert {str(value) for value in made.cv_results_["param_class_weight"]} > {"None"}


def test_sample_weight_reaches_fit_and_score():
    weight = np.where(Y == 0, 0.0, 1.0)
    grid = {"C": [0.01, 1.0]}
    ours = SearchCV(LogisticRegression(), grid, strategy="grid", cv=3).fit(X, Y, sample_weight=weight)
    theirs = GridSearchCV(LogisticRegression(), grid, cv=3).fit(X, Y, sample_weight=weight)
    np.testing.assert_array_equal(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


def test_groups_and_metadata_routing():
    groups = np.arange(len(Y)) % 5
    seen = SearchCV(SVC(), GRID, strategy="grid", cv=GroupKFold(3)).fit(X, Y, groups=groups)
    assert seen.n_splits_ == 3
    with config_context(enable_metadata_routing=True):
        estimator = LogisticRegression(max_iter=1000).set_fit_request(sample_weight=True)
        scorer = make_scorer(recall_score, average="macro").set_score_request(sample_weight=True)
        routed = SearchCV(estimator, {"C": [0.1, 1.0]}, strategy="grid", cv=GroupKFold(3), scoring=scorer)
        routed.fit(X, Y, groups=groups, sample_weight=np.ones(len(Y)))
        assert routed.score(X, Y, sample_weight=np.ones(len(Y))) > 0.9


def test_folds_are_drawn_once():
    made = SearchCV(SVC(), {"C": [1.0, 1.0 + 1e-12]}, strategy="grid", cv=KFold(3, shuffle=True)).fit(X, Y)
    assert np.ptp(made.cv_results_["mean_test_score"]) == 0


def test_refit_one_standard_error_takes_the_cheapest():
    made = SearchCV(Shaky(), {"seconds": [0.1, 0.0], "threshold": [0.0]}, strategy="grid", cv=3, refit="one_se")
    made.fit(shaky.X, shaky.Y)
    assert made.best_params_["seconds"] == 0.0


def small_tree(estimator, X, y):
    return -float(estimator.tree_.node_count)


OBJECTIVES = {"accuracy": "accuracy", "size": small_tree}
DEPTHS = {"max_depth": [1, 2, 3, None], "random_state": [0]}


def test_several_objectives_have_a_front_and_a_knee():
    made = SearchCV(DecisionTreeClassifier(), DEPTHS, strategy="grid", scoring=OBJECTIVES, refit="knee").fit(X, Y)
    accuracy, size = (made.cv_results_[f"mean_test_{name}"] for name in OBJECTIVES)
    front = made.pareto_front_
    assert (np.diff(accuracy[front]) < 0).all()
    assert (np.diff(size[front]) > 0).all()
    assert made.best_index_ in front
    assert made.best_estimator_.get_depth() == 2


def test_constraints_bound_what_may_win():
    settings = {"strategy": "grid", "scoring": OBJECTIVES, "refit": "accuracy"}
    made = SearchCV(DecisionTreeClassifier(), DEPTHS, constraints={"size": -3}, **settings).fit(X, Y)
    assert made.best_params_["max_depth"] == 1
    with pytest.raises(ValueError, match=r"no trial reaches size >= -2, the best has -3"):
        made.set_params(constraints={"size": -2}).fit(X, Y)
    with pytest.raises(ValueError, match="names 'weight', which scoring does not have"):
        made.set_params(constraints={"weight": 0}).fit(X, Y)


def test_seeds_of_a_trial_make_a_random_estimator_repeatable():
    def run(n_jobs=None):
        space = {"alpha": loguniform(1e-5, 1e-1)}
        made = SearchCV(SGDClassifier(max_iter=5, tol=None), space, strategy="random", n_iter=4, random_state=0)
        return made.set_params(cv=2, n_jobs=n_jobs).fit(X, Y)

    one, two = run(), run()
    assert_same_results(one.cv_results_, two.cv_results_)
    np.testing.assert_array_equal(one.best_estimator_.coef_, two.best_estimator_.coef_)
    unseeded = run().set_params(random_state=None).fit(X, Y)
    assert unseeded.best_estimator_.random_state is None


def test_rescored_score_is_on_other_folds():
    made = SearchCV(SVC(), GRID, strategy="grid", cv=3, rescore=True, random_state=0).fit(X, Y)
    assert 0.9 < made.rescored_score_ <= 1
    assert made.rescored_score_ == made.fit(X, Y).rescored_score_
    fixed = made.set_params(cv=KFold(3)).fit(X[::-1], Y[::-1])
    assert np.isnan(fixed.rescored_score_)


@pytest.mark.slow
def test_a_time_limit_is_kept():
    space = {"threshold": uniform(-1, 2)}
    began = time.monotonic()
    made = SearchCV(Shaky(seconds=0.05), space, strategy="random", time_limit=12, cv=2, random_state=0)
    made.fit(shaky.X, shaky.Y)
    assert time.monotonic() - began < 18  # a busy machine starts workers late
    assert made.stop_reason_ == "time limit"
    assert 2 <= len(made.cv_results_["params"]) <= 240  # races leave folds out
    assert np.isfinite(made.cv_results_["mean_test_score"][~made.cv_results_["pruned"]]).all()


def test_racing_leaves_folds_out_and_ranks_them_last():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2))
    y = (x[:, 0] + 0.2 * x[:, 1] > 0).astype(int)
    space = {"threshold": [0.0, 0.05, 2.5, 2.6, 2.7, 2.8]}
    made = SearchCV(Shaky(), space, strategy="grid", cv=5, racing=True, random_state=0).fit(x, y)
    results = made.cv_results_
    assert results["pruned"].tolist() == [False, False, False, False, True, True]
    assert np.isnan(results["split4_test_score"][4:]).all()
    assert np.isfinite(results["split0_test_score"][4:]).all()
    assert (results["rank_test_score"][4:] > results["rank_test_score"][:4].max()).all()
    assert made.best_params_["threshold"] in (0.0, 0.05)
    whole = SearchCV(Shaky(), space, strategy="grid", cv=5).fit(x, y)
    assert "pruned" not in whole.cv_results_
    assert whole.best_params_ == made.best_params_


def test_strategies_see_what_a_race_stopped_shrunk():
    """The mean of the folds that ran and of what the trials before had, one fold's weight: below the best."""
    seen = []

    class Watching(Random):
        def propose(self, history):
            seen.append({trial.number: result.score for trial, result in history.complete().get(1.0, [])})
            return super().propose(history)

    settings = {"strategy": Watching(), "n_iter": 25, "cv": 3, "racing": True, "random_state": 0}
    made = SearchCV(Shaky(), {"threshold": uniform(-3, 6)}, **settings).fit(shaky.X, shaky.Y)
    stopped = np.flatnonzero(made.cv_results_["pruned"][:20])
    assert len(stopped) > 3
    for number in stopped:
        folds = made.history_.result(number).details["fold_scores"]
        score = seen[-1][number]
        assert score < made.best_score_
        before = [seen[-1][k] for k in range(number - 3) if k not in stopped]
        assert score == pytest.approx((sum(folds) + np.mean(before)) / (len(folds) + 1))


def test_rows_as_fidelity_keep_rare_classes():
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import Pipeline as ImbPipeline

    x, y = make_classification(600, 5, weights=[0.95], random_state=0)
    pipeline = ImbPipeline(
        [("scale", StandardScaler()), ("smote", SMOTE(random_state=0)), ("lr", LogisticRegression())]
    )
    space = {"lr__C": loguniform(1e-3, 1e3), "smote__k_neighbors": [3, 5]}
    strategy = Halving(Random(), min_fidelity=1 / 9, n_initial=9, max_brackets=1)
    made = SearchCV(pipeline, space, strategy=strategy, fidelity="rows", scoring="f1", cv=3, n_iter=99, random_state=0)
    made.set_params(racing=False).fit(x, y)
    results = made.cv_results_
    assert np.isfinite(results["mean_test_score"]).all()
    assert sorted(set(results["fidelity"])) == pytest.approx([1 / 9, 1 / 3, 1])
    assert results["fidelity"][made.best_index_] == 1
    best = results["rank_test_score"].argmin()
    assert best == made.best_index_


@pytest.mark.filterwarnings("ignore:fidelity 0.5 gave no information:UserWarning")  # the two that are left may be level
def test_an_integer_parameter_as_fidelity_is_part_of_the_parameters():
    strategy = Halving(Random(), min_fidelity=1 / 4, factor=2, n_initial=4, max_brackets=1)
    tree = DecisionTreeClassifier(random_state=0)
    made = SearchCV(
        tree, {"min_samples_leaf": [1, 30, 60, 70]}, strategy=strategy, fidelity=("max_depth", 1, 8), n_iter=99
    )
    made.set_params(cv=2, random_state=0).fit(X, Y)
    assert made.cv_results_["param_max_depth"].tolist() == [2] * 4 + [4] * 2 + [8]
    assert made.best_params_["max_depth"] == made.best_estimator_.max_depth == 8


def test_lower_fidelities_need_a_meaning():
    with pytest.raises(ValueError, match="asks for fidelity 0.5 .* but fidelity=None"):
        SearchCV(SVC(), GRID, strategy="pbt").fit(X, Y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
def test_a_rung_that_fails_for_everybody_is_promoted_and_told():
    def enough(estimator, X, y):
        return float(len(estimator.seen_))

    class Needs(DecisionTreeClassifier):
        def fit(self, X, y):
            if len(y) < 90:
                raise ValueError("too few rows")
            self.seen_ = y
            return super().fit(X, y)

    strategy = Halving(Random(), min_fidelity=1 / 9, n_initial=4, max_brackets=1)
    made = SearchCV(Needs(), {"max_depth": [1, 2, 3, 4]}, strategy=strategy, fidelity="rows", cv=3, n_iter=99)
    with pytest.warns(UserWarning, match="gave no information: all 4 trials failed") as caught:
        made.set_params(random_state=0, scoring=enough).fit(X, Y)
    assert (made.cv_results_["fidelity"] == 1).sum() == 4
    told = [str(warning.message) for warning in caught if "gave no information" in str(warning.message)]
    assert [line.split(" gave")[0] for line in told] == ["fidelity 0.111", "fidelity 0.333"]


def test_pandas_regression_and_unsupervised_scores():
    x, y = make_regression(60, 3, random_state=0)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    made = SearchCV(Ridge(), {"alpha": loguniform(1e-3, 10)}, strategy="random", n_iter=3, random_state=0).fit(frame, y)
    assert made.feature_names_in_.tolist() == ["a", "b", "c"]
    assert made.score(frame, y) > 0.9


def test_unfitted_and_unknown():
    search = SearchCV(SVC(), GRID)
    with pytest.raises(NotFittedError):
        search.predict(X)
    with pytest.raises(ValueError, match="did you mean|Did you mean"):
        SearchCV(SVC(), GRID, strategy="randm").fit(X, Y)
    with pytest.raises(ValueError, match="n_jobs=0"):
        SearchCV(SVC(), GRID, n_jobs=0).fit(X, Y)


def test_a_pipeline_of_equal_beginnings_fits_them_once():
    fits = []

    class Counting(StandardScaler):
        def fit(self, X, y=None):
            fits.append(1)
            return super().fit(X, y)

    pipeline = Pipeline([("scale", Counting()), ("svc", SVC())])
    plain = SearchCV(pipeline, {"svc__C": [0.1, 1, 10]}, strategy="grid", cv=4, refit=False).fit(X, Y)
    assert len(fits) == 4
    theirs = GridSearchCV(pipeline, {"svc__C": [0.1, 1, 10]}, cv=4).fit(X, Y)
    np.testing.assert_array_equal(plain.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


def test_more_budget_continues_a_finished_search(tmp_path):
    settings = {"strategy": "genetic", "cv": 3, "random_state": 0}
    space = {"threshold": uniform(-1, 2)}
    SearchCV(Shaky(), space, n_iter=6, journal=tmp_path, **settings).fit(shaky.X, shaky.Y)
    before = (tmp_path / "log.jsonl").read_bytes()
    assert before.count(b"\n") == 1 + 2 * 6
    more = SearchCV(Shaky(), space, n_iter=12, journal=tmp_path, **settings).fit(shaky.X, shaky.Y)
    assert (tmp_path / "log.jsonl").read_bytes().startswith(before)
    whole = SearchCV(Shaky(), space, n_iter=12, **settings).fit(shaky.X, shaky.Y)
    assert_same_results(more.cv_results_, whole.cv_results_)


def test_a_journal_keeps_the_seed_of_a_search_without_one(tmp_path):
    settings = {"strategy": "random", "cv": 2, "journal": tmp_path}
    one = SearchCV(Shaky(), {"threshold": uniform(-1, 2)}, n_iter=5, **settings).fit(shaky.X, shaky.Y)
    two = SearchCV(Shaky(), {"threshold": uniform(-1, 2)}, n_iter=5, **settings).fit(shaky.X, shaky.Y)
    assert_same_results(one.cv_results_, two.cv_results_)


def test_a_search_that_goes_on_from_a_journal_keeps_time_for_the_refit_of_what_it_holds(tmp_path, monkeypatch):
    settings = {"n_iter": 2, "cv": 2, "journal": tmp_path, "random_state": 0, "time_limit": 300, "strategy": "random"}
    search = SearchCV(LogisticRegression(max_iter=500), {"C": loguniform(0.1, 10)}, racing=False, **settings).fit(X, Y)
    seen, real = [], RefitBudget.learn

    def learn(self, result, *more):
        seen.append(result.score)
        real(self, result, *more)

    monkeypatch.setattr(RefitBudget, "learn", learn)
    search.fit(X, Y)
    assert seen == pytest.approx(list(search.cv_results_["mean_test_score"]))
    assert len(seen) == 2
