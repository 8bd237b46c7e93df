"""All thresholds of two classes at once, beside one after the other."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from skauto.resample._every_threshold import confusions


@pytest.mark.parametrize("weighted", [False, True])
def test_each_matrix_is_that_of_its_threshold(weighted):
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 60), rng.integers(0, 20, 60) / 20
    weight = rng.random(60) if weighted else None
    matrices, last, ranked = confusions(y, score, weight)
    assert len(matrices) == len(np.unique(score)) + 1
    np.testing.assert_allclose(matrices[0], confusion_matrix(y, np.zeros(60), labels=[0, 1], sample_weight=weight))
    for matrix, place in zip(matrices[1:], last, strict=True):
        chosen = (score >= ranked[place]).astype(int)
        np.testing.assert_allclose(matrix, confusion_matrix(y, chosen, sample_weight=weight), atol=1e-12)
