"""What a fidelity means."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, SGDClassifier
from sklearn.svm import SVC

from skauto.search._fidelity import Fidelity, last_step, read_fidelity, stratifies
from skauto.search._space import Space

SPACE = Space({"alpha": [0.1, 1.0]})


def test_rows_are_nested_and_keep_rare_classes():
    y = np.array([0] * 190 + [1] * 10)
    train = np.arange(200)
    fidelity = Fidelity(None, min_class_rows=6)
    few, some = (fidelity.rows(y, train, fraction, seed=0) for fraction in (1 / 9, 1 / 3))
    assert set(few) < set(some) < set(train)
    assert (y[few] == 1).sum() == (y[some] == 1).sum() == 6
    assert (y[some] == 0).sum() == 64
    assert fidelity.rows(y, train, 1.0, seed=0) is train


def test_rows_without_classes():
    rows = Fidelity(None).rows(np.linspace(0, 1, 90), np.arange(90), 1 / 9, seed=0, stratify=False)
    assert len(rows) == 10
    assert set(rows) < set(Fidelity(None).rows(None, np.arange(90), 1 / 3, seed=0))


def test_bounds_of_rows():
    fidelity = Fidelity(None, 20, 60)
    assert [fidelity.amount(fraction, 1000) for fraction in (0.1, 0.5, 1.0)] == [20, 30, 60]
    assert fidelity.amount(1.0, 40) == 40


def test_a_parameter():
    fidelity = read_fidelity(("max_iter", 2, 90), SGDClassifier(), SPACE)
    assert [fidelity.values(fraction) for fraction in (0.01, 1 / 9, 1.0)] == [{"max_iter": k} for k in (2, 10, 90)]
    assert fidelity.rows(None, np.arange(5), 0.1, seed=0).tolist() == list(range(5))


def test_where_auto_begins():
    assert Fidelity(None).least == Fidelity("max_iter", 1, 90).least == 1 / 9
    assert Fidelity("max_iter", 30, 90).least == 1 / 3


def test_epochs_are_the_last_steps():
    estimator = make_pipeline(SMOTE(), SGDClassifier(max_iter=40))
    assert read_fidelity("epochs", estimator, SPACE) == Fidelity("sgdclassifier__max_iter", 1, 40)
    assert read_fidelity("epochs", RandomForestClassifier(), SPACE).parameter == "n_estimators"
    step, prefix = last_step(estimator)
    assert step is estimator[-1]
    assert prefix == "sgdclassifier__"


def test_neighbours_of_a_resampler_set_the_least_rows():
    assert read_fidelity("rows", make_pipeline(SMOTE(k_neighbors=9), SVC()), SPACE).min_class_rows == 10
    assert read_fidelity("rows", SVC(), SPACE).min_class_rows == 6
    assert read_fidelity("rows", SVC(), SPACE, min_class_rows=2).min_class_rows == 2


@pytest.mark.parametrize(
    ("fidelity", "error", "words"),
    [
        ("row", TypeError, "must be 'rows', 'epochs' or"),
        (("max_itr", 1, 9), ValueError, "no parameter of SGDClassifier"),
        (("max_iter", 9, 1), ValueError, "1 <= low <= high"),
        (("max_iter", 1.0, 9), ValueError, "needs integers"),
        (("alpha", 1, 9), ValueError, "part of the space too"),
    ],
)
def test_bad_fidelities(fidelity, error, words):
    with pytest.raises(error, match=words):
        read_fidelity(fidelity, SGDClassifier(), SPACE)


def test_no_epochs():
    with pytest.raises(ValueError, match="the last step of LinearRegression, and what it wraps, has none of"):
        read_fidelity("epochs", LinearRegression(), SPACE)


def test_what_can_be_stratified():
    assert stratifies(SVC(), [0, 1, 1])
    assert not stratifies(LinearRegression(), [0, 1, 1])
    assert not stratifies(SVC(), None)
    assert not stratifies(SVC(), [0.5, 1.5])
