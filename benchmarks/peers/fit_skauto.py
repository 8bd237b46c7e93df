"""skauto, and its fixed list without any search (`fixed_list` of benchmarks/floors.py)."""

import importlib
import sys
from pathlib import Path

from child import Model, run

sys.path.append(str(Path(__file__).resolve().parent.parent))


def fit_search(task, *left_out):
    """AutoClassifier as it comes, or without some candidates."""
    from tables import fit_skauto

    settings = {"candidates": ["auto", *left_out]} if left_out else {}
    model, notes = fit_skauto(task.X, task.y, task.time_limit, task.seed, task.cores, **settings)
    return Model(model.predict, model.predict_proba, model.classes_, lambda path: save(model, path), lambda: notes)


def fit_list(task):
    """Seven models blended, with a tuned threshold; it knows no time limit."""
    import joblib
    from floors import FixedList

    model = FixedList().fit(task.X, task.y)
    return Model(model.predict, model.predict_proba, model.classes_, lambda path: joblib.dump(model, path))


def save(model, path):
    """Write a model as `skauto.save_model` does."""
    from skauto import save_model

    save_model(model, path)


if __name__ == "__main__":
    importlib.import_module("skauto.automl._classifier")  # what importing takes is measured by import_time.py
    run({"search": fit_search, "list": fit_list}[sys.argv[2]], *sys.argv[3:])
