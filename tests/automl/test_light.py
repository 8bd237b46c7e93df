"""A fitted model is cheap to use: what a new process loads to predict, and what one row costs there."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from skauto import AutoClassifier, save_model

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)

USE = """
    import sys, numpy as np
    from skauto import load_model
    model = load_model(sys.argv[1])
    proba = model.predict_proba(np.load(sys.argv[2], allow_pickle=False))
    np.save(sys.argv[3], proba)
    print(sorted(name for name in ("torch", "skorch", "skopt", "matplotlib") if name in sys.modules))
"""


@pytest.mark.slow
def test_what_has_no_network_loads_no_torch(tmp_path):
    candidates = ["lightgbm", "logistic", "extra_trees", "svm", "hist_boosting", "random_forest"]
    auto = AutoClassifier(
        n_iter=6, time_limit=None, cv=3, candidates=candidates, pos_label=0, random_state=0, verbose=0, n_jobs=1
    )
    rows = X.to_numpy()
    auto.fit(rows, Y)
    assert len(auto.ensemble_.estimators_) > 1
    files = [str(tmp_path / name) for name in ("model", "rows.npy", "proba.npy")]
    save_model(auto, files[0])
    np.save(files[1], rows)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(USE), *files], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
    np.testing.assert_allclose(np.load(files[2]), auto.predict_proba(rows), atol=1e-6)
