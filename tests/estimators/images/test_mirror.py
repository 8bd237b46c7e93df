"""Whether mirrored images look like others of their class."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skauto.estimators import CNNClassifier
from skauto.estimators.images._mirror import mirror_keeps_class

X, Y = load_digits(return_X_y=True)
X = X.reshape(-1, 1, 8, 8)


def test_digits_are_others_in_the_mirror():
    assert not mirror_keeps_class(X, Y, 0)


def test_images_of_which_half_are_mirrored_are_the_same_in_the_mirror():
    both = X.copy()
    both[::2] = both[::2, :, :, ::-1]
    assert mirror_keeps_class(both, Y, 0)


def test_few_images_and_images_of_noise_tell_nothing():
    assert not mirror_keeps_class(np.concatenate([X, X[..., ::-1]])[:100], Y[:100], 0)
    noise = np.random.default_rng(0).random(X.shape)
    assert not mirror_keeps_class(noise, np.zeros(len(X), dtype=int), 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_finds_the_strength(channels):
    images = np.repeat(X, channels, axis=1)[:600]
    net = CNNClassifier(width=4, depth=1, max_epochs=1, augment={"flip": "auto", "crop": 0.1}, random_state=0)
    assert net.fit(images, Y[:600]).augment_ == {"flip": 0.0, "crop": 0.1}
    images = np.concatenate([images, images[..., ::-1]])
    assert net.fit(images, np.tile(Y[:600], 2)).augment_["flip"] == 0.5
    net.partial_fit(images[:10], np.arange(10) % 10)
    assert net.augment_["flip"] == 0.5


def test_another_text_is_refused():
    with pytest.raises(ValueError, match=r"augment\['crop'\] must be a number from 0 to 0.5, got 'auto'"):
        CNNClassifier(augment={"crop": "auto"}).fit(X[:20], Y[:20])
