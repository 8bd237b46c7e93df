"""Images at the door: their form, and what is wrong with them."""

import numpy as np
import pytest

from skauto.inputs._images import channel_axis, check_images, describe_images, read_images, same_size


def test_images_are_not_copied():
    X = np.zeros((4, 3, 8, 8), dtype=np.uint8)
    assert read_images(X)[0] is X
    assert read_images(np.zeros((4, 8, 8)))[0].dtype == np.float32


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros((4, 64)), "shape \\(4, 64\\).*reshape rows of pixels"),
        (np.zeros((4, 3, 8, 3)), "both axis 1 and axis 3"),
        (np.zeros((4, 9, 8, 7)), "neither axis 1 nor axis 3"),
        (np.full((4, 8, 8), np.nan), "NaN"),
        (np.zeros((0, 8, 8)), "0 sample"),
    ],
)
def test_faults_of_images(X, said):
    with pytest.raises(ValueError, match=said):
        read_images(X)


def test_rows_of_pixels_are_images_of_an_estimator():
    assert check_images(np.zeros((4, 64))).shape == (4, 64)
    with pytest.raises(ValueError, match="1D array"):
        check_images(np.zeros(4))


def test_where_the_channels_are():
    assert (channel_axis((5, 3, 20, 16)), channel_axis((5, 20, 16, 4))) == ("first", "last")
    with pytest.raises(ValueError, match='say channels="first"'):
        channel_axis((5, 3, 20, 3))


def test_what_was_taken_is_told():
    for shape in ((5, 20, 16), (5, 3, 20, 16), (5, 20, 16, 3)):
        assert describe_images(np.zeros(shape)) == "X is 5 images of 20 x 16 pixels"


def test_predict_wants_the_size_of_fit():
    same_size(np.zeros((2, 8, 8)), (9, 8, 8))
    with pytest.raises(ValueError, match=r"shape \(8, 9\), but AutoClassifier was fitted on \(n, 8, 8\)"):
        same_size(np.zeros((2, 8, 9)), (9, 8, 8))
