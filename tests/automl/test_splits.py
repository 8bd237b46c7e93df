"""Folds: those of the user are split from what was handed in, and are checked."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold, PredefinedSplit, StratifiedKFold

from skauto.automl._splits import folds_of, given_folds, warn_of_one_class
from skauto.inputs._read import inspect
from tests.support.trials import read_images as inspect_images

X = np.arange(30.0).reshape(15, 2)
Y = np.arange(15) % 2


def given(cv, X=X, y=Y, groups=None, labels=Y):
    return given_folds(cv, X, y, groups, labels)


def test_a_number_stays():
    assert given(3) == 3
    assert given(None) == 5


def test_pairs_masks_and_generators_are_the_folds():
    pairs = list(KFold(3).split(X))
    masks = [(np.isin(np.arange(15), train), np.isin(np.arange(15), test).tolist()) for train, test in pairs]
    for cv in (pairs, tuple(pairs), iter(pairs), [list(map(list, pair)) for pair in pairs], masks, KFold(3)):
        for made, expected in zip(given(cv), pairs, strict=True):
            np.testing.assert_array_equal(made[0], expected[0])
            np.testing.assert_array_equal(made[1], expected[1])
            assert made[0].dtype == np.int64


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([], "cv=<list of 0> gave no folds; a generator can be read once only: pass a list"),
        (iter(()), "cv=<tuple_iterator> gave no folds"),
        ([3, 4], r"cv=<list of 2>: fold 0 is no pair of arrays of integers. cv takes a number of folds, a splitter or"),
        ([([0.5], [1])], "fold 0 is no pair of arrays of integers"),
        ([([0, 1], [2]), ([0], [15])], "fold 1 has the test row 15, but X has the rows 0 to 14; positions are meant"),
        ([([-1, 1], [2])], "fold 0 has the training row -1"),
        ([([0, 1, 2, 3], [2, 3])], "fold 0 is judged on 2 of the rows that it learns from, the first is 2"),
        ([([0, 1], [])], "the test rows of fold 0 are none"),
        ("kfold", "cv='kfold' cannot be used: cv takes a number of folds"),
    ],
)
def test_what_is_no_fold_is_refused(cv, message):
    with pytest.raises(ValueError, match=message):
        given(cv)


def test_messages_stay_short():
    with pytest.raises(ValueError, match="fold 0 has") as error:
        given(PredefinedSplit(np.arange(500) % 50))
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("dtype", ["boolean", "Int64", "category", "string"])
def test_labels_of_any_type_are_split(dtype):
    labels = np.array(["0", "1"])[Y] if dtype == "string" else Y
    y = pd.Series(pd.array(labels, dtype=dtype), index=np.arange(15) + 100)
    folds = given(StratifiedKFold(3), y=y, labels=labels)
    assert [len(test) for _, test in folds] == [6, 5, 4] or sum(len(test) for _, test in folds) == 15


def test_folds_without_two_classes_are_left_out():
    data = inspect(X, np.repeat([0, 1], [10, 5]))
    with pytest.warns(UserWarning, match="cv: 1 of 3 folds are left out"):
        folds, repeat = folds_of(replace(data, cv=given(KFold(3))), 0)
    assert [test[0] for _, test in folds] == [0, 5]
    assert repeat.tolist() == [0, 0]
    with pytest.raises(ValueError, match="none of the 1 folds has two classes"):
        folds_of(replace(data, cv=[(np.arange(5), np.arange(5, 15))]), 0)


def test_weights_of_zero_teach_nothing():
    data = inspect(X, Y, sample_weight=np.where((Y == 1) & (np.arange(15) < 10), 0, 1))
    with pytest.warns(UserWarning, match="cv: 1 of 3 folds are left out"):
        assert len(folds_of(replace(data, cv=given(KFold(3))), 0)[0]) == 2


def test_one_class_that_alone_is_judged_is_said():
    data = inspect(X, Y)
    with pytest.warns(UserWarning, match="only class 0 is ever held back.*use a stratified splitter"):
        warn_of_one_class(data, np.flatnonzero(Y == 0))


def test_of_many_classes_some_are_counted():
    data = inspect(np.arange(81.0)[:, None], np.r_[np.arange(80) % 40, 0])
    with pytest.warns(UserWarning, match=r"of rows by class {0: 3, .*9: 2, ...} \(40 classes\), so"):
        warn_of_one_class(data, np.array([0]))


def test_of_images_one_part_is_held_back_where_there_is_no_time_for_folds():
    y = np.arange(700) % 2
    images = inspect_images(np.random.default_rng(0).integers(0, 255, (700, 32, 32), dtype=np.uint8), y)
    folds, _ = folds_of(replace(images, cv=5), 0)
    assert len(folds) == 5
    (train, valid), *others = folds_of(replace(images, cv=5), 0, seconds=60.0)[0]
    assert not others and len(valid) == 175 and len(train) == 525
    assert len(np.intersect1d(train, valid)) == 0 and np.mean(y[valid]) == pytest.approx(0.5, abs=0.01)
    assert len(folds_of(replace(images, cv=5), 0, seconds=3_600.0)[0]) == 5
    pairs = [(np.arange(350), np.arange(350, 700)), (np.arange(350, 700), np.arange(350))]
    assert len(folds_of(replace(images, cv=pairs), 0, seconds=60.0)[0]) == 2
