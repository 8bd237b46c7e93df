"""AutoGluon: F1 as its metric (macro F1 for many classes), which also makes it tune its threshold for two classes."""

import sys

import autogluon.tabular
from autogluon.tabular import TabularPredictor
from child import LABEL, Model, megabytes, run


def fit(task, presets):
    """A predictor of the presets; it is kept in memory to predict, as its guide advises."""
    predictor = TabularPredictor(
        label=LABEL,
        problem_type="binary" if task.is_binary else "multiclass",
        eval_metric="f1" if task.is_binary else "f1_macro",
        path=str(task.folder / "models"),
        **({"positive_class": 1} if task.is_binary else {}),
    )
    predictor.fit(
        task.training_table(),
        presets=presets,
        time_limit=task.time_limit,
        num_cpus=task.cores,
        num_gpus=0,
    )
    return Model(
        predictor.predict,
        predictor.predict_proba,
        predictor.class_labels,
        save=lambda path: predictor.clone_for_deployment(path=str(path), return_clone=False),
        notes=lambda: notes_of(predictor, task.folder),
        keep=predictor.persist,
    )


def notes_of(predictor, folder):
    """What was fitted on what kinds of columns, the threshold, and the size of the folder that it fitted in."""
    board = predictor.leaderboard()
    return {
        "version": autogluon.tabular.__version__,
        "models": dict(zip(board["model"], board["score_val"].round(4), strict=True)),
        "best": predictor.model_best,
        "threshold": predictor.decision_threshold,
        "columns": {str(kind): len(names) for kind, names in predictor.feature_metadata.to_dict(inverse=True).items()},
        "folder_mb": megabytes(folder / "models"),
    }


if __name__ == "__main__":
    run(fit, sys.argv[2])
