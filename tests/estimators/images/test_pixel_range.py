import warnings

import numpy as np
import pytest
import torch

from skauto.estimators.images._pixel_range import pixel_range, warn_of_another_scale


def test_the_range_of_bytes_is_that_of_the_type():
    assert pixel_range(np.ones((2, 2), np.uint8)) == pixel_range(torch.ones(2, 2, dtype=torch.uint8)) == (0.0, 255.0)
    assert pixel_range(np.array([-1.0, 2.0])) == (-1.0, 2.0)


@pytest.mark.parametrize(
    ("numbers", "fit", "warns"),
    [
        ([0.0, 1.0], (0.0, 255.0), True),
        ([0.0, 255.0], (0.0, 1.0), True),
        ([-2.1, 2.3], (0.0, 255.0), True),
        ([0.0, 1.0], (0.0, 16.0), True),
        ([0.0, 5.0], (0.0, 255.0), False),
        ([0.0, 1.5], (0.0, 1.0), False),
        ([7.5, 7.5], (0.0, 255.0), False),
        ([0.0, 1.0], (0.0, 2.0), False),
    ],
)
def test_what_is_plainly_on_another_scale_is_warned_of(numbers, fit, warns):
    for images in (np.array(numbers), torch.tensor(numbers)):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            warn_of_another_scale(images, *fit)
        assert bool(said) == warns
