"""Type checkers see the public names: mistakes in the code of a user are found, and right code is left alone.

Attributes of estimators that are not there are not found: scikit-learn's base classes have no types, so all may be.
"""

import os
import subprocess
import sys

import pytest

pytest.importorskip("mypy")

PAGE = """
from skauto import AutoClassifier, Candidate, load_model
from skauto.resample import SMOTE
from skauto.search import SearchCV, maximise  # mistake: attr-defined

auto = AutoClassifier("f1", time_limit=30, candidates=["auto"])
wrong = AutoClassifier(time_limt=30)  # mistake: call-arg
auto.fit([[0.0], [1.0]], [0, 1]).predict([[0.5]])
SMOTE(k_neighbours=3)  # mistake: call-arg
SearchCV(auto, {"C": [1]}, n_iter=3)
Candidate.builtin("lightgbm", samplers=["SMOTE"])
load_model()  # mistake: call-arg
"""


@pytest.mark.slow
def test_mypy_finds_the_mistakes_of_a_page_and_nothing_else(tmp_path, project):
    page = tmp_path / "page.py"
    page.write_text(PAGE)
    command = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--follow-imports=silent", str(page)]
    environment = os.environ | {"MYPYPATH": str(project)}  # an editable install is not found otherwise
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    found = {int(line.split(":")[1]): line.rpartition("[")[2].rstrip("]") for line in errors}
    planted = {
        number: line.rpartition(": ")[2] for number, line in enumerate(PAGE.splitlines(), 1) if "# mistake" in line
    }
    assert found == planted, done.stdout + done.stderr
