"""EasyEnsembleClassifier: boosted bags for tables with gaps and categories, and scikit-learn's checks."""

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from skauto.resample import EasyEnsembleClassifier


def test_gaps_categories_and_weights_pass():
    rng = np.random.default_rng(0)
    y = np.repeat(["often", "rare"], [160, 20])
    X = pd.DataFrame({"n": rng.normal(size=180) + (y == "rare"), "c": pd.Categorical(rng.choice(list("uv"), 180))})
    X.loc[::7, "n"] = np.nan
    model = EasyEnsembleClassifier(n_estimators=3, random_state=0).fit(X, y, sample_weight=rng.random(180) + 1)
    assert model.predict_proba(X)[y == "rare", 1].mean() > model.predict_proba(X)[y == "often", 1].mean()


def test_better_than_a_stump_with_honest_probabilities_and_any_base():
    X, y = make_classification(n_samples=3000, weights=[0.95], class_sep=0.7, random_state=0)
    stump = DecisionTreeClassifier(max_depth=1).fit(X[::2], y[::2]).predict_proba(X[1::2])[:, 1]
    for base in (None, AdaBoostClassifier(n_estimators=10)):
        model = EasyEnsembleClassifier(base, n_estimators=5, random_state=0).fit(X[::2], y[::2])
        score = model.predict_proba(X[1::2])[:, 1]
        assert roc_auc_score(y[1::2], score) > roc_auc_score(y[1::2], stump)
        model.set_params(prior_correction=False)
        naive = model.fit(X[::2], y[::2]).predict_proba(X[1::2])[:, 1]
        assert brier_score_loss(y[1::2], score) < brier_score_loss(y[1::2], naive)
