import pytest
import torch

from skauto.estimators.neural._devices import choose_device, on_cpu, placed


def test_device_auto_is_what_there_is():
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == "cpu"


def test_a_module_that_is_in_place_is_not_touched(monkeypatch):
    module = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(2, 3))
    moved = []
    monkeypatch.setattr(module, "to", lambda device: moved.append(device.type))
    placed(module, "cpu")
    placed(torch.nn.ReLU(), "cpu")
    assert moved == []
    placed(module, "meta")
    assert moved == ["meta"]


def test_a_device_that_is_not_there_is_named():
    missing = ["gpu"] if torch.cuda.is_available() else ["gpu", "cuda", "cuda:3"]
    for device in missing:
        with pytest.raises(ValueError, match=f"device='{device}' is not there"):
            choose_device(device)


def test_the_state_of_an_optimiser_is_taken_to_a_cpu():
    state = {"state": {0: {"step": torch.ones(1), "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}
    taken = on_cpu(state)
    assert taken["state"][0]["exp_avg"].device.type == "cpu"
    assert taken["param_groups"] == state["param_groups"]
