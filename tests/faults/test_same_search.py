"""A journal is taken up by the same search, in any process, and by no other: folds, costs, scorers, code, settings.

Other searches were let in (their scores stood beside the old ones, and stored probabilities beside the wrong rows), and
the same search was locked out where a function was a parameter, since its address in memory counted.
"""

import inspect
import json
import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform, uniform
from sklearn.datasets import make_classification
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skauto import AutoClassifier
from skauto.search import Genetic, SearchCV, maximize

pytestmark = pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")

X, Y = make_classification(80, 4, flip_y=0.2, weights=[0.6], random_state=0)

# What a user writes: functions, classes and helpers, all of which @NUMBER@ changes.
MINE = """
import functools
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import f1_score, make_scorer

import helpers

WEIGHT = @NUMBER@


def body(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y)) * @NUMBER@


def by_global(estimator, X, y):
    return WEIGHT * float(np.mean(estimator.predict(X) == y))


def by_helper(estimator, X, y):
    return helpers.scaled(float(np.mean(estimator.predict(X) == y)))


def by_import(estimator, X, y):
    from helpers import scaled

    return scaled(float(np.mean(estimator.predict(X) == y)))


def weighted(by):
    def inner(estimator, X, y):
        return by * float(np.mean(estimator.predict(X) == y))

    return inner


@functools.wraps(f1_score)
def wrapped(y, predicted):
    return f1_score(y, predicted) * @NUMBER@


@functools.lru_cache
def cached(x):
    return x * @NUMBER@


def squash(X):
    return np.tanh(X * @NUMBER@)


def far(a, b):
    return float(np.abs(a - b).sum() * @NUMBER@)


class Thing:
    # No repr: its address would stand there.
    def __init__(self):
        self.by = @NUMBER@


class Cut(ClassifierMixin, BaseEstimator):
    def __init__(self, cut=0.0, thing=None, function=None):
        self.cut = cut
        self.thing = thing
        self.function = function

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > self.cut).astype(int)]


class Helped(Cut):
    def predict(self, X):
        return super().predict(helpers.scaled(X))


class First:
    # A strategy of one's own, without a repr.
    def __init__(self):
        self.by = @NUMBER@

    def ask(self, history, n):
        from skauto.search._trial import Trial

        return [Trial(len(history), history.space.nth(len(history)))] if len(history) < 2 else []
"""

SEARCHES = """
import functools, json, sys, warnings
import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skauto.search import SearchCV, maximize
import mine

X, y = make_classification(60, 4, random_state=0)
CUT, CUTS = mine.Cut(), {"cut": [0.0, 0.1]}
SQUASHED = make_pipeline(FunctionTransformer(mine.squash), LogisticRegression())
CASES = {
    "body": (CUT, CUTS, {"scoring": mine.body}),
    "global": (CUT, CUTS, {"scoring": mine.by_global}),
    "helper": (CUT, CUTS, {"scoring": mine.by_helper}),
    "import": (CUT, CUTS, {"scoring": mine.by_import}),
    "closure": (CUT, CUTS, {"scoring": mine.weighted(@NUMBER@)}),
    "wrapped": (CUT, CUTS, {"scoring": make_scorer(mine.wrapped)}),
    "lambda": (CUT, CUTS, {"scoring": lambda e, X, y: @NUMBER@ * float(np.mean(e.predict(X) == y))}),
    "several": (CUT, CUTS, {"scoring": {"a": "accuracy", "b": mine.body}, "refit": "a"}),
    "function": (SQUASHED, {"logisticregression__C": [0.1, 1.0]}, {}),
    "metric": (KNeighborsClassifier(metric=mine.far), {"n_neighbors": [3, 5]}, {}),
    "partial": (mine.Cut(function=functools.partial(mine.far, @NUMBER@)), CUTS, {}),
    "cached": (mine.Cut(function=mine.cached), CUTS, {}),
    "object": (mine.Cut(thing=mine.Thing()), CUTS, {}),
    "choices": (CUT, {"function": [None, lambda: @NUMBER@], "thing": [mine.Thing(), {"b", "a", "c"}]}, {}),
    "class": (mine.Helped(), CUTS, {}),
    "strategy": (CUT, CUTS, {"strategy": mine.First()}),
}


def outcome(fit, n_trials):
    try:
        return "same" if n_trials(fit()) == 2 else "odd"
    except ValueError as error:
        return str(error)


told = {}
for name, (estimator, space, settings) in CASES.items():
    settings = {"strategy": "grid", "n_iter": 2, "cv": 2, "random_state": 0, **settings}
    search = SearchCV(estimator, space, journal=sys.argv[1] + "/" + name, **settings)
    told[name] = outcome(lambda: search.fit(X, y), lambda made: len(made.cv_results_["params"]))
told["maximize"] = outcome(
    lambda: maximize(lambda p: mine.cached(p["x"]), {"x": [1, 2]}, n_iter=2, journal=sys.argv[1] + "/m"),
    lambda made: len(made.results),
)
print(json.dumps(told))
"""

