"""LightAutoML: its own loss and metric (log loss, AUC); it gives probabilities alone, which decide at .5."""

from importlib.metadata import version

import joblib
import numpy as np
from child import LABEL, Model, run
from lightautoml.automl.presets.tabular_presets import TabularAutoML
from lightautoml.tasks import Task


def fit(task):
    """The preset for tables within the time limit, with the kinds of columns named."""
    model = TabularAutoML(
        task=Task("binary" if task.is_binary else "multiclass"),
        timeout=task.time_limit,
        cpu_limit=task.cores,
        reader_params={"n_jobs": task.cores, "random_state": task.seed},
    )
    roles = {"target": LABEL, "category": task.columns("text"), "datetime": task.columns("datetime")}
    model.fit_predict(task.training_table(), roles={role: names for role, names in roles.items() if names}, verbose=1)
    mapping = model.reader.class_mapping or {label: label for label in range(task.n_classes)}
    classes = sorted(mapping, key=mapping.get)

    def predict_proba(X):
        probability = model.predict(X).data
        return np.hstack([1 - probability, probability]) if task.is_binary else probability

    def predict(X):
        return np.asarray(classes)[predict_proba(X).argmax(axis=1)]

    return Model(predict, predict_proba, classes, lambda path: joblib.dump(model, path), lambda: notes_of(model))


def notes_of(model):
    """What was fitted and blended."""
    return {"version": version("lightautoml"), "blend": model.create_model_str_desc(), "roles": roles_of(model)}


def roles_of(model):
    """How many columns have each role."""
    names = [type(role).__name__ for role in model.reader.roles.values()]
    return {name: names.count(name) for name in set(names)}


if __name__ == "__main__":
    run(fit)
