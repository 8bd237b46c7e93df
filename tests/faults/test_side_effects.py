"""A fit leaves the process of its user as it was."""

import copy
import logging
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info

from skauto import AutoClassifier, compress
from skauto.search import SearchCV, maximize

X, Y = make_classification(120, 5, random_state=0)
QUICK = {"n_iter": 2, "cv": 2, "n_jobs": 1, "random_state": 0, "verbose": 0, "pos_label": 1}


def state():
    """All that a library may change for others in this process."""
    torch, pyplot = sys.modules.get("torch"), sys.modules.get("matplotlib")
    loggers = {name: logging.getLogger(name) for name in ("", *logging.root.manager.loggerDict)}
    return {
        "filters": list(warnings.filters),
        "showwarning": warnings.showwarning,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "sys.path": list(sys.path),
        "configuration": sklearn.get_config(),
        "threads": sorted((pool["filepath"], pool["num_threads"]) for pool in threadpool_info()),
        "random": random.getstate(),
        "numpy": repr(np.random.get_state()),
        "errors": np.geterr(),
        "torch": torch and (torch.get_num_threads(), torch.get_rng_state().tolist(), torch.get_default_dtype()),
        "torch settings": torch and (torch.is_grad_enabled(), torch.backends.cudnn.benchmark),
        "determinism": torch and torch.are_deterministic_algorithms_enabled(),
        "matplotlib": pyplot and copy.deepcopy(dict(pyplot.rcParams)),
        "loggers": {name: (found.level, list(found.handlers), found.disabled) for name, found in loggers.items()},
        "routed": sorted(vars(sklearn.utils.metadata_routing.MetadataRequest(owner="somebody"))),
        "excepthook": sys.excepthook,
        "recursion": sys.getrecursionlimit(),
    }


def images():
    made = np.random.default_rng(0).integers(0, 255, size=(60, 8, 8), dtype=np.uint8)
    made[:30] //= 2
    return made, np.repeat([0, 1], 30)


def series():
    made = np.random.default_rng(0).normal(size=(60, 12, 2))
    made[:30] += 1
    return made, np.repeat([0, 1], 30)


def fit_table():
    AutoClassifier(**QUICK, time_limit=None, candidates=["logistic", "lightgbm"]).fit(X, Y).predict(X)


def fit_with_a_limit():
    AutoClassifier(**QUICK, time_limit=60, candidates=["logistic"]).fit(X, Y).predict(X)


def fit_images():
    made, y = images()
    AutoClassifier(**QUICK, time_limit=None, candidates=["logistic"]).fit(made, y).predict(made)


def fit_series():
    made, y = series()
    AutoClassifier(**QUICK, time_limit=None, candidates=["rocket"]).fit(made, y).predict(made)


def fit_network():
    made, y = images()
    AutoClassifier(**QUICK, time_limit=None, candidates=["cnn"]).fit(made, y).predict(made)


def search_here():
    SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)


def search_in_workers():
    SearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, n_jobs=2, strategy="bayes", n_iter=2).fit(X, Y)


def maximize_a_function():
    maximize(lambda params: -params["x"], {"x": [1, 2, 3]}, n_iter=3, strategy="bayes")


def compress_by_hand():
    """New layers draw weights when they are made, and when a file is loaded."""
    from skauto.estimators import CNNClassifier, CompressedClassifier, LowRank

    made, y = images()
    net = CNNClassifier(backbone="plain", max_epochs=1, random_state=0)
    small = CompressedClassifier(net, [("split", LowRank(rank=2))]).fit(made, y)
    with tempfile.TemporaryDirectory() as folder:
        small.save(os.path.join(folder, "model"))
        CompressedClassifier.load(os.path.join(folder, "model")).predict(made)


def compress_a_network():
    from skauto.estimators import CNNClassifier

    made, y = images()
    net = CNNClassifier(backbone="plain", max_epochs=1, random_state=0).fit(made, y)
    compress(net, made, y, target={"max_loss": 1.0}, epochs=1, time_limit=20)


@pytest.mark.parametrize(
    "what",
    [
        fit_table,
        fit_with_a_limit,
        search_here,
        search_in_workers,
        maximize_a_function,
        *(pytest.param(what, marks=pytest.mark.slow) for what in (fit_images, fit_series, fit_network)),
        *(pytest.param(what, marks=pytest.mark.slow) for what in (compress_by_hand, compress_a_network)),
    ],
    ids=lambda what: what.__name__,
)
def test_a_fit_changes_nothing_of_its_process(what):
    what()  # what is imported the first time is not what this is about
    before = state()
    what()
    after = state()
    assert [name for name in before if before[name] != after[name]] == []


ROUTING = """
    import sklearn
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, make_scorer
    from sklearn.model_selection import GridSearchCV
    from skauto import AutoClassifier
    from skauto.search import SearchCV

    sklearn.set_config(enable_metadata_routing=True)
    X, y = make_classification(100, 5, random_state=0)
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    estimator = LogisticRegression().set_fit_request(sample_weight=True)
    weight = [1.0] * 100
    quick = dict(n_iter=2, time_limit=None, cv=2, n_jobs=1, verbose=0, pos_label=1, candidates=["logistic"])
    AutoClassifier(**quick).fit(X, y)
    for search in (SearchCV, GridSearchCV):
        search(estimator, {"C": [0.1, 1.0]}, scoring=scorer, cv=2).fit(X, y, sample_weight=weight)
    print("fitted")
"""

FIRST = """
    import logging, os, sys, warnings
    import numpy as np
    import sklearn
    from sklearn.datasets import make_classification
    from skauto import AutoClassifier
    from skauto.search import SearchCV

    def state():
        root = logging.getLogger()
        return {
            "filters": list(warnings.filters), "environment": dict(os.environ), "configuration": sklearn.get_config(),
            "numpy": repr(np.random.get_state()), "root": (root.level, list(root.handlers)), "path": list(sys.path),
            "errors": np.geterr(), "routed": sorted(vars(sklearn.utils.metadata_routing.MetadataRequest("me"))),
        }

    before = state()
    X, y = make_classification(100, 5, random_state=0)
    quick = dict(n_iter=2, time_limit=None, cv=2, n_jobs=1, verbose=0, pos_label=1)
    AutoClassifier(**quick, candidates=["logistic", "lightgbm"]).fit(X, y)
    made = np.random.default_rng(0).normal(size=(60, 12, 2))
    made[:30] += 1
    AutoClassifier(**quick, candidates=["rocket"]).fit(made, np.repeat([0, 1], 30))
    after = state()
    print([name for name in before if before[name] != after[name]] or "unchanged")
"""


def said(code):
    """What a process of its own prints."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout.strip() or done.stderr


@pytest.mark.slow
def test_requests_made_before_a_fit_work_after_it():
    """A fit used to load imbalanced-learn, which adds a method to scikit-learn's table: older requests lacked it."""
    assert said(ROUTING) == "fitted"


@pytest.mark.slow
def test_the_first_fit_of_a_process_changes_nothing_either():
    assert said(FIRST) == "unchanged"


@pytest.mark.slow
def test_skauto_alone_loads_nothing_that_changes_others():
    assert said("import sys, skauto, skauto.search; print('imblearn' in sys.modules)") == "False"
    for name in ("from skauto import AutoClassifier", "from skauto.search import SearchCV"):
        assert said(f"import sys; {name}; print('imblearn' in sys.modules)") == "True"
