import copy
import pickle

from skauto.estimators.compression.storage._by_value import ByValue, held, picklable


def test_what_has_a_name_is_left_alone_and_what_has_none_comes_back():
    def local(x):
        return x + 1

    assert picklable([1, len]) == [1, len]
    holder = picklable({"f": local})
    assert isinstance(holder, ByValue) and held(holder)["f"] is local
    assert pickle.loads(pickle.dumps(holder))["f"](2) == 3
    assert held(copy.copy(5)) == 5
