"""Folds: every row that can be judged is judged once, rare classes always learn, groups never cross."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skauto.search._folds import stratified_folds

labels = st.lists(st.integers(0, 4), min_size=3, max_size=80).map(np.array).filter(lambda y: np.bincount(y).max() > 2)


def judged(folds, n_rows):
    """How often each row validates."""
    return np.bincount(np.concatenate([valid for _, valid in folds]), minlength=n_rows)


@settings(deadline=None)
@given(labels, st.integers(2, 7), st.integers(0, 99))
def test_each_row_of_a_larger_class_validates_once_and_no_row_of_a_rare_class(y, n_splits, seed):
    folds = stratified_folds(y, n_splits, seed)
    expected = (np.bincount(y)[y] > 2).astype(int)
    np.testing.assert_array_equal(judged(folds, len(y)), expected)
    assert 2 <= len(folds) <= n_splits
    for train, valid in folds:
        np.testing.assert_array_equal(np.sort(np.concatenate([train, valid])), np.arange(len(y)))
        assert len(valid) > 0
        assert set(y[train]) == set(y)


@settings(deadline=None)
@given(labels, st.integers(2, 7))
def test_classes_are_spread_evenly(y, n_splits):
    folds = stratified_folds(y, n_splits, 0)
    counts = np.array([np.bincount(y[valid], minlength=5) for _, valid in folds])
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


def test_folds_depend_on_the_seed_and_the_repeat_and_on_nothing_else():
    y = np.arange(60) % 3
    first = [valid.tolist() for _, valid in stratified_folds(y, 3, 0, n_repeats=2)]
    again = [valid.tolist() for _, valid in stratified_folds(y, 3, 0, n_repeats=2)]
    other = [valid.tolist() for _, valid in stratified_folds(y, 3, 1, n_repeats=2)]
    assert first == again
    assert len(first) == 6
    assert first[:3] != first[3:]
    assert first != other
    assert first[:3] == [valid.tolist() for _, valid in stratified_folds(y, 3, 0)]


def test_with_no_larger_class_two_rows_must_do():
    y = np.array([0, 0, 1, 1, 2])
    folds = stratified_folds(y, 5, 0)
    np.testing.assert_array_equal(judged(folds, 5), [1, 1, 1, 1, 0])
    assert all(set(y[train]) == {0, 1, 2} for train, _ in folds)


def test_single_rows_cannot_be_held_back():
    with pytest.raises(ValueError, match="every class has one row only.* one of the 3 classes in y needs two rows"):
        stratified_folds(np.array([0, 1, 2]), 2, 0)


@settings(deadline=None)
@given(st.data(), st.integers(2, 6))
def test_no_group_is_on_both_sides(data, n_splits):
    n_rows = data.draw(st.integers(6, 60))
    y = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n_rows, max_size=n_rows)))
    groups = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n_rows, max_size=n_rows)))
    if len(set(groups)) < 2:
        return
    rare = np.bincount(y)[y] <= 2
    if all(len(set(groups[y == k])) < 2 or rare[y == k].any() for k in set(y)):
        with pytest.raises(ValueError, match="groups leave nothing to validate"):
            stratified_folds(y, n_splits, 0, groups)
        return
    folds = stratified_folds(y, n_splits, 0, groups)
    assert 1 <= len(folds) <= n_splits
    for train, valid in folds:
        assert not set(groups[train]) & set(groups[valid])
        assert not rare[valid].any()
        assert len(train) > 0 and len(valid) > 0
    assert judged(folds, n_rows).max() <= 1


def test_groups_keep_the_classes_balanced():
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.1).astype(int)
    groups = rng.integers(0, 300, 2000)
    folds = stratified_folds(y, 5, 0, groups)
    assert judged(folds, 2000).tolist() == [1] * 2000
    rates = [y[valid].mean() for _, valid in folds]
    assert max(rates) - min(rates) < 0.01
    assert np.ptp([len(valid) for _, valid in folds]) < 40


def test_a_group_with_a_rare_class_always_learns():
    y = np.array([0, 1, 0, 1, 0, 1, 0, 1, 2])
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3, 3])
    folds = stratified_folds(y, 4, 0, groups)
    assert len(folds) == 3
    assert all(8 in train for train, _ in folds)
    np.testing.assert_array_equal(judged(folds, 9), [1, 1, 1, 1, 1, 1, 0, 0, 0])


def test_rare_rows_in_every_group_are_left_out_of_validation():
    y = np.array([0, 0, 0, 1, 0, 0, 0, 2])
    groups = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    folds = stratified_folds(y, 5, 0, groups)
    assert sorted(valid.tolist() for _, valid in folds) == [[0, 1, 2], [4, 5, 6]]


def test_one_group_is_refused():
    with pytest.raises(ValueError, match="one group only"):
        stratified_folds(np.array([0, 1, 0, 1]), 2, 0, np.zeros(4, dtype=int))


def test_a_fold_of_rare_classes_alone_is_left_out():
    y = np.array([0, 0, 0, 0, 1, 1, 2, 3])
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3])  # two groups are free of rare classes; without the first, none is
    assert len(stratified_folds(y, 4, 0, groups)) == 2
    folds = stratified_folds(np.append(y, 2), 4, 0, np.append(groups, 0))
    assert sorted(np.concatenate([valid for _, valid in folds])) == [0, 1, 2, 3]
    assert all(len(valid) for _, valid in folds)
