"""mljar-supervised: F1 as its metric, in its mode for the best score or in the one it comes with."""

import shutil
import sys

import supervised
from child import Model, run
from supervised import AutoML


def fit(task, mode):
    """A search for F1 within the time limit; labels and probabilities as it gives them."""
    folder = task.folder / "models"
    model = AutoML(
        results_path=str(folder),
        mode=mode,
        eval_metric="f1",
        total_time_limit=round(task.time_limit),  # it takes whole seconds
        n_jobs=-1,  # with a number it leaves its network out; the process may use `task.cores` cores alone
        random_state=task.seed,
    )
    model.fit(task.X, task.y)
    return Model(
        model.predict,
        model.predict_proba,
        classes_of(model, task.X_test[:1]),
        save=lambda path: shutil.copytree(folder, path),
        notes=lambda: notes_of(model),
    )


def classes_of(model, X):
    """Labels in the order of its probabilities, from the names of the columns of `predict_all`."""
    start = "prediction_"
    return [int(name.removeprefix(start)) for name in model.predict_all(X).columns if name.startswith(start)]


def notes_of(model):
    """What was fitted."""
    board = model.get_leaderboard()
    return {
        "version": supervised.__version__,
        "models": dict(zip(board["name"], board["metric_value"].round(4), strict=True)),
        "threshold": getattr(model._best_model, "_threshold", None),
    }


if __name__ == "__main__":
    run(fit, sys.argv[2])
