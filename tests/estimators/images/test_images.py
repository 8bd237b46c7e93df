import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skauto.estimators.images._cnn import CNNClassifier
from skauto.estimators.images._images import as_images, image_layout, rows_for


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


@pytest.mark.parametrize(
    ("sides", "channels", "layout", "shape"),
    [
        ((8, 8, 3), "auto", "flat_last", (3, 8, 8)),
        ((8, 8, 3), "last", "flat_last", (3, 8, 8)),
        ((3, 8, 8), "auto", "flat", (3, 8, 8)),
        ((8, 8, 3), "first", "flat", (8, 8, 3)),
        ([16, 12], "last", "flat", (1, 16, 12)),
        (None, "last", "flat", (1, 1, 192)),
    ],
)
def test_rows_of_a_table_hold_the_channels_where_it_is_said(sides, channels, layout, shape):
    X = np.arange(2 * 192).reshape(2, 192)
    assert image_layout(X, channels, sides) == (layout, shape)
    images = as_images(X, layout, shape)
    expected = X.reshape(2, *sides).transpose(0, 3, 1, 2) if layout == "flat_last" else X.reshape(2, *shape)
    np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize(
    ("shape", "sides", "said"),
    [
        ((6, 192), (3, 16, 4), 'both of its first and last side could be .* say channels="first"'),
        ((6, 192), (2, 12, 8), "neither of its first and last side"),
        ((6, 64), (64,), r"image_shape=\(64,\) must be \(height, width\) or three sides"),
        ((6, 64), (-8, -8), r"image_shape=\(-8, -8\) must be"),
        ((6, 64), (8.0, 8), r"image_shape=\(8.0, 8\) must be"),
        ((6, 8, 8), (28, 28), r"image_shape=\(28, 28\) contradicts X, .* 8 x 8 pixels"),
        ((6, 3, 8, 8), (1, 8, 8), "contradicts X, .* 8 x 8 pixels and 3 channels"),
    ],
)
def test_an_image_shape_that_cannot_be_is_named(shape, sides, said):
    with pytest.raises(ValueError, match=said):
        image_layout(np.zeros(shape), "auto", sides)


@pytest.mark.parametrize(
    ("shape", "sides"),
    [((6, 8, 9), (8, 9)), ((6, 8, 9), (1, 8, 9)), ((6, 3, 8, 9), (8, 9)), ((6, 8, 9, 3), (8, 9, 3))],
)
def test_an_image_shape_may_say_what_is_there_to_see(shape, sides):
    assert image_layout(np.zeros(shape), "auto", sides) == image_layout(np.zeros(shape))


@pytest.mark.parametrize(
    ("estimator", "flat"),
    [
        (RandomForestClassifier(), True),
        (FrozenEstimator(make_pipeline(StandardScaler(), RandomForestClassifier())), True),
        (make_pipeline(FunctionTransformer(), RandomForestClassifier()), False),
        (VotingClassifier([("net", CNNClassifier()), ("other", CNNClassifier())]), False),
        (CNNClassifier(), False),
    ],
)
def test_images_become_rows_of_pixels_for_what_takes_tables_alone(estimator, flat):
    X = np.zeros((4, 3, 8, 8))
    assert rows_for(estimator, X).shape == ((4, 192) if flat else X.shape)
    assert rows_for(estimator, X[:, 0, 0]).shape == (4, 8)
