"""Writes what tests/test_releases.py reads of the version at hand: a model file, what it predicts, and a journal.

python tests/data/write_release.py

Run once, when a version is released; the folder is never written again.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification

from skauto import AutoClassifier, __version__, save_model

FOLDER = Path(__file__).parent / __version__


def rows():
    """The rows that the model was fitted on and predicts."""
    return make_classification(60, 3, n_informative=2, n_redundant=0, random_state=0)


def search(journal, n_iter=1):
    """The search that the journal is of; more trials go on from it."""
    settings = {"n_iter": n_iter, "time_limit": None, "cv": 2, "candidates": "naive_bayes", "verbose": 0}
    return AutoClassifier(**settings, pos_label=1, random_state=0, journal=journal)


def main():
    """Write the folder."""
    FOLDER.mkdir()
    X, y = rows()
    model = search(FOLDER / "journal").fit(X, y)
    save_model(model, FOLDER / "model.skauto")
    proba = np.round(model.predict_proba(X)[:, 1], 6).tolist()
    (FOLDER / "predicted.json").write_text(json.dumps(proba) + "\n")


if __name__ == "__main__":
    main()
