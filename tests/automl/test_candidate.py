"""Candidates of the user's own compete beside the built-in ones, and wrong ones are refused before the search."""

import subprocess
import sys
import textwrap

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline as with_samplers
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skauto import AutoClassifier, Candidate, load_model, save_model
from skauto.automl._data_profile import DataProfile
from skauto.automl._select_candidates import select_candidates
from skauto.automl.evaluation._fold_models import pack, unpack
from skauto.resample import SMOTE
from tests.support.autos import quick

X, CODES = make_classification(240, 5, weights=[0.75], flip_y=0.02, random_state=0)
Y = np.array(["no", "yes"])[CODES]
FRAME = pd.DataFrame(X, columns=list("abcde"))
SCALED = make_pipeline(StandardScaler(), LogisticRegression())
SPACE = {"logisticregression__C": loguniform(1e-2, 1e2)}
MINE = Candidate("mine", SCALED, SPACE)
PROFILE = DataProfile(n_rows=200, n_columns=4, n_classes=2, sparse=False, threads=1, early_stopping=False)


class Sees(TransformerMixin, BaseEstimator):
    """Refuses anything but a DataFrame with the columns of the user, as they came."""

    def fit(self, X, y=None):
        assert list(X.columns) == [*"abcde", "town"] and X["town"].iloc[0] in ("Ulm", "Rom"), X
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return self.fit(X) and X[list("abcde")].to_numpy()


def complete(auto, name="mine"):
    """Rows of a candidate that were evaluated."""
    return auto.leaderboard(details=True).query("candidate == @name and status == 'complete'")


def fitted(*candidates, **changes):
    given = {"candidates": ["naive_bayes", *candidates], "n_iter": 6, "pos_label": "yes"}
    return quick(**{**given, **changes}).fit(FRAME, Y)


def test_it_competes_beside_a_built_in_one_and_is_saved(tmp_path):
    auto = fitted(MINE)
    assert len(complete(auto)) >= 2 and len(complete(auto, "naive_bayes")) >= 1
    assert complete(auto)["params"].map(lambda params: "logisticregression__C" in params).all()
    assert auto.best_params_["candidate"] == "mine"
    best = auto.best_estimator_.steps[-1][1].estimator_
    assert list(best.named_steps) == ["standardscaler", "logisticregression"]
    assert best.classes_.tolist() == ["no", "yes"]
    save_model(auto, tmp_path / "model")
    np.testing.assert_array_equal(load_model(tmp_path / "model").predict_proba(FRAME), auto.predict_proba(FRAME))


def test_alone_it_is_as_good_as_its_pipeline():
    auto = quick(candidates=[Candidate("plain", SCALED)], n_iter=1, ensemble=False, pos_label="yes").fit(FRAME, Y)
    expected = clone(SCALED).fit(FRAME, Y).predict_proba(FRAME)
    np.testing.assert_allclose(auto.predict_proba(FRAME), expected)
    assert len(complete(auto, "plain")) == 1


@pytest.mark.parametrize("strategy", ["random", "genetic", "tpe", "halving", "auto", "annealing"])
def test_under_every_kind_of_strategy(strategy):
    assert len(complete(fitted(MINE, strategy=strategy, n_iter=8)))


def test_configurations_tried_first():
    given = Candidate("mine", SCALED, SPACE, initial=[{"logisticregression__C": 7.0}, {"logisticregression__C": 0.7}])
    auto = fitted(given, candidates=[given], n_iter=2)
    params = complete(auto).sort_values("trial")["params"]
    assert [values["logisticregression__C"] for values in params] == [7.0, 0.7]


def test_several_branches_and_choices_of_steps():
    space = [{"standardscaler": ["passthrough", StandardScaler()]}, {"logisticregression__C": [0.1, 10.0]}]
    auto = fitted(Candidate("mine", SCALED, space), n_iter=10)
    tried = {name for params in complete(auto)["params"] for name in params}
    assert tried >= {"standardscaler", "logisticregression__C"}


