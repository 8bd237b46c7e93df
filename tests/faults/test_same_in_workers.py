"""The same call is the same in workers: configuration, warnings, flags of the interpreter, code, environment."""

import importlib
import os
import subprocess
import sys
import textwrap
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skauto import AutoClassifier
from skauto.search import SearchCV

X, Y = make_classification(120, 5, random_state=0)
PLACES = [{"n_jobs": 2}, {"time_limit": 60}, {"executor": ThreadPoolExecutor}]
NAMES = ["two workers", "a time limit", "an executor"]


class OwnWarning(UserWarning):
    """A category of the user's own."""


class Noisy(ClassifierMixin, BaseEstimator):
    """Warns in each fit."""

    def __init__(self, C=1.0, category=ConvergenceWarning):
        self.C = C
        self.category = category

    def fit(self, X, y):
        warnings.warn("take care", self.category, stacklevel=2)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def search(estimator, space, place=None, fit=None, **settings):
    """A fitted grid search in one of the places, or in this process."""
    place = dict(place or {})
    if "executor" not in place:
        return SearchCV(estimator, space, strategy="grid", cv=2, **place, **settings).fit(X, Y, **(fit or {}))
    with ThreadPoolExecutor(2) as executor:
        place["executor"] = executor
        return SearchCV(estimator, space, strategy="grid", cv=2, **place, **settings).fit(X, Y, **(fit or {}))


def needs_names(frame):
    """A step that works only where the one before gives a DataFrame."""
    return frame[list(frame.columns)]


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_output_as_pandas(place):
    """Workers used to know nothing of scikit-learn's configuration: every fit failed there."""
    pipeline = make_pipeline(StandardScaler(), FunctionTransformer(needs_names), LogisticRegression())
    space = {"logisticregression__C": [0.1, 1.0]}
    with config_context(transform_output="pandas"):
        expected = GridSearchCV(pipeline, space, cv=2).fit(X, Y).cv_results_["mean_test_score"]
        found = search(pipeline, space, place).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_metadata_routing(place):
    weight = np.where(Y == 1, 9.0, 0.1)
    with config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        expected = GridSearchCV(estimator, {"C": [0.01, 1.0]}, cv=2).fit(X, Y, sample_weight=weight)
        found = search(estimator, {"C": [0.01, 1.0]}, place, {"sample_weight": weight})
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")
@pytest.mark.parametrize("config", [{"transform_output": "pandas"}, {"enable_metadata_routing": True}], ids=str)
def test_an_autoclassifier_does_not_depend_on_the_configuration(config):
    settings = {"n_iter": 4, "time_limit": None, "cv": 2, "random_state": 0, "verbose": 0, "n_jobs": 1}
    settings["candidates"] = ["logistic", "hist_boosting", "extra_trees", "naive_bayes"]
    weight = np.where(Y == 1, 2.0, 1.0)
    expected = AutoClassifier(**settings).fit(X, Y, sample_weight=weight).predict_proba(X)
    with config_context(**config):
        found = AutoClassifier(**settings).fit(X, Y, sample_weight=weight)
        np.testing.assert_allclose(found.predict_proba(X), expected)
    assert (found.leaderboard_["status"] == "complete").all(), found.leaderboard_.to_string()


@pytest.mark.parametrize("category", [ConvergenceWarning, OwnWarning], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_warnings_keep_their_category_and_a_flood_is_one(place, category):
    """All used to be UserWarning, one for each fold."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search(Noisy(category=category), {"C": [1.0, 2.0, 3.0]}, place, refit=False)
    found = [(seen.category, str(seen.message)) for seen in caught if "take care" in str(seen.message)]
    assert found == [(category, "take care")]


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_warnings_are_ignored_by_category(place):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        made = search(Noisy(), {"C": [1.0]}, place)
    assert np.isfinite(made.best_score_)


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_warnings_that_are_errors_fail_the_fit_as_they_do_here(place):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ValueError, match="ConvergenceWarning: take care"):
            search(Noisy(), {"C": [1.0]})
        with pytest.raises(ValueError, match="ConvergenceWarning: take care"):
            search(Noisy(), {"C": [1.0]}, place)


SCRIPT = """
    import sys
    sys.path.insert(0, {project!r})
    import numpy as np
    from sklearn.base import BaseEstimator
    from sklearn.datasets import make_classification
    from skauto.search import SearchCV

    class Probe(BaseEstimator):
        def __init__(self, what=0):
            self.what = what
        def fit(self, X, y):
            self.found_ = [sys.flags.isolated, sys.flags.optimize, sys.flags.no_user_site, sys.warnoptions,
                           "sitecustomize_was_here" in sys.modules]
            return self

    def found(estimator, X, y):
        open({note!r}, "a").write(repr(estimator.found_) + "\\n")
        return 1.0

    X, y = make_classification(40, 5, random_state=0)
    here = Probe().fit(X, y).found_
    SearchCV(Probe(), {{"what": [0, 1]}}, cv=2, n_jobs=2, scoring=found).fit(X, y)
    there = set(open({note!r}))
    print("same" if there == {{repr(here) + "\\n"}} else (here, there))
"""


@pytest.mark.slow
@pytest.mark.parametrize("flags", [["-I"], ["-E", "-s"], ["-O"], ["-W", "ignore::ImportWarning"], []], ids=str)
def test_flags_of_the_interpreter_hold_in_workers(tmp_path, project, flags):
    """``python -I`` used to keep foreign code out of this process and to let it into its workers."""
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "sitecustomize.py").write_text("import sys; sys.modules['sitecustomize_was_here'] = sys\n")
    (tmp_path / "script.py").write_text(
        textwrap.dedent(SCRIPT.format(project=str(project), note=str(tmp_path / "note")))
    )
    environment = os.environ | {"PYTHONPATH": str(foreign)}
    command = [sys.executable, *flags, str(tmp_path / "script.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.stdout.strip() == "same", done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES[::2], ids=NAMES[::2])
def test_edited_modules_are_what_workers_run(tmp_path, monkeypatch, place):
    """Workers kept warm since the last search used to run the code as it was then."""
    name = f"skauto_edited_{'_'.join(place)}"  # a name of its own, since workers and this process keep it
    file = tmp_path / f"{name}.py"
    code = """
        import numpy as np
        from sklearn.base import BaseEstimator, ClassifierMixin

        class Constant(ClassifierMixin, BaseEstimator):
            def __init__(self, a=0):
                self.a = a
            def fit(self, X, y):
                self.classes_ = np.unique(y)
                return self
            def score(self, X, y):
                return {}
    """
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file.write_text(textwrap.dedent(code.format("0.25 + self.a")))
    module = importlib.import_module(name)
    assert search(module.Constant(), {"a": [0]}, place).best_score_ == 0.25
    file.write_text(textwrap.dedent(code.format("0.75 + self.a")))
    module = importlib.reload(module)
    assert search(module.Constant(), {"a": [0]}, place).best_score_ == 0.75
    del sys.modules[name]


def read_environment(estimator, X, y):
    return float(os.environ.get("SKAUTO_SCORE_OF_TEST", "nan"))


def test_the_environment_of_now_holds_in_workers_of_before(monkeypatch):
    for score in ("0.5", "0.75"):
        monkeypatch.setenv("SKAUTO_SCORE_OF_TEST", score)
        made = search(LogisticRegression(), {"C": [1.0]}, {"n_jobs": 2}, scoring=read_environment, refit=False)
        assert made.best_score_ == float(score)