HELPERS = "def scaled(x):\n    return x * @NUMBER@\n\n\ndef other(x):\n    return x + @OTHER@\n"


def told(folder, number=1, other=1, seed="0", journals="j"):
    """What each search says in a process of its own."""
    for name, text in (("mine", MINE), ("searches", SEARCHES), ("helpers", HELPERS)):
        (folder / f"{name}.py").write_text(text.replace("@NUMBER@", f"{number}.0").replace("@OTHER@", str(other)))
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(folder / "searches.py"), str(folder / journals)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_same_script_goes_on_and_an_edited_one_is_refused(tmp_path):
    """Two processes with other hash seeds, then one whose functions, helpers, lambdas and objects were edited."""
    assert set(told(tmp_path).values()) == {"same"}
    logs = {path: path.read_bytes() for path in tmp_path.glob("j/*/log.jsonl")}
    assert len(logs) == 17
    assert set(told(tmp_path, other=2, seed="7").values()) == {"same"}  # nobody calls what was edited
    assert {path: path.read_bytes() for path in logs} == logs
    answers = told(tmp_path, number=2)
    assert [name for name, answer in answers.items() if "belongs to another search" not in answer] == []
    named = {"body": "scoring", "helper": "scoring", "import": "scoring", "class": "estimator", "function": "estimator",
             "choices": "space", "strategy": "strategy", "maximize": "objective"}  # fmt: skip
    assert {name: part in answers[name].split("another search: ")[1] for name, part in named.items()} == dict.fromkeys(
        named, True
    )
    assert "scaled" in answers["helper"]
    assert "WEIGHT" in answers["global"]
    assert {path: path.read_bytes() for path in logs} == logs


def written(source, **around):
    """What a source text defines as `made`."""
    exec(textwrap.dedent(source), around)
    return around["made"]


def quick(journal, **changes):
    """An AutoClassifier of two cheap trials."""
    given = {"n_iter": 2, "time_limit": None, "cv": 2, "n_jobs": 1, "random_state": 0, "verbose": 0,
             "candidates": ["naive_bayes"], "journal": journal}  # fmt: skip
    return AutoClassifier(**{**given, **changes})


def refused(fit, *parts):
    with pytest.raises(ValueError, match="belongs to another search") as caught:
        fit()
    for part in parts:
        assert f"{part} was " in str(caught.value)


def test_probabilities_are_never_put_beside_other_folds(tmp_path):
    """An unseeded shuffle draws other folds in each fit: old probabilities stood beside the rows of the new ones."""
    settings = {"cv": StratifiedKFold(2, shuffle=True)}
    quick(tmp_path, **settings).fit(X, Y)
    refused(lambda: quick(tmp_path, **settings).fit(X, Y), "folds")
    seeded = {"cv": StratifiedKFold(2, shuffle=True, random_state=3)}
    first = quick(tmp_path / "b", **seeded).fit(X, Y)
    again = quick(tmp_path / "b", **seeded).fit(X, Y)
    assert again.threshold_ == first.threshold_
    np.testing.assert_array_equal(again.predict_proba(X), first.predict_proba(X))


