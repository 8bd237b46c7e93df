"""Candidates of the user's own compete beside the built-in ones, and wrong ones are refused before the search."""

import subprocess
import sys
import textwrap
import threading
from dataclasses import replace

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline as with_samplers
from scipy.stats import loguniform, norm, randint, uniform
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skauto import AutoClassifier, Candidate, load_model, save_model
from skauto.automl._check_builtin import changes_of, nearest
from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import kind_named
from skauto.automl._select_candidates import select_candidates
from skauto.automl.evaluation._fold_models import pack, unpack
from skauto.resample import SMOTE
from skauto.search._dimensions import Choice, Continuous, Quantile, Whole
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
        (lambda: Candidate("mine", SCALED, SPACE, weight=-1), ValueError, "weight=-1 of Candidate.'mine'. .* finite"),
        (lambda: Candidate("mine", SCALED, SPACE, weight=np.inf), ValueError, "weight=inf of Candidate.'mine'."),
        (lambda: Candidate("mine", SCALED, SPACE, weight=np.nan), ValueError, "weight=nan of Candidate.'mine'."),
        (lambda: Candidate("mine", SCALED, SPACE, weight=None), TypeError, "weight=None of Candidate.'mine'."),
        (lambda: Candidate("mine", SCALED, None), TypeError, "space of Candidate.'mine'.*list of dicts, got None"),
        (lambda: Candidate("mine", SCALED, []), ValueError, "space of Candidate.'mine'.*is an empty list"),
        (
            lambda: Candidate("mine", SCALED, {"logisticregression__C": 1.0}),
            TypeError,
            r"space of Candidate.'mine'.: parameter 'logisticregression__C' .* write \[1.0\]",
        ),
        (lambda: Candidate("mine", SCALED, SPACE, initial={}), TypeError, r"initial={} of Candidate.'mine'.*\[{}\]"),
        (
            lambda: Candidate("mine", SCALED, SPACE, initial=["C"]),
            TypeError,
            "initial=.'C'. .* must be a list of dicts",
        ),
        (
            lambda: Candidate("mine", SCALED, {"logisticregression__class_weight": [threading.Lock()]}),
            TypeError,
            "space of Candidate.'mine'. has for 'logisticregression__class_weight' cannot be pickled",
        ),
        (
            lambda: Candidate("mine", SCALED, SPACE, imbalance=[("SMOTE",), ("smote",)]),
            ValueError,
            "imbalance of Candidate.'mine'. has 'smote'.*did you mean 'SMOTE'",
        ),
        (lambda: Candidate("mine", SCALED, SPACE, imbalance=3), TypeError, "imbalance of .* list of names, got 3"),
        (
            lambda: Candidate("mine", KNeighborsClassifier(), imbalance=["SMOTE", "class_weight"]),
            ValueError,
            "imbalance of Candidate.'mine'. has 'class_weight', but KNeighborsClassifier has no .* leave it out",
        ),
        (
            lambda: Candidate("mine", make_pipeline(StandardScaler(), GaussianNB()), imbalance=[("class_weight",)]),
            ValueError,
            "has 'class_weight', but Pipeline has no class_weight",
        ),
        (lambda: Candidate("mine", SCALED, SPACE, prepare="yes"), TypeError, "prepare='yes'"),
        (lambda: Candidate("mine", Homebound(), {}), TypeError, "cannot be pickled"),
        (lambda: Candidate.builtin("lightgbn"), ValueError, "did you mean 'lightgbm'"),
        (lambda: Candidate.builtin("cnn"), ValueError, "no built-in candidate of kind 'table'"),
        (lambda: Candidate.builtin("cnn", kind="picture"), ValueError, "kind='picture'"),
        (lambda: Candidate.builtin("svm", samplers=["nope"]), ValueError, "has 'nope'"),
        (lambda: Candidate.builtin("svm", initial=[{"C": "x"}]), ValueError, "initial.0."),
        (lambda: Candidate.builtin("svm", initial=[{"c": 1.0}]), ValueError, "initial.0.*did you mean 'C'"),
        (lambda: Candidate.builtin("svm", initial={"C": 1.0}), TypeError, "initial={'C': 1.0} .* list of dicts"),
        (
            lambda: Candidate.builtin("svm", samplers=[("foo",)]),
            ValueError,
            r"samplers of Candidate.builtin\('svm'\) has 'foo'; known are",
        ),
        (
            lambda: Candidate.builtin("knn", samplers=["class_weight"]),
            ValueError,
            r"samplers of Candidate.builtin\('knn'\) has 'class_weight', but KNeighborsClassifier has no",
        ),
        (
            lambda: Candidate.builtin("hist_boosting", space={"max_leaf_node": [4, 8]}),
            ValueError,
            r"Candidate.builtin\('hist_boosting'\) has 'max_leaf_node', .* allowed are .* mean 'max_leaf_nodes'",
        ),
        (
            lambda: Candidate.builtin("svm", space={"cv": [3]}),
            ValueError,
            r"Candidate.builtin\('svm'\) has 'cv', which it does not take",
        ),
        (
            lambda: Candidate.builtin("logistic", space={"C": 5}),
            TypeError,
            r"Candidate.builtin\('logistic'\): parameter 'C' must be a list .* write \[5\]",
        ),
        (
            lambda: Candidate.builtin("logistic", space=[{"C": [5]}]),
            TypeError,
            r"space of Candidate.builtin\('logistic'\) must be one dict .* without a list",
        ),
        (
            lambda: Candidate.builtin("knn", space={"metric": [threading.Lock()]}),
            TypeError,
            r"Candidate.builtin\('knn'\) has for 'metric' cannot be pickled",
        ),
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
        (["auto", "-svn"], ValueError, "'-svn' is none of those.*did you mean '-svm'"),
        (["auto", "-svm", "svm"], ValueError, "'svm' is named and left out"),
        (["auto", Candidate("svm", SCALED)], ValueError, "Candidate.'svm'. has the name .* out by '-svm'"),
        ([Candidate.builtin("cnn", kind="image")], ValueError, "'cnn', kind='image'.* but X is taken for 'table'"),
        (["auto", Candidate.builtin("rocket", kind="sequence")], ValueError, "'rocket', kind='sequence'.* for 'table'"),
        (
            [Candidate.builtin("svm", kind="image", space={"C": [1.0]})],
            ValueError,
            r"'svm', kind='image'.* choose some of .* by Candidate.builtin\(name, kind='table'\)",
        ),
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


