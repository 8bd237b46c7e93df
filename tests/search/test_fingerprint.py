"""What two searches must share to share a journal."""

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
from scipy.stats import loguniform
from sklearn.svm import SVC

from skauto.search._fingerprint import describe_space, described, differences, digest, fingerprint, part, readable
from skauto.search._fold_scores import FoldScoring
from skauto.search._space import Space


def test_equal_content_has_an_equal_digest():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert digest(frame) == digest(frame.copy())
    assert digest(np.arange(3)) != digest(np.arange(4))
    assert digest(SVC(C=2)) == digest(SVC(C=2)) != digest(SVC(C=3))


def test_a_digest_is_the_same_in_another_process():
    code = "from skauto.search._fingerprint import digest; print(digest({'a': 1, 'b': {'x', 'y'}}))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == digest({"a": 1, "b": {"x", "y"}})


def test_lambdas_are_described_without_addresses():
    assert digest(lambda: 0) == digest(lambda: 0) != digest(lambda: 1)
    assert readable(lambda: 0).startswith("<function test_lambdas")
    assert "0x" not in readable(lambda: 0)
    assert described(print) == "builtins.print"


def test_short_things_stay_readable():
    made = fingerprint(scoring="f1", cv=3, data=np.arange(3))
    assert (made["scoring"], made["cv"]) == ("f1", 3)
    assert len(made["data"]["content"]) == 32
    assert {"skauto", "scikit-learn"} < set(made)


def test_a_space_reads_like_one():
    space = Space([{"C": loguniform(1, 10), "svc": [SVC(), None]}, {"n": [1, 2]}])
    assert describe_space(space) == "C: continuous 1 to 10 log, svc: [SVC(), None] | n: [1, 2]"


def test_a_space_of_anything_that_draws_reads_too():
    class Coin:
        def rvs(self, random_state=None):
            return 1

    assert "Coin object" in describe_space(Space({"x": Coin()}))


def test_differences_are_told_by_what_reads_differently_or_by_the_code():
    old, new = (
        fingerprint(a=1, f=part(lambda: 0, "f"), g=SVC(C=1)),
        fingerprint(a=2, f=part(lambda: 1, "f"), g=SVC(C=2)),
    )
    first, second, third = differences(old, new)
    assert first == "a was 1 and is 2"
    assert second.startswith("f was f and reads the same now, but the code or value of test_differences")
    assert third == "g was SVC(C=1) and is SVC(C=2)"
    assert differences(old, old) == []


def test_what_workers_get_is_decided_upon():
    """A new entry of a context belongs into the fingerprint, or onto the list of what does not matter."""
    told = {"estimator", "X", "y", "folds", "space", "options", "fidelity", "stratify"}
    follows = {"row_seed", "seed", "caller", "cache"}  # from the journal's seed; the search itself; time saved alone
    assert {field.name for field in dataclasses.fields(FoldScoring)} == told | follows
