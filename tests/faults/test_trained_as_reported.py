"""What a search reports is what it trained: settings of populations, effort of winners, trials that go on."""

import json

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skauto.resample import CostSensitiveClassifier, PriorCorrectedClassifier, RandomOverSampler, ResamplingClassifier
from skauto.search import PBT, SearchCV, maximize

X, Y = make_classification(120, 5, n_informative=3, random_state=0)
NET = {"max_iter": 9, "random_state": 0}


class Logged(ClassifierMixin, BaseEstimator):
    """Learns nothing but a log of the learning rates that it was trained with; a middle one scores best."""

    def __init__(self, lr=0.1, max_epochs=10):
        self.lr = lr
        self.max_epochs = max_epochs

    def fit(self, X, y):
        self.classes_, self.log_ = np.unique(y), []
        for _ in range(self.max_epochs):
            self.partial_fit(X, y)
        return self

    def partial_fit(self, X, y):
        self.log_.append(self.lr)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def closeness(estimator, X, y):
    """Scores only where the last epochs were trained with the settings that the estimator shows."""
    n_new = max(1, len(estimator.log_) // 5)
    assert set(estimator.log_[-n_new:]) == {estimator.lr}
    assert len(estimator.log_) == estimator.max_epochs
    return -abs(np.log10(estimator.lr) + 2)


def test_a_population_trains_with_the_settings_that_it_reports():
    """Members that explored went on with their parent's learning rate, and on later folds began anew."""
    seen = []

    def score(estimator, X, y):
        seen.append((len(estimator.log_), tuple(estimator.log_)))
        return closeness(estimator, X, y)

    search = SearchCV(
        Logged(), {"lr": loguniform(1e-5, 1)}, strategy=PBT(population=6, steps=5), n_iter=30, cv=3, racing=False,
        fidelity="epochs", scoring=score, random_state=0, refit=False, error_score="raise",
    ).fit(X, Y)  # fmt: skip
    results = search.cv_results_
    folds = [seen[3 * row : 3 * row + 3] for row in range(30)]
    for row, params in enumerate(results["params"]):
        logs = {log for _, log in folds[row]}
        assert len(logs) == 1, "every fold went the same way"
        assert logs.pop()[-2:] == (params["lr"],) * 2
    explored = [row for row in range(30) if results["continued_from"][row] >= 0]
    assert len(explored) == 24, "all members of later steps went on"
    for row in explored:  # what came before is what its origin was trained with
        origin = results["continued_from"][row]
        assert folds[row][0][1][: folds[origin][0][0]] == folds[origin][0][1]
    rates = np.array([params["lr"] for params in results["params"]])
    assert (rates[explored] != rates[results["continued_from"][explored]]).any(), "some explored"


def test_another_architecture_does_not_go_on_from_old_weights():
    """Weights of another network cannot be what the reported one learnt: such a member is trained from the start."""
    space = {"hidden_layer_sizes": [(3,), (5,), (7,)], "learning_rate_init": loguniform(1e-4, 1e-1)}

    def widths(estimator, X, y):
        assert estimator.coefs_[0].shape[1] == estimator.hidden_layer_sizes[0]
        assert estimator._optimizer.learning_rate_init == estimator.learning_rate_init
        return estimator.learning_rate_init

    search = SearchCV(
        MLPClassifier(**NET), space, strategy=PBT(population=6, steps=3), n_iter=18, cv=2, scoring=widths,
        fidelity="epochs", random_state=0, refit=False, error_score="raise", racing=False,
    )  # fmt: skip
    results = fit_quietly(search).cv_results_
    for row in np.flatnonzero(results["continued_from"] >= 0):
        origin = results["params"][results["continued_from"][row]]
        assert origin["hidden_layer_sizes"] == results["params"][row]["hidden_layer_sizes"]


def fit_quietly(search, X=X, Y=Y):
    """Few epochs on purpose: networks of scikit-learn warn that they have not converged."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(X, Y)


FOREST = RandomForestClassifier(27, max_depth=2, random_state=0)
SCHEDULES = ["halving", "hyperband", "bohb", "auto"]
# The same code continues under all of them.
SOME_SLOW = ["halving", "auto", *(pytest.param(name, marks=pytest.mark.slow) for name in ("hyperband", "bohb"))]


@pytest.mark.parametrize("strategy", SCHEDULES)
def test_few_trials_reach_the_full_effort(strategy):
    """Ten trials were all of the first rung: none was promoted, and the winner was refitted with 3 of 27 trees."""
    search = SearchCV(
        FOREST, {"max_depth": [1, 2, 3, 4, 5, 6, 7, 8], "min_samples_leaf": [1, 2, 3]}, strategy=strategy, n_iter=10,
        fidelity=("n_estimators", 3, 27), cv=2, random_state=0, scoring="neg_log_loss",
    ).fit(X, Y)  # fmt: skip
    assert search.cv_results_["param_n_estimators"].tolist() == [3] * 7 + [9] * 2 + [27]
    assert search.best_params_["n_estimators"] == 27
    assert len(search.best_estimator_.estimators_) == 27


@pytest.mark.parametrize("strategy", [*SCHEDULES, "pbt"])
@pytest.mark.parametrize("n_iter", [1, 2, 3, 6, 11, 24, 40])
def test_every_number_of_trials_ends_with_a_full_one(strategy, n_iter):
    history = maximize(
        lambda params, fidelity: params["x"] * fidelity, {"x": list(range(100))}, strategy=strategy, fidelity=1 / 9,
        n_iter=n_iter, random_state=0,
    )  # fmt: skip
    assert len(history) == n_iter
    assert history.best() is not None
    assert history.trials[-1].fidelity == 1


class Interrupted:
    """A strategy that only ever asks for a third of the effort, as a search stopped by the clock has."""

    def __init__(self, base):
        self.base = base

    def ask(self, history, n):
        from dataclasses import replace

        return [replace(trial, fidelity=1 / 3) for trial in self.base.ask(history, n)]


def test_without_a_full_trial_the_winner_is_refitted_in_full_with_a_warning():
    from skauto.search import Random

    search = SearchCV(
        FOREST,
        {"max_depth": [1, 2, 3]},
        strategy=Interrupted(Random()),
        n_iter=3,
        fidelity=("n_estimators", 3, 27),
        cv=2,
    )
    with pytest.warns(UserWarning, match="no trial at full fidelity"):
        search.fit(X, Y)
    assert set(search.cv_results_["param_n_estimators"]) == {9}
    assert search.best_params_["n_estimators"] == search.best_estimator_.n_estimators == 27


def boosters():
    """Every way of going on that scikit-learn alone has."""
    yield FOREST, "n_estimators"
    yield GradientBoostingClassifier(n_estimators=9, max_depth=1, random_state=0), "n_estimators"
    yield HistGradientBoostingClassifier(max_iter=9, max_leaf_nodes=3, random_state=0), "max_iter"
    yield SGDClassifier(max_iter=9, tol=None, random_state=0), "max_iter"
    yield MLPClassifier(hidden_layer_sizes=(4,), **NET), "max_iter"


def space_of(estimator, prefix=""):
    """A parameter that changes nothing of how it goes on."""
    for name, values in {
        "max_depth": [1, 2, 3, 4],
        "alpha": [1e-4, 1e-3, 1e-2, 1e-1],
        "num_leaves": [2, 3, 4, 5],
    }.items():
        if name in estimator.get_params():
            return {prefix + name: values}
    return {prefix + "lr": [0.01, 0.02, 0.03, 0.04]}


def check_goes_on(estimator, prefix, inner, strategy="halving", X=X, Y=Y):
    search = SearchCV(
        estimator, space_of(inner, prefix), strategy=strategy, n_iter=4, cv=2, fidelity="epochs", random_state=0,
        error_score="raise",
    )  # fmt: skip
    results = fit_quietly(search, X, Y).cv_results_
    assert np.isfinite(results["mean_test_score"]).all()
    assert (results["fidelity"] == 1).any()
    assert (results["continued_from"][results["fidelity"] > results["fidelity"].min()] >= 0).all()


@pytest.mark.parametrize("strategy", SOME_SLOW)
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("place", range(5))
def test_promoted_trials_go_on_bare_and_in_a_pipeline(place, wrap, strategy):
    """A bare forest or booster called itself without end, since it is its own last step."""
    estimator, _ = list(boosters())[place]
    name = type(estimator).__name__.lower()
    if wrap:
        check_goes_on(make_pipeline(StandardScaler(), estimator), f"{name}__", estimator, strategy)
    else:
        check_goes_on(estimator, "", estimator, strategy)


@pytest.mark.lightgbm
@pytest.mark.parametrize("strategy", SCHEDULES)
def test_lightgbm_goes_on_bare(strategy):
    """It got `init_model` twice."""
    from lightgbm import LGBMClassifier

    booster = LGBMClassifier(n_estimators=9, verbose=-1, n_jobs=1, random_state=0)
    check_goes_on(booster, "", booster, strategy)
    check_goes_on(make_pipeline(StandardScaler(), booster), "lgbmclassifier__", booster, strategy)


@pytest.mark.parametrize(
    ("estimator", "space"),
    [
        (MLPClassifier((4,), early_stopping=True, **NET), {"alpha": [0.1, 0.2, 0.5, 1.0]}),
        (SGDClassifier(max_iter=9, class_weight="balanced", random_state=0), {"alpha": [0.1, 0.2, 0.5, 1.0]}),
        (BaggingClassifier(n_estimators=9, oob_score=True, random_state=0), {"max_samples": [0.3, 0.5, 0.7, 0.9]}),
    ],
)
def test_what_cannot_go_on_starts_over(estimator, space):
    """Their partial_fit, or growing with other settings, raises: every promoted trial failed."""
    search = SearchCV(
        estimator, space, strategy="halving", n_iter=4, cv=2, fidelity="epochs", random_state=0, error_score="raise"
    )
    assert (fit_quietly(search).cv_results_["continued_from"] == -1).all()


def skorch_net():
    torch = pytest.importorskip("torch")
    from skorch import NeuralNetClassifier

    module = torch.nn.Sequential(torch.nn.Linear(5, 2), torch.nn.Softmax(dim=-1))
    return NeuralNetClassifier(module, max_epochs=9, verbose=0, train_split=None)


@pytest.mark.parametrize("strategy", ["halving", "auto"])
def test_skorch_goes_on_bare(strategy):
    check_goes_on(skorch_net(), "", skorch_net(), strategy, X.astype("float32"), Y)


WRAPPERS = {
    "threshold": lambda net: FixedThresholdClassifier(net, threshold=0.4),
    "resampling": lambda net: ResamplingClassifier(net, RandomOverSampler(random_state=0)),
    "costs": lambda net: CostSensitiveClassifier(net, cost_matrix=np.array([[0, 1], [3, 0]])),
    "priors": PriorCorrectedClassifier,
    "calibrated": lambda net: CalibratedClassifierCV(net, cv=2),
    "once": lambda net: CalibratedClassifierCV(net, cv=2, ensemble=False),
    "twice": lambda net: FixedThresholdClassifier(ResamplingClassifier(net, RandomOverSampler(random_state=0))),
}


@pytest.mark.parametrize("strategy", ["halving", pytest.param("auto", marks=pytest.mark.slow)])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_are_looked_through(wrapper, strategy):
    """`fidelity="epochs"` refused a net inside a threshold, a resampling, cost-sensitive or calibrating classifier."""
    net = MLPClassifier(hidden_layer_sizes=(4,), **NET)
    prefix = "estimator__estimator__" if wrapper == "twice" else "estimator__"
    check_goes_on(WRAPPERS[wrapper](net), prefix, net, strategy)
    pipeline = make_pipeline(StandardScaler(), WRAPPERS[wrapper](net))
    check_goes_on(pipeline, f"{pipeline.steps[-1][0]}__{prefix}", net, strategy)


def test_inside_a_wrapper_the_trees_are_those_of_one_fit():
    """What goes on inside a threshold is what it was: the first trees of the promoted forest are its origin's."""
    seen = {}

    def trees(estimator, X, y):
        inner = estimator.estimator_
        seen.setdefault(inner.n_estimators, []).append([tree.random_state for tree in inner.estimators_])
        assert type(inner) is RandomForestClassifier
        return float(inner.n_estimators)

    search = SearchCV(
        FixedThresholdClassifier(FOREST), {"estimator__max_depth": [2, 3]}, strategy="halving", n_iter=4, cv=2,
        fidelity=("estimator__n_estimators", 3, 27), scoring=trees, error_score="raise", refit=False, random_state=0,
    ).fit(X, Y)  # fmt: skip
    assert len(search.cv_results_["params"]) == 4
    for last in seen[27]:
        assert any(last[:9] == before for before in seen[9])
        assert any(last[:3] == before for before in seen[3])


@pytest.mark.parametrize("strategy", ["halving", "hyperband", "bohb"])
def test_without_a_fidelity_schedules_save_on_rows(strategy):
    """They were refused; scikit-learn's halving searches take rows."""
    sizes = []

    def rows(estimator, X, y):
        sizes.append(int(estimator.tree_.n_node_samples[0]))
        return float(estimator.max_depth)

    tree = DecisionTreeClassifier(random_state=0)
    search = SearchCV(
        tree, {"max_depth": [1, 2, 3, 4, 5, 6, 7]}, strategy=strategy, n_iter=10, cv=2, scoring=rows, random_state=0
    ).fit(X, Y)
    assert search.cv_results_["fidelity"].tolist() == pytest.approx([1 / 9] * 7 + [1 / 3] * 2 + [1])
    assert sizes[0] < sizes[-1] == 60
    assert search.best_estimator_.tree_.n_node_samples[0] == 120


def test_a_journal_goes_on_with_more_trials(tmp_path):
    """A bracket that was sized for ten trials is kept as it was when the same search goes on to twenty."""
    settings = {"strategy": "halving", "fidelity": ("n_estimators", 3, 27), "cv": 2, "random_state": 0}
    settings["scoring"] = "neg_log_loss"
    space = {"max_depth": [1, 2, 3, 4, 5, 6, 7, 8], "min_samples_leaf": [1, 2, 3]}
    few = SearchCV(FOREST, space, n_iter=10, journal=tmp_path, **settings).fit(X, Y)
    more = SearchCV(FOREST, space, n_iter=20, journal=tmp_path, **settings).fit(X, Y)
    trees = more.cv_results_["param_n_estimators"].tolist()
    assert trees[:10] == few.cv_results_["param_n_estimators"].tolist() == [3] * 7 + [9] * 2 + [27]
    assert len(trees) == 20 and trees[-1] == 27
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