def test_a_built_in_one_of_tables_is_refused_for_series():
    profile = replace(PROFILE, kind=kind_named("sequence"))
    with pytest.raises(ValueError, match="'svm', kind='table'.* but X is taken for 'sequence'"):
        select_candidates(["auto", Candidate.builtin("svm")], profile)
    # A name that is there in both kinds is told apart.
    with pytest.raises(ValueError, match="'lightgbm', kind='table'"):
        select_candidates([Candidate.builtin("lightgbm", space={"num_leaves": [7]})], profile)
    same = Candidate.builtin("extra_trees", kind="sequence", samplers=[])
    assert select_candidates([same], profile)[0] == [same]


def test_a_name_of_a_built_in_one_is_free_where_that_does_not_compete():
    own = Candidate("svm", SCALED, SPACE)
    assert names(own) == ["svm"] and names("logistic", own) == ["logistic", "svm"]
    chosen, _ = select_candidates(["auto", "-svm", own], PROFILE)
    assert [candidate for candidate in chosen if candidate.name == "svm"] == [own]


# First configurations that are moved.
FIRST = {
    "logistic": [{}, {"C": 0.1, "splines": 8, "scaler": "quantile"}],
    "extra_trees": [{}, {"min_samples_leaf": 1, "criterion": "gini"}],
}


@pytest.mark.parametrize(
    ("name", "space", "first"),
    [
        ("logistic", {"C": [0.25, 4.0]}, [{"C": 0.25, "splines": None}, {"C": 0.25, "splines": 8}]),
        ("logistic", {"splines": [4], "C": [9.0]}, [{"C": 9.0, "splines": 4}, {"scaler": "quantile"}]),
        ("logistic", {"C": loguniform(1, 2)}, [{"C": 1.0}, {"C": 1.0}]),
        ("extra_trees", {"min_samples_leaf": randint(5, 9)}, [{"min_samples_leaf": 5}, {"criterion": "gini"}]),
        ("extra_trees", {"max_features": [0.2, 0.4]}, [{"max_features": 0.2}, {"max_features": 0.2}]),
        # An added one is as its classifier has it, where that lies in the space.
        ("extra_trees", {"min_samples_split": [8, 2]}, [{"min_samples_split": 2}, {"min_samples_split": 2}]),
        ("extra_trees", {"max_depth": [6, 3]}, [{"max_depth": 6}, {"max_depth": 6}]),
        ("extra_trees", {"max_leaf_nodes": randint(10, 21)}, [{"max_leaf_nodes": 15}, {"max_leaf_nodes": 15}]),
        # What became the same is tried once.
        ("extra_trees", {"min_samples_leaf": [3], "criterion": ["gini"]}, [{"max_features": "sqrt"}]),
        ("svm", {"splines": [4, 8]}, [{"splines": 4}]),
        ("mlp", {"hidden_size": [256]}, [{"hidden_size": 256}]),
    ],
)
def test_first_configurations_are_moved_into_another_space(name, space, first):
    begun = [*FIRST.get(name, [{}])]
    known = replace(Candidate.builtin(name), initial=begun, ranks=range(len(begun)))
    changed = replace(known, **changes_of(known, "table", space, None, None))
    found = changed.initial_configurations()
    assert [rank for rank, _ in found] == [*range(len(first))]
    for (_, values), expected in zip(found, first, strict=True):
        assert set(values) == set(changed.space) and {**values, **expected} == values
    assert set(changed.defaults) == set(changed.space)