def test_more_time_goes_on(tmp_path):
    """Models that a result carries stay out of the journal, and another limit is no other search."""
    given = {"candidates": ["naive_bayes"], "cv": 2, "random_state": 0, "verbose": 0, "n_jobs": 1, "journal": tmp_path}
    AutoClassifier(time_limit=60, n_iter=1, **given).fit(X, Y)
    more = AutoClassifier(time_limit=90, n_iter=2, **given).fit(X, Y)
    assert len(more.cv_results_["params"]) == 2
    assert len((tmp_path / "log.jsonl").read_bytes()) < 20_000


def test_the_default_folds_of_a_search_without_a_seed_are_those_of_its_journal(tmp_path):
    first = quick(tmp_path, random_state=None).fit(X, Y)
    again = quick(tmp_path, random_state=None).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), first.predict_proba(X))


def test_search_cv_refuses_other_folds(tmp_path):
    search = SearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=KFold(3, shuffle=True), journal=tmp_path)
    search.fit(X, Y)
    refused(lambda: search.fit(X, Y), "folds")
    with pytest.raises(ValueError, match="a splitter that shuffles needs a random_state"):
        search.fit(X, Y)


def test_a_random_state_that_moves_on_is_the_same_search(tmp_path):
    state = np.random.RandomState(0)
    first = quick(tmp_path, random_state=state).fit(X, Y)
    again = quick(tmp_path, random_state=state).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), first.predict_proba(X))


METRIC = "def made(y, predicted): return {} * f1_score(y, predicted)"


def test_scorers_and_constraints_of_auto_classifier_by_their_code(tmp_path):
    """Body of a metric inside make_scorer; a lambda and its bound: edited ones were accepted."""
    scorers = [make_scorer(written(METRIC.format(by), f1_score=f1_score)) for by in (1, 1, 2)]
    quick(tmp_path / "s", scoring=scorers[0]).fit(X, Y)
    quick(tmp_path / "s", scoring=scorers[1]).fit(X, Y)
    refused(lambda: quick(tmp_path / "s", scoring=scorers[2]).fit(X, Y), "scoring")
    size = [written(f"made = lambda model, X, y: {by}.0") for by in (1, 1, 2)]
    quick(tmp_path / "c", constraints={"size": (size[0], 0.0)}).fit(X, Y)
    quick(tmp_path / "c", constraints={"size": (size[1], 0.0)}).fit(X, Y)
    refused(lambda: quick(tmp_path / "c", constraints={"size": (size[2], 0.0)}).fit(X, Y), "constraints")
    refused(lambda: quick(tmp_path / "c", constraints={"size": (size[1], 0.5)}).fit(X, Y), "constraints")


# For each parameter another value, and the words that name it where a journal refuses it.
AUTO_REFUSED = {
    "scoring": ("roc_auc", "scoring"),
    "strategy": ("genetic", "strategy"),
    "time_limit": (60, "mode"),
    "cv": (3, "folds"),
    "candidates": (["naive_bayes", "logistic"], "candidates"),
    "kind": ("sequence", "kind"),
    "pos_label": (0, "pos_label"),
    "cost_matrix": ([[0, 1], [500, 0]], "cost_matrix"),
    "constraints": ({"bytes": 10_000_000}, "constraints"),
    "random_state": (1, "random_state"),
    "holdout": (0.2, "data"),
}
AUTO_DOES_NOT_MATTER = {
    "n_iter": (3, "more trials go on from those that are there"),
    "ensemble": (False, "is made of the trials once they are done"),
    "journal": (None, "is where it is written"),
    "n_jobs": (2, "the trials are the same on any number of workers"),
    "executor": (None, "the trials are the same wherever they run"),
    "memory_limit": ("3GB", "ends trials, and each result says so"),
    "verbose": (0, "only tells"),
}


def test_every_parameter_of_auto_classifier_is_decided_upon():
    assert AUTO_REFUSED.keys() | AUTO_DOES_NOT_MATTER.keys() == set(AutoClassifier().get_params())


@pytest.fixture(scope="module")
def auto_journal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("auto")
    quick(folder).fit(X, Y)
    return folder


