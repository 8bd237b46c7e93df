"""One helper finds the name that was meant, and every message says it in the same words."""

import ast
from pathlib import Path

import pytest

from skauto.inputs._closest import closest, did_you_mean


@pytest.mark.parametrize(
    ("name", "meant"), [("age", "AGE"), ("Inkome", "income"), ("town", None), (3, None), ("", None), ("12", "123")]
)
def test_the_nearest_name_as_it_is_written(name, meant):
    assert closest(name, ["AGE", "income", 123]) == meant


def test_the_words_of_a_message():
    names = ["f1", "f1_macro", "f1_micro", "accuracy"]
    assert did_you_mean("F1_Makro", names) == "; did you mean 'f1_macro'?"
    assert did_you_mean("F1_Makro", names, before=". ") == ". Did you mean 'f1_macro'?"
    assert did_you_mean("f1_mcro", names, most=2) == "; did you mean 'f1_micro' or 'f1_macro'?"
    assert did_you_mean("f1_makro", names, alike=0.95) == did_you_mean("recall", names) == ""


def test_nothing_else_looks_for_near_names(project):
    imports = [
        path.name
        for path in (project / "skauto").rglob("*.py")
        for node in ast.walk(ast.parse(Path(path).read_text()))
        if (isinstance(node, ast.Import) and any(alias.name == "difflib" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "difflib")
    ]
    assert imports == ["_closest.py"]
