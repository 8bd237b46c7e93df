"""The main paths, once through: with the oldest dependencies, without extras, and with the pinned ones.

Each test is one sentence of the README. They know no warnings as errors: an old library may warn of a newer one.
"""

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto import AutoClassifier, load_model, load_online_shoppers, save_model
from skauto.resample import SMOTE, ResamplingClassifier
from skauto.search import SearchCV, maximize

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def table():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return train_test_split(X, np.array(["malignant", "benign"])[y], random_state=0)


def test_a_table_is_searched_saved_and_predicted_as_before(table, tmp_path):
    X, X_new, y, y_new = table
    auto = AutoClassifier(time_limit=None, n_iter=4, cv=3, random_state=0, verbose=0).fit(X, y)
    assert f1_score(y_new, auto.predict(X_new), pos_label="malignant") > 0.9
    save_model(auto, tmp_path / "model.skauto")
    again = load_model(tmp_path / "model.skauto")
    np.testing.assert_array_equal(again.predict_proba(X_new), auto.predict_proba(X_new))


def test_a_time_limit_is_kept(table):
    X, _, y, _ = table
    auto = AutoClassifier(time_limit=20, random_state=0, verbose=0).fit(X, y)
    assert auto.budget_.loc["total", "used"] < 22
    assert (auto.leaderboard_["status"] == "complete").sum() > 1


def test_mixed_columns_with_gaps_are_read():
    X, y = load_online_shoppers(return_X_y=True)
    X = X[:800].assign(ProductRelated=lambda frame: frame["ProductRelated"].where(frame.index % 7 > 0))
    auto = AutoClassifier(
        candidates=["logistic", "extra_trees"], time_limit=None, n_iter=2, cv=2, random_state=0, verbose=0
    )
    assert auto.fit(X, y[:800]).best_score_ > 0.3


def test_any_pipeline_is_tuned_with_resampling_by_f1(table):
    X, X_new, y, y_new = table
    pipeline = make_pipeline(StandardScaler(), ResamplingClassifier(LogisticRegression(), SMOTE(random_state=0)))
    space = {"resamplingclassifier__estimator__C": loguniform(1e-2, 1e2)}
    search = SearchCV(pipeline, space, n_iter=4, scoring="f1_macro", cv=3, random_state=0).fit(X, y)
    assert f1_score(y_new, search.predict(X_new), average="macro") > 0.9


def test_a_function_is_maximised():
    history = maximize(
        lambda params: -((params["x"] - 3.0) ** 2), {"x": loguniform(0.1, 100)}, n_iter=30, random_state=0
    )
    assert history.best()[1].score > -1


def test_the_command_line_answers():
    done = subprocess.run([sys.executable, "-m", "skauto", "--help"], capture_output=True, text=True, check=True)
    assert "fit" in done.stdout and "predict" in done.stdout
