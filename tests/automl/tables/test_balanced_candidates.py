"""Ensembles of balanced draws are tried where they are named, and nowhere else."""

import pytest

from skauto.automl._kind import kind_named
from skauto.automl._search_space import space_of
from skauto.automl.tables._balanced_candidates import ON_REQUEST
from skauto.automl.tables._candidates import TABLES


def test_auto_does_not_try_them():
    assert not {c.name for c in ON_REQUEST} & {c.name for c in kind_named("table").candidates()}


@pytest.mark.parametrize("candidate", ON_REQUEST, ids=lambda c: c.name)
def test_beside_the_others_they_come_last(candidate):
    space, initial = space_of([*TABLES, candidate], {"none": {"imbalance": ["none"]}})
    assert space.decode(initial[-1])["candidate"] == candidate.name