def test_it_sees_the_table_as_it_was_given():
    table = FRAME.assign(town=np.where(X[:, 0] > 0, "Ulm", "Rom"))
    mine = Candidate("mine", make_pipeline(Sees(), LogisticRegression()), {"logisticregression__C": [0.1, 1.0]})
    auto = quick(candidates=[mine], n_iter=2, pos_label="yes").fit(table, Y)
    assert len(complete(auto)) == 2 and len(auto.predict(table)) == len(Y)


def test_prepared_it_sees_numbers_and_categories():
    table = FRAME.assign(town=np.where(X[:, 0] > 0, "Ulm", "Rom"), price=[f"{value:.2f} EUR" for value in X[:, 1]])
    boosting = HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype")
    mine = Candidate("mine", boosting, {"max_leaf_nodes": [4, 8]}, prepare=True)
    auto = quick(candidates=[mine], n_iter=2, pos_label="yes").fit(table, Y)
    assert len(complete(auto)) == 2
    assert list(auto.best_estimator_.named_steps) == ["clean", "classify"]


def test_it_learns_the_labels_of_the_user():
    weighted = LogisticRegression(class_weight={"no": 1.0, "yes": 4.0})
    assert len(complete(fitted(Candidate("mine", weighted, {"C": [0.1, 1.0, 10.0]}))))


def test_imbalance_strategies_and_samplers_of_its_own():
    strategies = ["class_weight", "SMOTE", "RandomUnderSampler"]
    space = {"C": loguniform(1e-2, 1e2)}
    auto = fitted(Candidate("mine", LogisticRegression(), space, imbalance=strategies), n_iter=24)
    assert {params["imbalance"] for params in complete(auto)["params"]} >= {"none", "SMOTE"}
    assert not (auto.leaderboard_["status"] == "failed").any()
    sampled = with_samplers(SMOTE(random_state=0), LogisticRegression())
    auto = fitted(Candidate("mine", sampled, {"smote__k_neighbors": [3, 5]}))
    assert len(complete(auto))


@pytest.mark.parametrize("fidelity", ["epochs", ("max_iter", 3, 40), "rows", None])
def test_less_effort_means_what_it_is_told_to(fidelity):
    seen = Candidate("mine", Iterating(max_iter=40), {"alpha": uniform(1e-4, 1e-2)}, fidelity=fidelity)
    auto = quick(candidates=[seen], n_iter=13, strategy="halving", pos_label="yes", cv=2)
    X, codes = make_classification(3_000, 5, random_state=0)
    auto.fit(X, np.array(["no", "yes"])[codes])
    board = complete(auto)
    assert (board["fidelity"] < 1).any() and (board["fidelity"] == 1).any()
    assert auto.best_estimator_.steps[-1][1].estimator_.get_params()["max_iter"] == 40


class Iterating(SGDClassifier):
    """Stochastic gradient descent with probabilities."""

    def __init__(self, alpha=1e-3, max_iter=40, random_state=None):
        super().__init__(loss="log_loss", alpha=alpha, max_iter=max_iter, tol=None, random_state=random_state)


def test_weights_reach_the_last_step_of_a_pipeline():
    weight = np.where(CODES == 1, 5.0, 1.0)
    auto = quick(candidates=[Candidate("mine", SCALED)], n_iter=1, ensemble=False, pos_label="yes")
    auto.fit(FRAME, Y, sample_weight=weight)
    expected = clone(SCALED).fit(FRAME, Y, logisticregression__sample_weight=weight).predict_proba(FRAME)
    np.testing.assert_allclose(auto.predict_proba(FRAME), expected)


def test_fold_models_that_know_the_labels_predict_together():
    models = [clone(SCALED).fit(X[part::2], Y[part::2]) for part in (0, 1)]
    bag = pack([make_pipeline(model) for model in models], None, np.array(["no", "yes"]))
    together = unpack(bag, np.array(["no", "yes"]))
    np.testing.assert_allclose(together.predict_proba(X), np.mean([model.predict_proba(X) for model in models], axis=0))


