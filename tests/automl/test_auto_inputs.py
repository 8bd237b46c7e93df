"""AutoClassifier on any table, and a clear error for every input that is none."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.model_selection import KFold

from tests.support.autos import all_complete, mixed_table, quick

# Half of the targets here have 0 as the rarer class, which is said; one test is about that.
pytestmark = pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")


@pytest.fixture(scope="module")
def table():
    return mixed_table()


@pytest.fixture(scope="module")
def fitted(table):
    """One search over the mixed table, shared by the tests that only look."""
    return quick(n_iter=3).fit(*table)


def test_every_kind_of_column(fitted, table):
    assert all_complete(fitted)
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert fitted.kind_ == "table"
    assert fitted.feature_names_in_.tolist() == table[0].columns.tolist()
    assert fitted.score(*table) > 0.6


def test_columns_in_another_order(fitted, table):
    turned = table[0].iloc[:, ::-1]
    np.testing.assert_array_equal(fitted.predict_proba(turned), fitted.predict_proba(table[0]))


def test_unseen_categories_and_new_gaps(fitted, table):
    X = table[0].assign(colour="mauve", kind="x", town=None, whole=pd.NA, day=pd.NaT, flag=True)
    X["a(b)"] = np.nan
    with pytest.warns(UserWarning, match="unseen categories: 'kind' .90 of 90 filled cells., 'colour' ") as told:
        np.testing.assert_allclose(fitted.predict_proba(X).sum(axis=1), 1)
    assert len(told) == 1
    with pytest.warns(UserWarning, match="unseen categories: 'kind'"):
        assert set(fitted.best_estimator_.predict(X)) <= {"no", "yes"}


def test_the_score_is_that_of_scikit_learn(fitted, table):
    from sklearn.metrics import f1_score

    X, y = table
    assert fitted.score(X, y) == pytest.approx(f1_score(y, fitted.predict(X), pos_label=fitted.pos_label_))
    weight = np.random.default_rng(0).uniform(0.1, 2, len(y))
    expected = f1_score(y, fitted.predict(X), pos_label=fitted.pos_label_, sample_weight=weight)
    assert fitted.score(X, y, weight.tolist()) == pytest.approx(expected)


def test_labels_to_score_must_be_known(fitted, table):
    X, y = table
    with pytest.raises(ValueError, match="labels that fit never saw: \\['perhaps'\\]"):
        fitted.score(X, np.where(y == "no", "perhaps", y))
    with pytest.raises(ValueError, match="X has 90 rows, but y has 89"):
        fitted.score(X, y[1:])


def test_a_missing_column_at_predict(fitted, table):
    with pytest.raises(ValueError, match="colour"):
        fitted.predict(table[0].drop(columns="colour"))


def test_what_a_fit_tells(fitted):
    assert fitted.best_score_ == fitted.leaderboard_.query("chosen == 'best'")["score"].item()
    assert set(fitted.leaderboard_["candidate"]) == {"ensemble", "naive_bayes", "logistic"}
    assert fitted.budget_.index.tolist() == ["inspect", "search", "ensemble", "refit", "total"]
    parts = fitted.budget_["used"].drop("total").sum()
    assert 0 < parts <= fitted.budget_.loc["total", "used"]
    assert len(fitted.cv_results_["params"]) == 3


@pytest.mark.slow
@pytest.mark.lightgbm
def test_boosting_takes_every_kind_of_column(table):
    auto = quick(candidates=["lightgbm", "hist_boosting", "extra_trees"], n_iter=5).fit(*table)
    assert all_complete(auto)
    turned = table[0].iloc[:, ::-1].assign(kind="x", whole=pd.NA)
    with pytest.warns(UserWarning, match="unseen categories: 'kind'"):
        assert auto.predict(turned).shape == (90,)


X60 = np.random.default_rng(0).normal(size=(60, 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    "labels",
    [
        np.arange(60) % 2 == 0,
        np.arange(60) % 3 - 1,
        pd.Series(np.arange(60) % 2).map({0: "b", 1: "a"}).astype("category"),
        pd.array((np.arange(60) % 2).tolist(), dtype="Int64"),
        pd.array(np.where(np.arange(60) % 2, "on", "off"), dtype="string"),
    ],
    ids=["bool", "negative ints", "category", "Int64", "string"],
)
def test_labels_of_any_type(labels):
    auto = quick(n_iter=1).fit(X60, labels)
    assert all_complete(auto)
    known = set(np.unique(np.asarray(labels)).tolist())
    assert set(auto.classes_.tolist()) == known
    assert set(auto.predict(X60).tolist()) <= known
    assert 0 <= auto.score(X60, labels) <= 1


@pytest.mark.slow
def test_classes_of_one_and_two_rows():
    y = np.array(["a", "b", "c"] * 20)
    y[:3] = ["one", "two", "two"]
    auto = quick().fit(X60, y)
    assert all_complete(auto)
    assert auto.predict_proba(X60).shape == (60, 5)
    assert auto.best_estimator_.predict_proba(X60).shape == (60, 5)
    np.testing.assert_array_equal(auto.best_estimator_.classes_, auto.classes_)


@pytest.mark.slow
@pytest.mark.lightgbm
def test_a_rare_last_class_and_early_stopping():
    y = np.repeat([0, 1, 2], [100, 98, 2])
    X = np.random.default_rng(0).normal(size=(200, 3)) + y[:, None]
    assert all_complete(quick(candidates=["lightgbm"]).fit(X, y))


@pytest.mark.slow
def test_two_positives_in_all():
    with pytest.warns(UserWarning, match="y: only class 0 is ever held back") as caught:
        auto = quick().fit(X60, (np.arange(60) < 2).astype(int))
    assert caught[0].filename == __file__
    assert all_complete(auto)
    assert auto.pos_label_ == 1


@pytest.mark.slow
def test_twelve_rows():
    auto = quick(cv=5).fit(X60[:12], ["a", "b"] * 6)
    assert all_complete(auto)
    assert auto.threshold_ == 0.5


@pytest.mark.slow
def test_a_wide_table():
    X = np.random.default_rng(0).normal(size=(100, 1000))
    assert all_complete(quick(candidates=["lightgbm", "logistic"], n_iter=3).fit(X, X[:, 0] > 0))


@pytest.mark.slow
@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_array])
def test_sparse(make):
    X = make(sp.random(80, 30, density=0.2, random_state=0))
    auto = quick(candidates=["lightgbm", "logistic", "extra_trees"], n_iter=4).fit(X, np.arange(80) % 2)
    assert all_complete(auto)
    assert auto.predict(X).shape == (80,)


@pytest.mark.slow
def test_numbered_columns():
    X = pd.DataFrame(X60, columns=[10, 20, 30])
    auto = quick(n_iter=1).fit(X, np.arange(60) % 2)
    assert auto.predict(X[[30, 20, 10]]).tolist() == auto.predict(X).tolist()


@pytest.mark.slow
def test_weights_and_groups():
    rng = np.random.default_rng(0)
    y = (X60[:, 0] > 0).astype(int)
    auto = quick(n_iter=3).fit(X60, y, sample_weight=rng.uniform(0.5, 2, 60), groups=np.arange(60) // 3)
    assert all_complete(auto)


@pytest.mark.slow
def test_groups_are_respected_by_the_score():
    """Rows of a group are copies with one random label: with copies on both sides they would be known."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    X, y = rng.normal(size=(40, 6))[groups], rng.integers(2, size=40)[groups]
    honest = quick(candidates=["knn"], n_iter=1, scoring="roc_auc").fit(X, y, groups=groups)
    assert honest.best_score_ < 0.75
    assert quick(candidates=["knn"], n_iter=1, scoring="roc_auc").fit(X, y).best_score_ > 0.85


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [np.asarray, lambda X: pd.DataFrame(X, columns=["a", "b"]), sp.csr_matrix], ids=["array", "frame", "sparse"]
)
def test_numbers_too_large_for_float32(make):
    y = np.arange(60) % 2
    X = X60[:, :2] + y[:, None]
    for table in (X, np.where(X > 0.5, 1e308, -1e308)):
        auto = quick(n_iter=3, candidates=["extra_trees", "logistic", "svm"]).fit(make(table), y)
        assert all_complete(auto)
        later = make(np.array([[1e39, 0], [-1e308, 1e300]]))
        assert np.isfinite(auto.predict_proba(later)).all()
        assert np.isfinite(auto.best_estimator_.predict_proba(later)).all()


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [4, 6])
def test_support_vectors_on_a_few_rows(n_rows):
    assert all_complete(quick(n_iter=1, candidates=["svm"]).fit(X60[:n_rows], np.arange(n_rows) % 2))


