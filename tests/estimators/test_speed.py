import torch

from skauto.estimators._speed import training_flops_a_second


def test_the_speed_is_measured_once_and_threads_are_as_before():
    training_flops_a_second.cache_clear()
    threads = torch.get_num_threads()
    first = training_flops_a_second()
    assert first == training_flops_a_second()
    assert 1e8 < first < 1e13
    assert torch.get_num_threads() == threads