def test_a_journal_is_of_these_candidates(tmp_path):
    first = fitted(MINE, journal=tmp_path)
    again = fitted(Candidate("mine", clone(SCALED), {**SPACE}), journal=tmp_path)
    np.testing.assert_array_equal(first.predict_proba(FRAME), again.predict_proba(FRAME))
    with pytest.raises(ValueError, match="candidates"):
        fitted(Candidate("mine", make_pipeline(StandardScaler(), LogisticRegression(tol=0.1)), SPACE), journal=tmp_path)


def test_it_is_part_of_the_parameters_of_a_classifier():
    auto = AutoClassifier(candidates=["auto", MINE])
    assert clone(auto).candidates[1].name == "mine" and "Candidate('mine')" in repr(auto)
    assert cloudpickle.loads(cloudpickle.dumps(MINE)).name == "mine"


@pytest.mark.parametrize(
    ("made", "error", "said"),
    [
        (lambda: Candidate("mine", LinearRegression()), TypeError, "must be a classifier, got LinearRegression"),
        (lambda: Candidate("mine", LogisticRegression), TypeError, "must be a classifier, got the class LogisticRegr"),
        (lambda: Candidate("mine"), TypeError, "must be a classifier, got None"),
        (lambda: Candidate("mine", LinearSVC()), TypeError, "no predict_proba.*CalibratedClassifierCV"),
        (lambda: Candidate("auto", SCALED), ValueError, "name='auto' .* none of"),
        (lambda: Candidate("-mine", SCALED), ValueError, "does not begin with '-'"),
        (lambda: Candidate("", SCALED), ValueError, "name=''"),
        (lambda: Candidate("mine", SCALED, {"C": [1]}), ValueError, "has 'C', which is no parameter of Pipeline"),
        (
            lambda: Candidate("mine", SCALED, {"logisticregresion__C": [1]}),
            ValueError,
            "did you mean 'logisticregression__C'",
        ),
        (lambda: Candidate("mine", SCALED, SPACE, initial=[{"logisticregression__C": -1.0}]), ValueError, "initial.0."),
        (lambda: Candidate("mine", SCALED, SPACE, imbalance=["smote"]), ValueError, "has 'smote'; known are"),
        (lambda: Candidate("mine", SCALED, SPACE, imbalance="SMOTE"), TypeError, "must be a list"),
        (lambda: Candidate("mine", SCALED, SPACE, fidelity=("nope", 1, 9)), ValueError, "'nope' is no parameter"),
        (lambda: Candidate("mine", SCALED, SPACE, fidelity="rowz"), TypeError, "fidelity must be"),
        (lambda: Candidate("mine", SCALED, SPACE, weight=0), ValueError, "weight=0"),
        (lambda: Candidate("mine", SCALED, SPACE, prepare="yes"), TypeError, "prepare='yes'"),
        (lambda: Candidate("mine", Homebound(), {}), TypeError, "cannot be pickled"),
        (lambda: Candidate.builtin("lightgbn"), ValueError, "did you mean 'lightgbm'"),
        (lambda: Candidate.builtin("cnn"), ValueError, "no built-in candidate of kind 'table'"),
        (lambda: Candidate.builtin("cnn", kind="picture"), ValueError, "kind='picture'"),
        (lambda: Candidate.builtin("svm", samplers=["nope"]), ValueError, "has 'nope'"),
        (lambda: Candidate.builtin("svm", initial=[{"C": "x"}]), ValueError, "initial.0."),
    ],
)
def test_wrong_ones_are_refused_before_the_search(made, error, said):
    with pytest.raises(error, match=said):
        made()


class Homebound(LogisticRegression):
    def __reduce_ex__(self, protocol):
        raise TypeError("this one stays at home")


def names(*given):
    return [candidate.name for candidate in select_candidates(list(given), PROFILE)[0]]


