"""What transformers of images share: means over a grid, and features that do not depend on how many come at once."""

import numpy as np
import pytest

from skauto.estimators.images._image_summary import ImageSummaryTransformer
from skauto.estimators.images._image_transformer import grid_means
from skauto.estimators.images._random_patches import RandomPatchesTransformer


def test_means_over_an_uneven_grid():
    X = np.random.default_rng(0).normal(size=(2, 5, 7))
    expected = [
        [image[rows, columns].mean() for rows in (slice(0, 2), slice(2, 5)) for columns in (slice(0, 3), slice(3, 7))]
        for image in X
    ]
    np.testing.assert_allclose(grid_means(X, 2, 2).reshape(2, -1), expected)


@pytest.mark.parametrize(
    "transformer", [ImageSummaryTransformer(4), RandomPatchesTransformer(10, random_state=0)], ids=repr
)
def test_a_row_alone_has_the_features_that_it_has_among_others(transformer):
    X = np.random.default_rng(0).integers(0, 256, (1_100, 9, 9), dtype=np.uint8)
    together = transformer.fit_transform(X)
    for row in (0, 511, 512, 1_099):
        np.testing.assert_allclose(transformer.transform(X[row : row + 1])[0], together[row], atol=1e-4)