@pytest.mark.lightgbm
def test_a_widened_lightgbm_is_tried_in_a_short_search():
    wide = Candidate.builtin("lightgbm", space={"max_depth": [3, 5], "num_leaves": [7, 15], "max_bin": [63]})
    assert {values["num_leaves"] for _, values in wide.initial_configurations()} <= {7, 15}
    auto = fitted(candidates=[wide, "naive_bayes"], n_iter=2)
    assert complete(auto, "lightgbm")["params"].map(lambda params: params["max_depth"]).tolist() == [3, 3]
    with pytest.raises(ValueError, match="'num_leafs', which it does not take.*did you mean 'num_leaves'"):
        Candidate.builtin("lightgbm", space={"num_leafs": [4, 8]})


def test_configurations_of_the_user_need_not_repeat_what_was_narrowed():
    narrow = Candidate.builtin("logistic", space={"C": [2.0, 4.0]}, initial=[{"splines": 4}, {"C": 4.0}])
    assert [values["C"] for _, values in narrow.initial_configurations()] == [2.0, 4.0]


@pytest.mark.parametrize(
    ("dimension", "value", "expected"),
    [
        (Choice([7, 15]), 12, 15),
        (Choice(["a", 2.0]), 2, 2.0),
        (Choice(["a", 2.0]), "b", "a"),
        (Choice([True, False]), 0, True),
        (Continuous(0.5, 2.0), 9, 2.0),
        (Continuous(0.5, 2.0), 1.25, 1.25),
        (Continuous(1.0, 4.0, log=True), None, 2.0),
        (Whole(3, 8), 2.6, 3),
        (Whole(3, 8), 11, 8),
        (Quantile(norm(3.0), discrete=False), "scale", 3.0),
    ],
)
def test_the_nearest_value(dimension, value, expected):
    found = nearest(dimension, value)
    assert found == pytest.approx(expected) and type(found) is type(expected)


def test_class_weights_of_a_step_that_the_space_chooses():
    steps = {"logisticregression": [LogisticRegression(), GaussianNB()]}
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).set_params(logisticregression=GaussianNB())
    chosen = Candidate("mine", pipeline, steps, imbalance=["class_weight"])
    assert chosen.imbalance == (("class_weight",),)
    forest = Candidate.builtin("extra_trees", samplers=["class_weight"])
    assert forest.imbalance == (("class_weight",),)


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
        board = model.leaderboard_
        print("squares", board[board["candidate"] == "squares"]["score"].max() > 0.9)
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
    with pytest.raises(ValueError, match="'neuralnetclassifier__module__out_featurs'.*mean .*__module__out_features'"):
        Candidate("net", net, {"neuralnetclassifier__module__out_featurs": [2, 3]})


def test_a_module_that_takes_anything_or_is_chosen_by_the_space():
    torch = pytest.importorskip("torch")
    from skorch import NeuralNetClassifier

    class Anything(torch.nn.Linear):
        def __init__(self, **given):
            super().__init__(**given)

    Candidate("net", NeuralNetClassifier(Anything), {"module__anything": [2, 3]})
    chosen = {"module": [torch.nn.Linear, torch.nn.Bilinear], "module__in1_features": [2, 3]}
    Candidate("net", NeuralNetClassifier(torch.nn.Linear), chosen)
    with pytest.raises(
        ValueError, match=r"'module__in1_features'; of its 'module' Linear takes \['module__in_features'"
    ):
        Candidate("net", NeuralNetClassifier(torch.nn.Linear), {"module__in1_features": [2, 3]})
