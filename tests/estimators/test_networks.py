import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.estimators._ensemble import WeightedEnsembleClassifier
from skauto.estimators._networks import network_inside, way_to_network, why_no_network
from skauto.estimators.tables._mlp import MLPClassifier

X, Y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
NET = MLPClassifier(max_epochs=1, random_state=0).fit(X, Y)


def test_a_network_is_its_own_end():
    assert way_to_network(NET) == ([NET], [])


def test_wrappers_are_looked_through_and_rows_go_through_the_steps():
    pipeline = make_pipeline(StandardScaler(), FrozenEstimator(NET)).fit(X, Y)
    calibrated = CalibratedClassifierCV(FrozenEstimator(pipeline)).fit(X, Y)
    ensemble = WeightedEnsembleClassifier.from_fitted([LogisticRegression().fit(X, Y), calibrated], None)
    found, rows = network_inside(ensemble, X)
    assert found[0] is ensemble and found[-1] is NET and calibrated in found
    np.testing.assert_allclose(rows, StandardScaler().fit_transform(X))


def test_no_network_is_said_with_the_row_that_has_one():
    model = LogisticRegression().fit(X, Y)
    assert network_inside(model, X)[0] == []
    assert why_no_network(model, "it needs a net", "image") == "it needs a net, got LogisticRegression"
    model.leaderboard_ = pd.DataFrame(
        {"candidate": ["svm", "cnn", "cnn"], "status": ["complete", "failed", "complete"]}
    )
    assert "row 2 of leaderboard_ has one" in why_no_network(model, "it needs a net", "image")
    model.leaderboard_ = model.leaderboard_[:2]
    assert "candidates=['cnn']" in why_no_network(model, "it needs a net", "image")
    model.kind_ = "sequence"
    assert why_no_network(model, "it needs a net", "image").endswith("of sequence data, of which there are no maps")
