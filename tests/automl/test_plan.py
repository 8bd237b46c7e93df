"""The plan of a search: folds that respect classes and groups, candidates that can run, names that are known."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.model_selection import GroupKFold, KFold, RepeatedStratifiedKFold, ShuffleSplit

from skauto.automl._data_profile import DataProfile
from skauto.automl._imbalance import OVER_SAMPLERS
from skauto.automl._kind import kind_named
from skauto.automl._select_candidates import select_candidates, trial_fraction
from skauto.automl._splits import MAX_REPEATS
from skauto.automl._time_budget import ALONE_FRACTION, LONG_TRIAL_FRACTION, TRIAL_FRACTION
from skauto.automl.evaluation._read_constraints import read_constraints
from skauto.automl.tables._balanced_candidates import ON_REQUEST
from skauto.automl.tables._candidates import TABLES
from skauto.inputs._read import inspect
from skauto.search._trial import Trial
from tests.support.trials import make_plan, read_images, with_single_fold

PROFILE = DataProfile(n_rows=200, n_columns=4, n_classes=2, sparse=False, threads=1, early_stopping=False)


def plan_of(y, groups=None, X=None, **changes):
    X = np.random.default_rng(0).normal(size=(len(y), 3)) if X is None else X
    data = inspect(X, y, None, groups)
    given = {"scoring": "f1", "cv": 4, "candidates": ["logistic", "naive_bayes"], "pos_label": data.classes[-1],
             "seed": 0, "threads": 1}  # fmt: skip
    return make_plan(data, **{**given, **changes})


def test_small_tables_are_split_again():
    plan = plan_of(np.arange(200) % 2)
    assert len(plan.context.folds) == 4 * MAX_REPEATS
    assert sorted(np.unique(plan.scoring.repeat)) == list(range(MAX_REPEATS))
    for repeat in range(MAX_REPEATS):
        rows = np.concatenate([valid for _, valid in plan.context.folds[4 * repeat : 4 * repeat + 4]])
        np.testing.assert_array_equal(np.sort(rows), np.arange(200))
    assert len(plan_of(np.arange(4000) % 2).context.folds) == 4
    assert len(plan_of(np.arange(40) % 2).context.folds) == 4


def test_a_single_fold_is_divided_for_the_judgement_of_cuts():
    y = np.random.default_rng(0).integers(3, size=200)
    plan = plan_of(y, cv=ShuffleSplit(1, test_size=100, random_state=0))
    assert len(plan.context.folds) == 1
    for part in range(5):
        assert set(plan.scoring.y[plan.scoring.fold == part]) == {0, 1, 2}
    few = plan_of(y, cv=ShuffleSplit(1, test_size=6, random_state=0))
    assert set(few.scoring.fold) == {0}


def test_one_fold_of_many_images_is_held_back(monkeypatch):
    with_single_fold(monkeypatch, 100)
    images = np.random.default_rng(0).integers(0, 255, (120, 1, 6, 6), dtype=np.uint8)
    data = read_images(images, np.arange(120) % 3)
    given = {"scoring": "f1", "candidates": ["logistic"], "pos_label": None, "seed": 0, "threads": 1}
    ((train, valid),) = make_plan(data, cv=4, **given).context.folds
    assert (len(train), len(valid)) == (90, 30)
    build = make_plan(data, cv=4, **given | {"candidates": "auto"}).context.build
    assert [name for name in build.candidates if build.keeps({"candidate": name})] == ["cnn"]
    assert len(make_plan(data, cv=KFold(3), **given).context.folds) == 3
    few = read_images(images[:99], np.arange(99) % 3)
    assert len(make_plan(few, cv=4, **given).context.folds) == 4


def test_networks_that_are_final_may_take_longer(monkeypatch):
    images = np.random.default_rng(0).integers(0, 255, (120, 1, 6, 6), dtype=np.uint8)
    data = read_images(images, np.arange(120) % 3)
    given = {"scoring": "f1", "cv": 4, "candidates": "auto", "pos_label": None, "seed": 0, "threads": 1}

    def fractions(**changes):
        plan = make_plan(data, **given, **changes)
        trials = [Trial(number, params) for number, params in enumerate(plan.initial)]
        names = [plan.space.decode(params)["candidate"] for params in plan.initial]
        return {name: plan.fraction_of(trial) for name, trial in zip(names, trials, strict=True)}

    assert set(fractions().values()) == {TRIAL_FRACTION}
    with_single_fold(monkeypatch, 100)
    assert fractions() == {**dict.fromkeys(fractions(), TRIAL_FRACTION), "cnn": LONG_TRIAL_FRACTION}
    bound = fractions(constraints=read_constraints({"bytes": 10_000}))
    assert bound["cnn"] == bound["compressed_cnn"] == LONG_TRIAL_FRACTION and bound["logistic"] == TRIAL_FRACTION


def test_what_is_judged_is_in_the_order_of_the_folds():
    y = np.random.default_rng(0).integers(3, size=90)
    plan = plan_of(y)
    rows = np.concatenate([valid for _, valid in plan.context.folds])
    np.testing.assert_array_equal(plan.scoring.y, y[rows])
    assert len(plan.scoring.fold) == len(rows)


def test_groups_are_on_one_side():
    groups = np.arange(120) // 4
    for train, valid in plan_of(np.arange(120) % 2, groups).context.folds:
        assert not set(groups[train]) & set(groups[valid])


def test_rare_classes_learn_and_are_never_judged():
    y = np.array([0] * 60 + [1] * 60 + [2] * 2 + [3])
    plan = plan_of(y)
    assert all({120, 121, 122} <= set(train) for train, _ in plan.context.folds)
    assert set(plan.scoring.y) == {0, 1}


@pytest.mark.parametrize("positives", [1, 2])
def test_scores_that_judge_one_class_alone_are_said_to(positives):
    y = (np.arange(60) < positives).astype(int)
    with pytest.warns(UserWarning, match=f"y: only class 0 is ever held back .*1: {positives}}}.*three rows of each"):
        plan_of(y)


def test_a_splitter_of_the_user():
    plan = plan_of(np.arange(60) % 2, cv=KFold(3))
    assert [len(valid) for _, valid in plan.context.folds] == [20, 20, 20]


def test_a_splitter_that_needs_groups_says_how_to_give_them():
    y = np.arange(60) % 2
    message = r"cv=GroupKFold\(n_splits=3.*cannot split these 60 rows: .*groups.*; pass groups= to fit"
    with pytest.raises(ValueError, match=message):
        plan_of(y, cv=GroupKFold(3))
    with pytest.raises(ValueError, match="cannot split these 60 rows: .*number of groups: 2.$"):
        plan_of(y, groups=np.arange(60) // 30, cv=GroupKFold(3))


def test_the_positive_class():
    y = np.array(["no"] * 30 + ["yes"] * 50)
    assert plan_of(y, pos_label="no").scoring.positive == 0
    assert plan_of(y, pos_label="yes").scoring.positive == 1


def test_early_stopping_needs_positives_in_every_fold():
    assert plan_of((np.arange(400) % 10 == 0).astype(int)).context.build.profile.early_stopping
    assert not plan_of((np.arange(400) % 20 == 0).astype(int)).context.build.profile.early_stopping


def test_rungs_keep_enough_rows():
    few, some, many = (plan_of(np.arange(rows) % 2) for rows in (250, 1_000, 20_000))
    assert few.min_fidelity("halving") == 1.0
    values = few.space.decode(few.initial[0])
    assert few.context.apply_fidelity(values, few.context.build(values, 0), 1 / 9)[1] == 1.0
    assert some.min_fidelity("halving") == 1 / 3 and some.min_fidelity("auto") == 1.0
    assert many.min_fidelity("halving") == many.min_fidelity("auto") == 1 / 9


def test_the_first_configurations_see_fewer_rows_where_a_fit_would_outlast_its_trial():
    y = np.arange(60_000) % 2
    assert plan_of(y, time_limit=60).first_fidelity("auto") == 1.0
    short = plan_of(y, time_limit=0.5)
    assert short.first_fidelity("auto") == short.first_fidelity("bayes") == 1 / 9
    assert plan_of(y, time_limit=0.02).first_fidelity("auto") < 1 / 9


def test_configurations_tried_first_come_in_their_order():
    plan = plan_of(np.arange(100) % 2)
    names = [plan.space.decode(params)["candidate"] for params in plan.initial]
    assert names == ["logistic", "naive_bayes"]
    assert plan.n_trials > len(names)


def test_large_and_sparse_tables_leave_some_out():
    def names(**changes):
        return {candidate.name for candidate in select_candidates("auto", replace(PROFILE, **changes))[0]}

    assert "svm" in names()
    assert "svm" not in names(n_rows=100_000)
    assert {"hist_boosting", "naive_bayes"}.isdisjoint(names(sparse=True))


@pytest.mark.parametrize(("wrong", "hint"), [("lightgmb", "lightgbm"), ("LightGBM", "'lightgbm'.?"), ("zzz", "auto")])
def test_an_unknown_candidate_is_told_what_was_meant(wrong, hint):
    with pytest.raises(ValueError, match=f"{wrong}.*not known.*{hint}"):
        select_candidates([wrong], PROFILE)


def test_nothing_left_to_try():
    with pytest.raises(ValueError, match="leaves nothing to try.*naive_bayes left out: it takes no sparse X; choose"):
        plan_of(np.arange(60) % 2, X=sp.random(60, 5, 0.5, format="csr"), candidates=["naive_bayes"])
    with pytest.raises(ValueError, match="leaves nothing to try on these data; choose 'auto'"):
        select_candidates([], PROFILE)


def test_a_candidate_that_was_named_and_cannot_be_used_is_said():
    chosen, missing = select_candidates(["svm", "knn", "logistic"], replace(PROFILE, n_rows=6_000, weighted=True))
    assert [candidate.name for candidate in chosen] == ["logistic"]
    assert missing == [
        "svm left out: it learns from at most 5000 rows, here are 6000",
        "knn left out: it takes no sample_weight",
    ]
    assert not any("svm" in line for line in select_candidates("auto", replace(PROFILE, n_rows=6_000))[1])


def test_every_candidate_can_be_named():
    for candidate in (*TABLES, *ON_REQUEST):
        other = "logistic" if candidate.name == "naive_bayes" else "naive_bayes"
        chosen, missing = select_candidates([candidate.name, other], PROFILE)
        assert len(chosen) + len(missing) == 2


def test_imbalance_strategies_are_tried_only_where_there_is_something_to_balance():
    def ways(y):
        plan = plan_of(y, candidates=["logistic"])
        return {name for branch in plan.space.branches for name in branch["imbalance"].values}

    assert ways(np.arange(90) % 2) == {"none"}
    assert ways((np.arange(90) % 3 == 0).astype(int)) == {"none", "class_weight", *OVER_SAMPLERS}


def test_balanced_ensembles_wait_to_be_named():
    chosen, _ = select_candidates("auto", PROFILE)
    assert not {candidate.name for candidate in chosen} & {candidate.name for candidate in ON_REQUEST}


def test_folds_of_a_repeating_splitter_are_kept_apart():
    plan = plan_of(np.arange(60) % 2, cv=RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0))
    np.testing.assert_array_equal(plan.context.repeat, [0, 0, 0, 1, 1, 1])


def test_a_grid_holds_two_values_of_each_number():
    plan = plan_of(np.arange(60) % 2, candidates=["naive_bayes"], finite=True)
    values = {plan.space.decode(params)["var_smoothing"] for params in plan.space.grid()}
    assert len(values) == 2 and plan.initial == [] and plan.n_trials == plan.space.size


def test_candidates_without_weights_are_left_out_where_there_are_some():
    names = {candidate.name for candidate in select_candidates("auto", replace(PROFILE, weighted=True))[0]}
    assert "knn" not in names and "logistic" in names


@pytest.mark.parametrize(
    ("names", "fraction"),
    [
        ("auto", TRIAL_FRACTION),
        (["logistic", "mlp"], TRIAL_FRACTION),
        ("mlp", ALONE_FRACTION),
        (["logistic"], ALONE_FRACTION),
    ],
)
def test_a_trial_may_use_more_where_nothing_else_is_in_play(names, fraction):
    assert trial_fraction(names, kind_named("table")) == fraction
    assert trial_fraction(["min_gru", "min_lstm"], kind_named("sequence")) == ALONE_FRACTION


def test_a_net_with_too_little_time_is_left_out_beside_others_only():
    hurried = replace(PROFILE, trial_seconds=1.0)
    chosen, missing = select_candidates("auto", hurried)
    assert "mlp" not in {candidate.name for candidate in chosen}
    assert [line for line in missing if line.startswith("mlp left out: a trial has 1 s")]
    pytest.importorskip("torch")
    chosen, missing = select_candidates("mlp", hurried)
    assert [candidate.name for candidate in chosen] == ["mlp"] and missing == []


def test_a_table_that_is_large_for_its_time_has_trials_of_one_fold():
    X = np.random.default_rng(0).normal(size=(2_000, 400))
    data, how = inspect(X, np.arange(2_000) % 2), {"scoring": "f1", "cv": 5, "candidates": "auto", "pos_label": 1}
    short, long, counted = (
        make_plan(data, **how, seed=0, threads=1, time_limit=limit).context for limit in (2, 600, None)
    )
    assert (short.most_folds, long.most_folds, counted.most_folds) == (1, None, None)
    assert len(short.folds) == len(long.folds)  # so that a journal can be taken up with more time
    assert counted.bag is None and long.bag is not None


def test_images_are_held_out_for_networks_within_a_time_limit_alone():
    pytest.importorskip("torch")
    images = np.random.default_rng(0).integers(0, 255, (700, 32, 32), dtype=np.uint8)
    data = read_images(images, np.arange(700) % 2)
    given = {"scoring": "f1_macro", "cv": 5, "seed": 0, "threads": 1}
    timed = make_plan(data, **given, candidates=["logistic", "cnn"], time_limit=60.0)
    assert len(timed.context.folds) == 1 and timed.profile.holds_out
    values = [timed.space.decode(params) for params in timed.initial]
    assert all(map(timed.context.keeps, values))
    assert timed.min_fidelity("auto") == 1
    counted = make_plan(data, **given, candidates=["logistic", "cnn"], time_limit=None)
    without = make_plan(data, **given, candidates=["logistic"], time_limit=60.0)
    for plan in (counted, without):
        assert len(plan.context.folds) == 5 and not plan.profile.holds_out
    assert not without.context.keeps(values[0])
