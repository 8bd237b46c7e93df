"""Which kind of data X is, and that nothing else asks for it."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import skauto
from skauto.automl._kind import KINDS, kind_named, kind_of

PACKAGE = Path(skauto.__file__).parent


def ragged_objects():
    X = np.empty(2, dtype=object)
    X[:] = [np.ones((4, 2)), np.ones((2, 2))]
    return X


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (np.zeros((4, 3)), "table"),
        (pd.DataFrame({"a": [1, 2]}), "table"),
        (sp.eye(3, format="csr"), "table"),
        ([[1, 2], [3, 4]], "table"),
        ([["a", 1.0], ["b", 2.0]], "table"),
        ([np.ones(3), np.zeros(3)], "table"),
        (np.array([["a", 1], ["b", 2]], dtype=object), "table"),
        ([[1, 2], [3]], "table"),
        ([], "table"),
        (np.zeros(4), "table"),
        (np.zeros((4, 9, 2)), "sequence"),
        (np.zeros((4, 28, 28), dtype=np.int64), "sequence"),
        (np.zeros((4, 9, 2)).tolist(), "sequence"),
        ([np.ones(3), np.zeros(5)], "sequence"),
        ([np.ones((3, 2)), np.zeros((5, 2))], "sequence"),
        ([np.ones((3, 2)), np.zeros((3, 2))], "sequence"),
        (ragged_objects(), "sequence"),
        (np.zeros((4, 8, 8), dtype=np.uint8), "image"),
        ([np.zeros((8, 8), dtype=np.uint8)] * 3, "image"),
        (np.zeros((4, 8, 8, 3)), "image"),
        (np.zeros((4, 3, 8, 8), dtype=np.uint8), "image"),
    ],
)
def test_what_x_is(X, kind):
    assert kind_of(X).name == kind


def test_what_x_is_can_be_said():
    assert kind_of(np.zeros((4, 8, 8)), "image").name == "image"
    assert kind_of(np.zeros((4, 8)), "sequence").name == "sequence"
    with pytest.raises(ValueError, match="kind='images' must be .* did you mean 'image'"):
        kind_of(np.zeros((4, 8)), "images")


def test_a_frame_of_series_is_no_table():
    frame = pd.DataFrame({"a": [np.zeros(4), np.zeros(7)]})
    assert kind_of(frame).name == "sequence"
    with pytest.raises(ValueError, match="kind='table', but columns .*'a'.* hold series in their cells"):
        kind_named("table").read(frame)


def test_only_the_room_of_a_kind_says_its_name():
    """No comparison with the name of a kind, and no table by their names, stands anywhere else."""
    rooms = {path.parent for path in (PACKAGE / "automl").glob("*/_kind.py")}
    assert len(rooms) == len(KINDS)
    faults = []
    # Elsewhere the same words may mean something else: "text" is a type of column too.
    for path in [*(PACKAGE / "automl").rglob("*.py"), *PACKAGE.glob("*.py")]:
        if rooms & set(path.parents) or path == PACKAGE / "automl" / "_kind.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            keys = _constants(node.keys) if isinstance(node, ast.Dict) else set()
            compared = _constants([node.left, *node.comparators]) if isinstance(node, ast.Compare) else set()
            if len(keys & set(KINDS)) > 1 or compared & set(KINDS):
                faults.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert faults == []


def _constants(nodes):
    return {node.value for node in nodes if isinstance(node, ast.Constant)}