@pytest.mark.parametrize("name", AUTO_REFUSED)
def test_auto_classifier_refuses(name, auto_journal):
    value, part = AUTO_REFUSED[name]
    rows = X[:, :, None] if name == "kind" else X
    changes = {"candidates": ["extra_trees"], name: value} if name == "kind" else {name: value}
    refused(lambda: quick(auto_journal, **changes).fit(rows, Y), part)


@pytest.mark.parametrize("name", [name for name, (value, _) in AUTO_DOES_NOT_MATTER.items() if value is not None])
def test_auto_classifier_goes_on(name, auto_journal):
    value, _ = AUTO_DOES_NOT_MATTER[name]
    quick(auto_journal, **{name: value}).fit(X, Y)


def test_other_rows_labels_weights_and_groups_are_refused(auto_journal):
    refused(lambda: quick(auto_journal).fit(X + 1, Y), "data")
    refused(lambda: quick(auto_journal).fit(X, np.where(Y == 1, "yes", "no")), "labels")
    refused(lambda: quick(auto_journal).fit(X, Y, sample_weight=np.arange(80) + 1.0), "sample_weight")
    refused(lambda: quick(auto_journal).fit(X, Y, groups=np.arange(80) // 4), "groups")


STEPS = Genetic(population=4)
SEARCH_REFUSED = {
    "estimator": (LogisticRegression(tol=1e-3), "estimator"),
    "space": ({"C": loguniform(0.1, 20)}, "space"),
    "scoring": ("f1", "scoring"),
    "strategy": (STEPS, "strategy"),
    "cv": (3, "folds"),
    "time_limit": (60, "mode"),
    "racing": (True, "racing"),
    "fidelity": (("max_iter", 10, 100), "fidelity"),
    "error_score": (0.0, "error_score"),
    "return_train_score": (True, "return_train_score"),
    "random_state": (1, "random_state"),
}
SEARCH_DOES_NOT_MATTER = {
    "n_iter": (3, "more trials go on from those that are there"),
    "n_jobs": (None, "the trials are the same on any number of workers"),
    "refit": (False, "comes after the search; of several scores the one it names is told by `metric`"),
    "constraints": (None, "choose among the trials once they are done"),
    "min_class_rows": (7, "matters with a fidelity alone, and is told by it"),
    "rescore": (True, "comes after the search"),
    "trial_time_limit": (60, "ends trials, and each result says so"),
    "memory_limit": (None, "ends trials, and each result says so"),
    "journal": (None, "is where it is written"),
    "executor": (None, "the trials are the same wherever they run"),
    "verbose": (0, "only tells"),
}


def searched(journal, **changes):
    given = {"estimator": LogisticRegression(), "space": {"C": loguniform(0.1, 10)}, "strategy": "random", "n_iter": 2,
             "cv": 2, "random_state": 0, "journal": journal}  # fmt: skip
    return SearchCV(**{**given, **changes})


def test_every_parameter_of_search_cv_is_decided_upon():
    names = set(SearchCV(LogisticRegression(), {"C": [1]}).get_params(deep=False))
    assert SEARCH_REFUSED.keys() | SEARCH_DOES_NOT_MATTER.keys() == names


@pytest.fixture(scope="module")
def search_journal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    searched(folder).fit(X, Y)
    return folder


@pytest.mark.parametrize("name", SEARCH_REFUSED)
def test_search_cv_refuses(name, search_journal):
    value, part = SEARCH_REFUSED[name]
    refused(lambda: searched(search_journal, **{name: value}).fit(X, Y), part)


@pytest.mark.parametrize("name", [name for name, (value, _) in SEARCH_DOES_NOT_MATTER.items() if value is not None])
def test_search_cv_goes_on(name, search_journal):
    value, _ = SEARCH_DOES_NOT_MATTER[name]
    searched(search_journal, **{name: value}).fit(X, Y)


def test_of_several_scores_another_one_to_maximise_is_refused(tmp_path):
    settings = {"scoring": ["accuracy", "f1"], "strategy": "genetic"}
    searched(tmp_path, refit="accuracy", **settings).fit(X, Y)
    refused(lambda: searched(tmp_path, refit="f1", **settings).fit(X, Y), "metric")


def test_rows_that_each_class_keeps_are_told_by_the_fidelity(tmp_path):
    settings = {"strategy": "halving", "fidelity": "rows"}
    searched(tmp_path, min_class_rows=4, **settings).fit(X, Y)
    refused(lambda: searched(tmp_path, min_class_rows=9, **settings).fit(X, Y), "fidelity")


def test_other_weights_and_rows_of_search_cv_are_refused(search_journal):
    refused(lambda: searched(search_journal).fit(X + 1, Y), "data")
    refused(lambda: searched(search_journal).fit(X, Y, sample_weight=np.ones(80)), "fit_params")


MAXIMIZE_REFUSED = {
    "objective": (lambda p: -p["x"], "objective"),
    "space": ({"x": uniform(0, 2)}, "space"),
    "strategy": ("genetic", "strategy"),
    "fidelity": (0.5, "fidelity"),
    "random_state": (1, "random_state"),
}


def test_every_parameter_of_maximize_is_decided_upon():
    assert MAXIMIZE_REFUSED.keys() | {"n_iter", "journal"} == inspect.signature(maximize).parameters.keys()


@pytest.mark.parametrize("name", MAXIMIZE_REFUSED)
def test_maximize_refuses(name, tmp_path):
    given = {"objective": lambda p: p["x"], "space": {"x": uniform(0, 1)}, "strategy": "random", "fidelity": None,
             "random_state": 0}  # fmt: skip
    maximize(**given, n_iter=2, journal=tmp_path)
    assert len(maximize(**given, n_iter=4, journal=tmp_path).results) == 4
    value, part = MAXIMIZE_REFUSED[name]
    refused(lambda: maximize(**{**given, name: value}, n_iter=2, journal=tmp_path), part)


def test_spaces_of_anything_that_draws(tmp_path):
    """An object with rvs alone could not be told to a journal: AttributeError."""

    class Coin:
        def __init__(self, sides):
            self.sides = sides

        def rvs(self, random_state=None):
            return random_state.randint(self.sides)

    for _ in range(2):
        maximize(lambda p: p["x"], {"x": Coin(2)}, n_iter=2, random_state=0, journal=tmp_path)
    refused(lambda: maximize(lambda p: p["x"], {"x": Coin(3)}, n_iter=2, random_state=0, journal=tmp_path), "space")


@pytest.mark.slow
def test_tables_whose_blocks_lie_otherwise_are_the_same(tmp_path):
    table = pd.DataFrame(X, columns=list("abcd")).assign(e=1, f="x")
    again = pd.DataFrame({name: table[name].copy() for name in table})
    quick(tmp_path).fit(table, Y)
    quick(tmp_path).fit(again, Y)
    again.loc[3, "f"] = "y"
    refused(lambda: quick(tmp_path).fit(again, Y), "data")


def test_caches_and_threads_are_no_difference_and_parameters_are_named(tmp_path):
    """A Pipeline whose steps are cached in a new temporary folder each time is the same one."""

    def pipeline(folder, C=1.0, n_jobs=None):
        steps = [FunctionTransformer(), KNeighborsClassifier(n_jobs=n_jobs), LogisticRegression(C=C)]
        return make_pipeline(steps[0], StackingClassifier([("knn", steps[1])], steps[2], cv=2), memory=str(folder))

    settings = {"space": {"stackingclassifier__passthrough": [True, False]}, "strategy": "grid"}
    searched(tmp_path / "j", estimator=pipeline(tmp_path / "one"), **settings).fit(X, Y)
    searched(tmp_path / "j", estimator=pipeline(tmp_path / "two", n_jobs=1), **settings).fit(X, Y)
    with pytest.raises(ValueError, match="parameter .*final_estimator__C|LogisticRegression.C=2.0"):
        searched(tmp_path / "j", estimator=pipeline(tmp_path / "one", C=2.0), **settings).fit(X, Y)


def test_no_address_stands_in_a_journal(tmp_path):
    searched(tmp_path, scoring=lambda e, X, y: 1.0, space={"C": [1.0, 2.0], "class_weight": [None]}).fit(X, Y)
    assert not re.search(r"0x[0-9a-f]{6}", (tmp_path / "log.jsonl").read_text())
