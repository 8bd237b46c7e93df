import torch

from skauto.estimators.neural._batch_norms import trust_few_batches, untouched_norms, use_running_statistics


def test_running_statistics_of_few_batches_are_those_of_the_batches():
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    fresh = untouched_norms(net)
    x = 5 + 3 * torch.randn(64, 3)
    net(x)
    assert untouched_norms(net) == []
    trust_few_batches(fresh)
    seen = net[0](x)
    torch.testing.assert_close(net[1].running_mean, seen.mean(0))
    torch.testing.assert_close(net[1].running_var, seen.var(0), rtol=1e-3, atol=1e-3)


def test_norms_that_were_trained_before_or_know_nothing_are_left_alone():
    seen, none, cumulative = torch.nn.BatchNorm1d(4), torch.nn.BatchNorm1d(4, track_running_stats=False), None
    cumulative = torch.nn.BatchNorm1d(4, momentum=None)
    seen.running_mean += 1
    assert untouched_norms(torch.nn.ModuleList([seen, none, cumulative])) == []


def test_one_row_is_normed_by_what_was_seen_before():
    net = torch.nn.Sequential(torch.nn.BatchNorm1d(4)).train()
    use_running_statistics(net)
    assert not net[0].training and net.training
