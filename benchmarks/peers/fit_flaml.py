"""FLAML: F1 as its metric (macro F1 for many classes), its own choice of learners; it decides at .5."""

import pickle

import flaml
from child import Model, run
from flaml import AutoML


def fit(task):
    """A search for F1 within the time limit."""
    model = AutoML()
    model.fit(
        task.X,
        task.y,
        task="classification",
        metric="f1" if task.is_binary else "macro_f1",
        time_budget=task.time_limit,
        n_jobs=task.cores,
        seed=task.seed,
        log_file_name="",
    )
    notes = {"version": flaml.__version__, "best": model.best_estimator, "improvements": len(model.config_history)}
    return Model(model.predict, model.predict_proba, model.classes_, lambda path: save(model, path), lambda: notes)


def save(model, path):
    """A pickle."""
    with open(path, "wb") as file:
        pickle.dump(model, file)


if __name__ == "__main__":
    run(fit)
