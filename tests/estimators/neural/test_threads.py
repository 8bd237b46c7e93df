import pytest
import torch

from skauto.estimators.neural import _threads
from skauto.estimators.neural._threads import forget, threads_for


@pytest.fixture
def three():
    """PyTorch on three threads, as it was afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def seen(module, x, rows, **options):
    with threads_for(module, lambda: x, rows=rows, **options):
        return torch.get_num_threads()


def test_small_work_has_one_thread_and_large_work_what_there_is(three, monkeypatch):
    net = torch.nn.Linear(100, 100)
    x = (torch.zeros(1, 100),)
    monkeypatch.setattr(_threads.joblib, "cpu_count", lambda: 8)
    assert seen(net, x, rows=10) == 1
    assert seen(net, x, rows=10**6) == 3
    assert seen(net, x, rows=10**4, passes=3) == 3
    monkeypatch.setattr(_threads.joblib, "cpu_count", lambda: 2)  # of a container, say
    assert seen(net, x, rows=10**6) == 2
    assert torch.get_num_threads() == 3


def test_threads_are_restored_after_an_error(three):
    with pytest.raises(ZeroDivisionError), threads_for(torch.nn.Linear(2, 2), lambda: (torch.zeros(1, 2),), rows=1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 3


def test_a_network_that_was_changed_is_counted_anew(three):
    net, x = torch.nn.Sequential(torch.nn.Linear(10, 10)), (torch.zeros(1, 10),)
    assert seen(net, x, rows=10**5) == 1
    net[0] = torch.nn.Sequential(torch.nn.Linear(10, 3000), torch.nn.Linear(3000, 10))
    assert seen(net, x, rows=10**5) == 1
    forget(net)
    assert seen(net, x, rows=10**5) > 1 or _threads.joblib.cpu_count() == 1


def test_counting_leaves_the_mode_and_the_statistics_alone(three):
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4)).train()
    seen(net, (torch.ones(1, 4),), rows=4)
    assert net.training and not net[1].num_batches_tracked
