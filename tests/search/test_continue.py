"""Continued fits: more of the same, and the earlier steps as they were."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline as make_imb_pipeline
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.search import Halving, Random, SearchCV
from skauto.search._continue import can_continue, continue_fit

X, Y = make_classification(200, 6, random_state=0)


@pytest.mark.parametrize(
    ("estimator", "parameter", "expected"),
    [
        (RandomForestClassifier(), "n_estimators", True),
        (HistGradientBoostingClassifier(), "max_iter", True),
        (SGDClassifier(), "max_iter", True),
        (make_pipeline(StandardScaler(), MLPClassifier()), "mlpclassifier__max_iter", True),
        (make_pipeline(StandardScaler(), MLPClassifier()), "standardscaler__with_mean", False),
        (LogisticRegression(), "max_iter", False),  # warm_start there begins at the weights, not at the iteration
        (RandomForestClassifier(), "max_depth", False),
    ],
)
def test_what_can_continue(estimator, parameter, expected):
    assert can_continue(estimator, parameter) is expected


@pytest.mark.parametrize(
    ("estimator", "parameter"),
    [
        (RandomForestClassifier(4, random_state=0), "n_estimators"),
        (GradientBoostingClassifier(n_estimators=4, random_state=0), "n_estimators"),
        (HistGradientBoostingClassifier(max_iter=4, random_state=0), "max_iter"),
    ],
)
def test_trees_that_go_on_are_the_trees_of_one_fit(estimator, parameter):
    continued = continue_fit(estimator.fit(X, Y), parameter, 4, 9, X, Y)
    whole = type(estimator)(**{parameter: 9, "random_state": 0}).fit(X, Y)
    np.testing.assert_allclose(continued.predict_proba(X), whole.predict_proba(X))
    assert continued.get_params()[parameter] == 9
    assert continued.get_params()["warm_start"] is False


@pytest.mark.lightgbm
def test_lightgbm_adds_rounds():
    from lightgbm import LGBMClassifier

    settings = {"verbose": -1, "n_jobs": 1, "random_state": 0}
    model = LGBMClassifier(n_estimators=4, **settings).fit(X, Y)
    continued = continue_fit(model, "n_estimators", 4, 9, X, Y)
    whole = LGBMClassifier(n_estimators=9, **settings).fit(X, Y)
    assert continued.booster_.num_trees() == 9
    np.testing.assert_allclose(continued.predict_proba(X), whole.predict_proba(X), rtol=1e-4)


def test_epochs_go_on():
    model = SGDClassifier(max_iter=3, tol=None, random_state=0).fit(X, Y)
    steps = model.t_
    continue_fit(model, "max_iter", 3, 8, X, Y)
    assert model.t_ - steps == 5 * len(Y)
    assert model.max_iter == 8


def test_skorch_goes_on():
    torch = pytest.importorskip("torch")
    from skorch import NeuralNetClassifier

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(6, 2), torch.nn.Softmax(dim=-1))
    net = NeuralNetClassifier(module, max_epochs=2, verbose=0, train_split=None).fit(X.astype("float32"), Y)
    assert can_continue(net, "max_epochs")
    continue_fit(net, "max_epochs", 2, 5, X.astype("float32"), Y)
    assert len(net.history) == 5


def test_earlier_steps_are_frozen():
    pipeline = make_pipeline(StandardScaler(), SGDClassifier(max_iter=2, tol=None, random_state=0)).fit(X, Y)
    mean = pipeline[0].mean_
    continue_fit(pipeline, "sgdclassifier__max_iter", 2, 4, X, Y)
    assert pipeline[0].mean_ is mean


def test_resamplers_draw_as_before():
    x, y = make_classification(200, 6, weights=[0.8], random_state=0)
    last = RandomForestClassifier(4, random_state=0)
    pipeline = make_imb_pipeline(StandardScaler(), SMOTE(random_state=0), last).fit(x, y)
    whole = make_imb_pipeline(StandardScaler(), SMOTE(random_state=0), RandomForestClassifier(9, random_state=0))
    continue_fit(pipeline, "randomforestclassifier__n_estimators", 4, 9, x, y)
    np.testing.assert_allclose(pipeline.predict_proba(x), whole.fit(x, y).predict_proba(x))


def test_promoted_trials_of_a_search_continue(tmp_path):
    """The trees of a promoted trial begin with its origin's, whose models are kept until then and no longer."""
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(random_state=0))
    space = {"randomforestclassifier__max_depth": [1, 2, 3, 4]}
    strategy = Halving(Random(), factor=2, min_fidelity=1 / 4, n_initial=4, max_brackets=1)
    settings = {"strategy": strategy, "cv": 2, "n_iter": 99, "random_state": 0}
    fits = []

    def trees(estimator, X, y):
        fits.append([id(tree) for tree in estimator[-1].estimators_])
        return float(len(estimator[-1].estimators_) + estimator[-1].max_depth)

    made = SearchCV(pipeline, space, fidelity=("randomforestclassifier__n_estimators", 1, 8), **settings)
    made.set_params(scoring=trees, journal=tmp_path).fit(X, Y)
    assert made.cv_results_["param_randomforestclassifier__n_estimators"].tolist() == [2] * 4 + [4] * 2 + [8]
    assert [len(trees) for trees in fits] == [2] * 8 + [4] * 4 + [8] * 2
    assert made.best_params_["randomforestclassifier__max_depth"] == 4
    kept = {path.name.split("-")[0] for path in (tmp_path / "models").iterdir()}
    promoted = {str(trial.tags["halving"]["parent"]) for trial in made.history_.trials[4:]}
    assert not kept & promoted
