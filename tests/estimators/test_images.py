import numpy as np
import pytest

from skauto.estimators._cnn import CNNClassifier


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros((6, 3, 8, 3)), "both axis 1 and axis 3"),
        (np.zeros((6, 5, 8, 8)), "neither axis 1 nor axis 3"),
        (np.zeros((6, 1, 1, 8, 8)), "5 dimensions"),
        (np.full((6, 8, 8), np.nan), "NaN"),
        (np.zeros((0, 8, 8)), "0 sample"),
    ],
)
def test_bad_images_are_named(X, said):
    with pytest.raises(ValueError, match=said):
        CNNClassifier().fit(X, np.arange(len(X)) % 2)
