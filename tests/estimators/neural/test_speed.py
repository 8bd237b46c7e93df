from skauto.estimators.images._backbones import build_backbone
from skauto.estimators.neural._speed import training_seconds_a_row


def test_a_large_network_takes_longer():
    small, large = (training_seconds_a_row(build_backbone("plain", 3, 5, width, 1), (3, 32, 32)) for width in (2, 64))
    assert 0 < small < large < 1
