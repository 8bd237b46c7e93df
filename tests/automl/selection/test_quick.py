"""The quick model: rows and columns are drawn so that its cost is known before."""

import time

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skauto.automl.selection._quick import LEAST, MOST, quick_fit, seconds_within
from skauto.automl.tables._kind import quick_sample
from skauto.inputs._read import inspect
from tests.support.trials import make_plan


def context_of(X, y):
    data = inspect(X, y)
    plan = make_plan(data, scoring="f1", cv=2, candidates=["logistic"], pos_label=None, seed=0, threads=1)
    return plan.context, data.classes


def table(n_rows, n_columns, n_classes=2):
    X = np.random.default_rng(0).normal(size=(n_rows, n_columns))
    return X, np.digitize(X[:, 0], np.quantile(X[:, 0], np.arange(1, n_classes) / n_classes))


def test_seconds_are_a_part_of_the_limit():
    assert seconds_within(1) == LEAST
    assert LEAST < seconds_within(60) < MOST == seconds_within(1e4)


@pytest.mark.parametrize(("shape", "n_classes"), [((600, 3_000), 2), ((30_000, 20), 2), ((6_000, 60), 40)])
def test_wide_tall_and_many_classes_cost_about_the_same(shape, n_classes):
    """Boosting on 2,000 rows of 3,000 columns took 16 seconds of one thread, and 40 classes 300 trees."""
    context, labels = context_of(*table(*shape, n_classes))
    rows, columns = quick_sample(context, LEAST)
    assert rows * (columns or shape[1]) <= 600_000
    began = time.process_time()
    model = quick_fit(context, labels)
    assert time.process_time() - began < 8 * LEAST
    assert model.predict_proba(context.X[:5]).shape == (5, n_classes)


def test_more_time_means_more_rows():
    context, _ = context_of(*table(50_000, 20))
    assert quick_sample(context, 0.4)[0] > 3 * quick_sample(context, 0.1)[0]


def test_columns_of_a_frame_are_found_by_name_later():
    X, y = table(400, 900)
    frame = pd.DataFrame(X).add_prefix("c")
    context, labels = context_of(frame, np.array(["no", "yes"])[y])
    model = quick_fit(context, labels, 0.05)
    np.testing.assert_array_equal(model.predict(frame), model.predict(frame[frame.columns[::-1]]))
    assert len(model[:1].get_feature_names_out(frame.columns)) == quick_sample(context, 0.05)[1]


def test_rows_of_a_sparse_table_are_counted_by_what_they_hold():
    X = sp.random_array((2_000, 500), density=0.2, format="csr", rng=np.random.default_rng(0))
    context, labels = context_of(X, np.arange(2_000) % 2)
    assert quick_sample(context, 0.1) == (1_000, None)
    assert quick_fit(context, labels, 1e-9).predict(X).shape == (2_000,)
    assert quick_sample(context, 1e-9) == (200, None)
