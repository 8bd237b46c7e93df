"""The learnt portfolio: what it lists can be tried, each once, and in its order."""

import numpy as np

from skauto.automl._imbalance import NONE, imbalance_strategies
from skauto.automl._search_space import space_of
from skauto.automl.tables._candidates import TABLES
from skauto.automl.tables._portfolio import PORTFOLIO, learnt
from skauto.search._space import Space

BY_NAME = {candidate.name: candidate for candidate in TABLES}


def test_each_configuration_lies_in_the_space_of_its_candidate_and_is_there_once():
    keys = set()
    for entry in PORTFOLIO:
        candidate = BY_NAME[entry["candidate"]]
        changed = {name: value for name, value in entry.items() if name != "candidate"}
        space = Space(candidate.branches())
        params = space.encode({**candidate.defaults, **changed})
        keys.add((entry["candidate"], space.key(params)))
    assert len(keys) == len(PORTFOLIO)


def test_a_search_begins_with_the_list_in_its_order():
    space, initial = space_of(list(TABLES), imbalance_strategies(np.repeat([0, 1], [900, 200])))
    first = [space.decode(params) for params in initial]
    assert [values["candidate"] for values in first[: len(PORTFOLIO)]] == [entry["candidate"] for entry in PORTFOLIO]
    for values, entry in zip(first, PORTFOLIO, strict=False):
        assert entry.items() <= values.items()
        assert values["imbalance"] == NONE


def test_every_candidate_is_tried_once_at_least():
    assert all(len(learnt(name)["initial"]) >= 1 for name in BY_NAME)
    unknown = learnt("a candidate that no list has")
    assert unknown == {"initial": ({},), "ranks": (len(PORTFOLIO),)}
