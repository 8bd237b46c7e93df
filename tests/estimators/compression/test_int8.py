import numpy as np
import pytest

from skauto.estimators._cnn import CNNClassifier
from skauto.estimators.compression import _int8
from skauto.estimators.compression._classifier import CompressedClassifier
from skauto.estimators.compression._quantize import Quantize


@pytest.mark.parametrize("backbone", ["plain", "resnet", "mobilenetv2", "shufflenetv2"])
def test_int8_is_near_the_float_network_and_falls_back(digits_net, backbone, monkeypatch):
    _, X, y = digits_net
    base = CNNClassifier(backbone=backbone, width=8, depth=1, max_epochs=2, random_state=0)
    clf = CompressedClassifier(base, [("q", Quantize("int8"))]).fit(X, y)
    whole = CompressedClassifier(base).fit(X, y).predict_proba(X)
    assert np.abs(clf.predict_proba(X) - whole).mean() < 0.02
    fast = clf.predict_proba(X)
    monkeypatch.setattr(_int8, "has_int8", lambda: False)
    assert np.abs(clf.predict_proba(X) - fast).mean() < 0.01