# Faults of the input, each with what names it


def bad_values():
    y = np.arange(60) % 2
    gaps = [*["a", "b"] * 29, "a", None]
    infinite = X60.copy()
    infinite[7, 1] = np.inf
    doubled = pd.DataFrame(X60, columns=["u", "v", "u"])
    return {
        "NaN in y": (X60, np.where(np.arange(60) == 5, np.nan, y), "row 5"),
        "None in y": (X60, gaps, "y contains NaN"),
        "one class": (X60, np.zeros(60), "one class"),
        "lengths": (X60, y[:50], "X has 60 rows, y has 50"),
        "infinity": (infinite, y, "infinity: column 1, first in row 7"),
        "no rows": (X60[:0], [], "0 sample"),
        "twice": (doubled, y, "duplicate column names: 'u'"),
    }


@pytest.mark.parametrize("fault", bad_values())
def test_faults_of_the_data(fault):
    X, y, message = bad_values()[fault]
    with pytest.raises(ValueError, match=message):
        quick().fit(X, y)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategy": "ranodm"}, "Did you mean 'random'"),
        ({"scoring": "f1_makro"}, "did you mean 'f1_macro'"),
        ({"candidates": ["lightgmb"]}, "did you mean 'lightgbm'"),
        ({"pos_label": "yes"}, "pos_label='yes' is not among the classes \\[0, 1\\]"),
        ({"n_iter": None}, "time_limit=None needs n_iter"),
        ({"memory_limit": "lots"}, "memory_limit='lots'.*such as '4GB'"),
        ({"cv": 1}, "'cv' parameter"),
        ({"cv": KFold}, "cv=KFold is a class: pass an object"),
        ({"n_jobs": 0}, "n_jobs=0 has no meaning"),
        ({"time_limit": 0}, "'time_limit' parameter"),
        ({"n_iter": 0}, "'n_iter' parameter"),
    ],
)
def test_faults_of_the_settings(changes, message):
    with pytest.raises(ValueError, match=message):
        quick(**changes).fit(X60, np.arange(60) % 2)


def test_a_positive_class_of_many_means_nothing():
    with pytest.raises(ValueError, match="pos_label=1 is for two classes, but y has 3"):
        quick(pos_label=1).fit(X60, np.arange(60) % 3)


def test_zero_as_positive_class_is_said():
    data = X60, (np.arange(60) > 10).astype(int)
    with pytest.warns(UserWarning, match="which is 0 here; pass pos_label=1"):
        auto = quick(n_iter=1).fit(*data)
    assert auto.pos_label_ == 0
