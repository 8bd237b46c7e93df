"""The four import paths: their names, their documentation, and what importing them loads."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FACES = ["skauto", "skauto.resample", "skauto.estimators", "skauto.search"]
LEFT_UNLOADED = ["torch", "skorch", "lightgbm", "skopt", "imblearn", "matplotlib"]


def names():
    """Every public name with its import path."""
    faces = [importlib.import_module(face) for face in FACES]
    return [
        (face.__name__, name) for face in faces for name in getattr(face, "__all__", ()) if not name.startswith("__")
    ]


def loaded_by(statement):
    """Top-level modules that are loaded after a statement in a fresh process."""
    code = f"import sys; {statement}; sys.stdout.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_skauto_loads_none_of_what_it_stands_on():
    assert not loaded_by("import skauto") & {
        *LEFT_UNLOADED,
        "sklearn",
        "imblearn",
        "pandas",
        "numpy",
        "scipy",
        "joblib",
    }


@pytest.mark.parametrize("statement", ["from skauto import AutoClassifier", *(f"import {face}" for face in FACES[1:])])
def test_importing_a_face_loads_nothing_heavy(statement):
    # imbalanced-learn changes scikit-learn when it is loaded: with this name, so that no fit does it.
    meant = {"imblearn"} if "AutoClassifier" in statement else set()
    assert loaded_by(statement) & set(LEFT_UNLOADED) == meant


@pytest.mark.parametrize("face", FACES)
def test_a_face_lists_its_names_and_no_others(face):
    module = importlib.import_module(face)
    assert list(module.__all__) == sorted(set(module.__all__))
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="NoSuchName"):
        module.NoSuchName  # noqa: B018


@pytest.mark.parametrize("face", FACES)
def test_a_stub_says_where_each_name_is(face):
    """Names are served lazily: editors and type checkers read them from the stub beside the face."""
    module = importlib.import_module(face)
    stub = ast.parse(Path(module.__file__).with_suffix(".pyi").read_text())
    found = {alias.asname: (node.module, alias.name) for node in stub.body for alias in node.names}
    assert sorted(found) == sorted(module.__all__)
    for name, (source, original) in found.items():
        assert name == original and getattr(importlib.import_module(source), name) is getattr(module, name)


# Fields of built-in candidates, which are no part of the public interface, as its notes say.
UNDOCUMENTED = {
    "Candidate": {
        "build", "plan_training", "initial_for", "defaults", "ranks", "max_rows", "sparse", "weighted", "package",
        "extra", "time_budget_reason",
    }
}  # fmt: skip


@pytest.mark.parametrize(("face", "name"), names())
def test_a_public_name_is_documented(face, name):
    thing = getattr(importlib.import_module(face), name)
    text = inspect.getdoc(thing)
    assert text, f"{face}.{name} has no docstring"
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        return
    assert "Examples\n--------\n" in text
    assert ">>> " in text
    parameters = [p for p in inspect.signature(thing).parameters.values() if p.name != "self"]
    assert not parameters or "Parameters\n----------\n" in text
    assert [p.name for p in parameters if p.name not in documented(text) | UNDOCUMENTED.get(name, set())] == []


def documented(text):
    """Names of the parameters that a docstring explains, "a, b : int" two of them."""
    section = re.search(r"Parameters\n-{10}\n(.*?)(\n\n\w[\w ]*\n-{3,}|\Z)", text, re.DOTALL)
    heads = re.findall(r"^([\w*]+(?:, [\w*]+)*) :", section.group(1), re.MULTILINE) if section else []
    return {name.strip(" *") for head in heads for name in head.split(",")}


def test_a_parameter_that_is_only_mentioned_is_not_documented():
    text = "Parameters\n----------\na, b : int\n    Not c, not d : none.\n*rest : str\n\nReturns\n-------\nc : int"
    assert documented(text) == {"a", "b", "rest"}


@pytest.mark.parametrize(("face", "name"), [pair for pair in names() if pair[1][0].isupper()])
def test_constructors_store_and_nothing_else(face, name):
    cls = getattr(importlib.import_module(face), name)
    if not hasattr(cls, "get_params") or "__init__" not in vars(cls):
        pytest.skip("no constructor of its own")
    source = inspect.getsource(cls.__init__)
    body = source[source.index(":\n") + 2 :].strip().splitlines()
    stored = {line.strip() for line in body}
    expected = {f"self.{p} = {p}" for p in inspect.signature(cls).parameters}
    assert stored - expected - {line for line in stored if line.startswith(("super().__init__(", '"""'))} == set()
