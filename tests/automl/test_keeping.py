"""What the documentation of AutoClassifier promises is there after a fit."""

import re

from sklearn.datasets import load_breast_cancer

from skauto import AutoClassifier

# Only with the parameter `holdout`, and where X had column names.
SOMETIMES = {"holdout_score_", "holdout_scores_", "holdout_rows_", "feature_names_in_"}


def test_every_documented_attribute_is_there():
    X, y = load_breast_cancer(return_X_y=True)
    section = AutoClassifier.__doc__.split("Attributes")[1].split("Examples")[0]
    names = set(re.findall(r"\b(\w+_)(?:, | : )", section)) - SOMETIMES
    assert {"ensemble_", "leaderboard_", "honest_score_", "honest_interval_", "oof_proba_"} <= names
    settings = {"n_iter": 1, "time_limit": None, "cv": 3, "candidates": "logistic", "n_jobs": 1}
    model = AutoClassifier(**settings, pos_label=0, random_state=0, verbose=0).fit(X, y)
    assert [name for name in sorted(names) if not hasattr(model, name)] == []
