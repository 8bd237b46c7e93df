import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_circles
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.estimators.tables._mlp import MLPClassifier, robust_scale
from tests.contracts.neural import EXPECTED_FAILURES, NeuralContract


@parametrize_with_checks(
    [MLPClassifier(max_epochs=20, random_state=0)],
    expected_failed_checks=lambda clf: EXPECTED_FAILURES,
    xfail_strict=False,
)
def test_estimator_checks(estimator, check):
    check(estimator)


class TestContract(NeuralContract):
    def make(self, **params):
        return MLPClassifier(**{"hidden_size": 16, "max_epochs": 15, **params})

    def data(self):
        X, codes = make_blobs(120, centers=3, n_features=4, random_state=0)
        return X, np.array(["ant", "bee", "cat"])[codes]


def test_learns_what_no_line_separates():
    X, y = make_circles(600, noise=0.05, factor=0.5, random_state=0)
    assert MLPClassifier(random_state=0, max_epochs=20).fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.97


def test_without_hidden_layers_and_with_dropout():
    X, y = make_blobs(200, centers=2, random_state=1)
    assert MLPClassifier(n_layers=0, random_state=0).fit(X, y).score(X, y) > 0.95
    assert MLPClassifier(dropout=0.5, random_state=0).fit(X, y).score(X, y) > 0.95


def test_missing_values_are_a_clear_error():
    X, y = make_blobs(50, random_state=0)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        MLPClassifier().fit(X, y)


def test_robust_scale_of_skewed_and_constant_columns():
    X = np.column_stack([np.r_[np.arange(99.0), 1e9], np.full(100, 7.0), np.r_[np.zeros(99), 100.0]]).astype(np.float32)
    center, scale = robust_scale(X)
    assert center[0] == pytest.approx(49.5) and 30 < scale[0] < 40
    assert (center[1], scale[1]) == (7, 1)
    assert center[2] == pytest.approx(1) and scale[2] == pytest.approx(np.std(X[:, 2]), rel=1e-5)


def test_name_is_lazy_and_missing_torch_is_one_message():
    code = """
import sys
import skauto.estimators
assert "torch" not in sys.modules
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, NoTorch())
try:
    from skauto.estimators import MLPClassifier
except ImportError as error:
    assert "pip install 'skauto[deep]'" in str(error), error
else:
    raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ.copy())
