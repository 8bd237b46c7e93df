"""SearchCV with every pair of its settings: it fits, scores, predicts and pickles, or says why it refuses."""

import pickle
import warnings
from contextlib import ExitStack

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from skauto.search import SearchCV
from tests.pairs import search_values as values
from tests.pairs.covering import covering_rows, executor, expected_refusal, row_id, rows_of_today

ROWS = covering_rows(values.VALUES, values.REFUSALS)


def problem():
    """Two classes, one of them rarer, that the first columns tell apart."""
    k = np.random.default_rng(0).permutation(np.repeat([0, 1], [values.N_ROWS * 2 // 3, values.N_ROWS // 3]))
    X = np.random.default_rng(1).normal(size=(len(k), 5))
    X[:, 0] += 2 * k
    return X, k


def settings(row, k, folder, stack):
    """The search of a row."""
    make, real, whole = values.ESTIMATORS[row["estimator"]]
    several = row["scoring"] in values.SEVERAL
    refit = {"refit": values.SEVERAL.get(row["scoring"], True), "no refit": False, "callable": values.best_row}
    score = values.SEVERAL.get(row["scoring"], "score")
    pool = dict(values.POOL[row["pool"]])
    if "executor" in pool:
        pool["executor"] = executor(pool["executor"], stack)
    space = values.SPACE[row["space"]](real, whole)
    fidelity = {"full": None, "rows": "rows", "epochs": "epochs", "parameter": (whole, 3, 27)}[row["fidelity"]]
    if row["fidelity"] in ("epochs", "parameter"):  # what is saved on is not searched
        for branch in space if isinstance(space, list) else [space]:
            branch.pop(whole, None)
            branch.setdefault(real, [0.01, 1.0])
    cv = values.CV[row["cv"]]
    pairs = list(StratifiedKFold(3, shuffle=True, random_state=2).split(k, k))
    return SearchCV(
        make(),
        space,
        strategy=values.STRATEGY[row["strategy"]],
        scoring=values.SCORING[row["scoring"]],
        cv=pairs if cv == "pairs" else cv,
        refit=refit.get(row["refit"], row["refit"]),
        constraints={score if several else "score": 0.05} if row["constraints"] == "bounds" else None,
        racing=values.RACING[row["racing"]],
        fidelity=fidelity,
        min_class_rows=7 if row["min_class_rows"] == "7 class rows" else None,
        error_score="raise" if row["error_score"] == "raise" else np.nan,
        return_train_score=row["train_score"] == "train score",
        rescore=row["rescore"] == "rescore",
        trial_time_limit=values.TRIAL_LIMIT[row["trial_time_limit"]],
        memory_limit=values.MEMORY[row["memory_limit"]],
        journal=folder / "journal" if row["journal"] == "journal" else None,
        random_state=values.SEED[row["seed"]],
        verbose=int(row["verbose"] == "verbose"),
        **values.LIMITS[row["limits"]],
        **pool,
    )


def check(search, row, X, y):
    """The outcome of a search."""
    score = values.SEVERAL.get(row["scoring"], "score")
    means = search.cv_results_[f"mean_test_{score}"]
    assert np.isfinite(means).any(), means
    if row["refit"] == "no refit":
        pickle.loads(pickle.dumps(search))
        return
    assert row["refit"] == "callable" or np.isfinite(search.best_score_)  # as scikit-learn's, which leaves it out
    labels = search.predict(X)
    assert len(labels) == values.N_ROWS and set(np.asarray(labels).tolist()) <= set(np.asarray(y).tolist())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(search)).predict(X), labels)


@pytest.mark.slow
@pytest.mark.pairs
@pytest.mark.lightgbm
@pytest.mark.parametrize("row", rows_of_today(ROWS), ids=row_id)
def test_every_pair_of_settings(row, tmp_path):
    numbers, k = problem()
    X, y = values.CONTAINERS[row["container"]](numbers), values.LABELS[row["labels"]](k)
    fit = {}
    if row["weights"] == "weights":
        fit["sample_weight"] = np.random.default_rng(7).uniform(0.5, 2, len(k))
    if row["cv"] == "GroupKFold":
        fit["groups"] = np.arange(len(k)) // 2
    if row["weights"] == "weights" and row["estimator"] == "pipeline":
        fit = {f"lgbmclassifier__{n}" if n == "sample_weight" else n: v for n, v in fit.items()}
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("default")
        search = settings(row, k, tmp_path, stack)
        if refusal := expected_refusal(row, values.REFUSALS):
            with pytest.raises((ValueError, TypeError), match=refusal):
                search.fit(X, y, **fit)
            return
        search.fit(X, y, **fit)
        check(search, row, X, y)


def test_at_most_a_tenth_of_the_rows_is_refused():
    assert sum(expected_refusal(row, values.REFUSALS) is not None for row in ROWS) <= len(ROWS) / 10
