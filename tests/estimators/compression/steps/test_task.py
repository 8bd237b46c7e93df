import torch

from skauto.estimators.compression.steps._task import Task, weighted_layers


def test_zeros_stay_zero_in_training():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    with torch.no_grad():
        net[0].weight[0] = 0

    def train(net, epochs, lr, criterion, targets, after_step):
        assert lr == 0.1
        net(torch.ones(1, 4)).sum().backward()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter += 1.0

    task = Task(None, None, None, None, train, None, None, lr=0.3, seed=0)
    before = net[1].weight.clone()
    task.tune(net, 1, 0.1)
    assert (net[0].weight[0] == 0).all() and (net[0].weight[1:] != 0).all()
    assert not torch.equal(net[1].weight, before)
    assert list(weighted_layers(net)) == ["0", "1"]
