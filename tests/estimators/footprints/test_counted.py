"""What models are counted to cost: by what they are made of, whatever they are wrapped in."""

import io

import joblib
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skauto.estimators._forests import CompactRandomForestClassifier
from skauto.estimators.footprints._counted import Counted, counted
from skauto.resample import PriorCorrectedClassifier, RandomOverSampler, ResamplingClassifier

X, Y = make_classification(600, 10, n_informative=6, n_classes=3, flip_y=0.2, random_state=0)
TWO = Y > 0


@pytest.mark.parametrize(
    ("model", "ns"),
    [
        (LogisticRegression(), 0.2 * 30),
        (KNeighborsClassifier(algorithm="brute"), 600 * 10 * 0.6),
        (GaussianNB(), 5 * 0.6 * 30),
        (DecisionTreeClassifier(max_leaf_nodes=8), 8 * 4),
        (HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=8), 5 * 3 * 8 * 4),
        (make_pipeline(StandardScaler(), LogisticRegression()), 0.2 * 30),
        (DummyClassifier(), 0),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else None,
)
def test_nanoseconds_follow_from_the_parts(model, ns):
    assert counted(model.fit(X, Y)).ns_per_row == pytest.approx(ns, rel=0.01)


def test_support_vectors_count_with_their_columns():
    model = SVC().fit(X, TWO)
    n_vectors = len(model.support_)
    assert counted(model).ns_per_row == pytest.approx(n_vectors * (10 * 0.6 + 20))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: PriorCorrectedClassifier(model.set_params(class_weight="balanced")),
        lambda model: ResamplingClassifier(model, RandomOverSampler(random_state=0)),
        lambda model: CalibratedClassifierCV(model, cv=3, ensemble=False),
        OneVsRestClassifier,
    ],
    ids=["priors", "resampled", "calibrated", "one_vs_rest"],
)
def test_a_wrapper_costs_what_is_inside(wrap):
    bare = counted(RandomForestClassifier(8, random_state=0).fit(X, TWO)).ns_per_row
    assert counted(wrap(RandomForestClassifier(8, random_state=0)).fit(X, TWO)).ns_per_row == pytest.approx(
        bare, rel=0.2
    )


def test_three_calibrated_models_are_three():
    model = CalibratedClassifierCV(LogisticRegression(), cv=3, ensemble=True).fit(X, TWO)
    assert counted(model).ns_per_row == pytest.approx(3 * 0.2 * 10)


def test_lightgbm_counts_its_rounds():
    lightgbm = pytest.importorskip("lightgbm")
    small, large = (counted(lightgbm.LGBMClassifier(n_estimators=n, verbose=-1, n_jobs=1).fit(X, Y)) for n in (5, 50))
    assert large.ns_per_row == pytest.approx(10 * small.ns_per_row)


def test_a_network_counts_its_weights():
    pytest.importorskip("torch")
    from skauto.estimators import MLPClassifier

    one, four = (counted(MLPClassifier(n_members=n, max_epochs=1, random_state=0).fit(X, Y)).ns_per_row for n in (1, 4))
    assert four == pytest.approx(4 * one)
    assert one > 0.2 * 10 * 64


@pytest.mark.parametrize(
    "model",
    [
        CompactRandomForestClassifier(40, random_state=0),
        RandomForestClassifier(40, random_state=0),
        KNeighborsClassifier(),
        SVC(),
    ],
)
def test_bytes_are_about_those_of_the_file(model):
    file = io.BytesIO()
    joblib.dump(model.fit(X, TWO), file)
    assert 0.5 < counted(model).bytes / file.tell() < 2


def test_costs_add_up():
    assert sum([Counted(1.0, 2.0), Counted(3.0, 4.0)], Counted()) == Counted(4.0, 6.0)


def test_nothing_depends_on_a_clock():
    model = RandomForestClassifier(8, random_state=0).fit(X, Y)
    assert len({counted(model) for _ in range(3)}) == 1
    assert counted(model) == counted(RandomForestClassifier(8, random_state=0, n_jobs=2).fit(X, Y))
    assert np.isfinite(counted(model).bytes)
