"""What is the user's own, and what is of installed packages."""

import os
import subprocess
import sys

import cloudpickle
import numpy as np

from skauto.search._user_modules import installed_folders

SCRIPT = """
import pickle, sys
from skauto.search._user_modules import adopt_classes_of_main
made = pickle.load(sys.stdin.buffer)
adopt_classes_of_main()
import __main__
print(__main__.Model is type(made))
"""


def test_installed_folders_hold_the_packages_and_not_the_users_modules():
    folders = installed_folders()
    assert os.path.abspath(np.__file__).startswith(folders)
    assert os.path.abspath(os.__file__).startswith(folders)
    assert not os.path.abspath(__file__).startswith(folders)


def test_a_class_that_came_by_value_is_found_in_main(monkeypatch):
    class Model:
        pass

    Model.__module__, Model.__qualname__ = "__main__", "Model"
    monkeypatch.setattr(sys.modules["__main__"], "Model", Model, raising=False)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=cloudpickle.dumps(Model()),
        capture_output=True,
        env=environment,
        check=True,
    )
    assert said.stdout.strip() == b"True"
