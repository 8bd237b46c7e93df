import pytest
import torch

from skauto.estimators.compression._packed import from_bytes, to_bytes
from skauto.estimators.compression._tree import describe


def test_unknown_modules_are_refused_at_saving():
    class Mine(torch.nn.Module):
        pass

    with pytest.raises(TypeError, match="cannot store a module of class"):
        describe(Mine())
    assert from_bytes(to_bytes(torch.nn.Linear(2, 3), {"a": 1}))[1] == {"a": 1}