def test_what_is_tried():
    whole = [candidate.name for candidate in select_candidates("auto", PROFILE)[0]]
    assert names("auto", MINE) == [*whole, "mine"]
    assert names("auto", "-svm") == [name for name in whole if name != "svm"]
    assert names("logistic", MINE) == ["logistic", "mine"]
    narrow = Candidate.builtin("lightgbm", space={"num_leaves": [7, 15]}, samplers=["SMOTE"])
    chosen, _ = select_candidates(["auto", narrow], PROFILE)
    assert sorted(candidate.name for candidate in chosen) == sorted(whole)
    changed = next(candidate for candidate in chosen if candidate.name == "lightgbm")
    assert changed.space["num_leaves"] == [7, 15] and changed.imbalance == (("SMOTE",),)
    assert "learning_rate" in changed.space


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ([MINE, MINE], ValueError, "'mine' is taken twice"),
        (["svm", Candidate("svm", SCALED)], ValueError, "'svm' is taken twice"),
        (["svm", "-svm"], ValueError, "'-svm' leaves a candidate of 'auto' out"),
        (["auto", "-svn"], ValueError, "'-svn' is none of those"),
        ([SCALED], ValueError, "entry 0 is Pipeline: .* Candidate\\('mine', Pipeline"),
        (["lightgbn"], ValueError, "did you mean 'lightgbm'"),
    ],
)
def test_wrong_lists(given, error, said):
    with pytest.raises(error, match=said):
        quick(candidates=given).fit(X, CODES)


def test_a_built_in_one_that_is_narrowed_stays_within():
    narrow = Candidate.builtin("logistic", space={"C": [0.25, 4.0]}, initial=[{"C": 4.0}], samplers=[])
    auto = fitted(candidates=[narrow], n_iter=6)
    assert {params["C"] for params in complete(auto, "logistic")["params"]} <= {0.25, 4.0}
    assert {params["imbalance"] for params in complete(auto, "logistic")["params"]} == {"none"}


@pytest.mark.slow
def test_classes_of_a_script_within_a_time_limit(tmp_path, project):
    """As in a notebook: nothing that a worker could import."""
    script = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(project)!r})
        import numpy as np
        from sklearn.base import BaseEstimator, TransformerMixin
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from skauto import AutoClassifier, Candidate

        class Squares(TransformerMixin, BaseEstimator):
            def fit(self, X, y=None):
                return self
            def transform(self, X):
                return np.hstack([X, X ** 2])

        rng = np.random.default_rng(0)
        X = rng.normal(size=(400, 4))
        y = np.where((X ** 2).sum(axis=1) > 4, "out", "in")
        space = {{"logisticregression__C": [0.1, 1, 10]}}
        mine = Candidate("squares", make_pipeline(Squares(), LogisticRegression()), space)
        model = AutoClassifier(candidates=["logistic", mine], time_limit=20, pos_label="out", verbose=0).fit(X, y)
        print(model.best_params_["candidate"], model.best_score_ > 0.9)
        """
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.strip() == "squares True", done.stderr


@pytest.mark.slow
def test_on_dask():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len(complete(fitted(MINE, executor=client.get_executor())))


def test_a_plain_estimator_of_each_kind_of_label():
    for labels in (CODES, CODES.astype(bool), CODES + 7, Y):
        auto = quick(candidates=[Candidate("mine", GaussianNB())], n_iter=1, pos_label=sorted(labels)[-1]).fit(
            X, labels
        )
        assert set(auto.predict(X)) <= set(labels) and len(complete(auto)) == 1


def test_a_parameter_of_the_module_of_a_network_is_one_of_its_own():
    """skorch takes it, and lists it only once it is set."""
    torch = pytest.importorskip("torch")
    from skorch import NeuralNetClassifier

    net = make_pipeline(StandardScaler(), NeuralNetClassifier(torch.nn.Linear))
    candidate = Candidate("net", net, {"neuralnetclassifier__module__out_features": [2, 3]})
    assert candidate.initial_configurations() == []  # it has no value of it as it is
    with pytest.raises(ValueError, match="'standardscaler__out', which is no parameter of Pipeline"):
        Candidate("net", net, {"standardscaler__out": [2, 3]})
