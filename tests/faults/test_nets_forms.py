"""Other libraries' forms of series and scales of pixels: read as they are meant, or told of.

Nested frames were learnt by their printed text, channels first by the wrong axis, and another scale of pixels took
.91 to .11 without a word.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline

from skauto import AutoClassifier
from skauto.estimators import CNNClassifier, MinGRUClassifier, MiniRocketTransformer, SequenceSummaryTransformer

RNG = np.random.default_rng(0)
Y = np.array(["slow", "quick"])[np.arange(60) % 2]


def curve(label, steps):
    t = np.arange(steps)
    return np.sin(t * (0.3 if label == "slow" else 1.1) + RNG.uniform(0, 6)) + RNG.normal(0, 0.2, steps)


LENGTHS = [20 + i % 7 for i in range(60)]
SERIES = [np.stack([curve(label, n), RNG.normal(size=n)], axis=1) for label, n in zip(Y, LENGTHS, strict=True)]


def nested(kind=pd.Series):
    cells = {name: [kind(x[:, i]) for x in SERIES] for i, name in enumerate(["wave", "noise"])}
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in cells.items()})


SETTINGS = {"n_iter": 1, "time_limit": None, "cv": 2, "n_jobs": 1, "random_state": 0, "verbose": 0}


@pytest.mark.slow
def test_a_frame_whose_cells_are_series_is_read_as_series():
    frame = nested()
    auto = AutoClassifier(candidates=["extra_trees"], **SETTINGS).fit(frame, Y)
    plain = AutoClassifier(candidates=["extra_trees"], **SETTINGS).fit(SERIES, Y)
    assert auto.kind_ == "sequence" and auto.n_features_in_ == 2
    np.testing.assert_array_equal(auto.predict_proba(frame), plain.predict_proba(SERIES))
    np.testing.assert_array_equal(auto.predict_proba(frame[["noise", "wave"]]), plain.predict_proba(SERIES))
    with pytest.raises(ValueError, match=r"X has the columns \['wave', 'other'\]"):
        auto.predict(frame.rename(columns={"noise": "other"}))


@pytest.mark.parametrize("kind", [pd.Series, np.asarray, list])
def test_nets_and_transformers_read_such_frames_too(kind):
    frame, common = nested(kind), {"hidden_size": 8, "max_epochs": 2, "random_state": 0}
    net, plain = MinGRUClassifier(**common).fit(frame, Y), MinGRUClassifier(**common).fit(SERIES, Y)
    np.testing.assert_array_equal(net.predict_proba(frame), plain.predict_proba(SERIES))
    with pytest.raises(ValueError, match="feature names"):
        net.predict(frame[["noise", "wave"]])
    for made in (MiniRocketTransformer(random_state=0), SequenceSummaryTransformer()):
        np.testing.assert_array_equal(made.fit_transform(frame), made.fit_transform(SERIES))


def test_frames_that_are_only_partly_nested_or_called_tables_are_refused_with_the_way_out():
    mixed = nested().assign(age=1.0)
    with pytest.raises(ValueError, match=r"columns \['wave', 'noise'\] of X hold series .* columns \['age'\] do not"):
        AutoClassifier(**SETTINGS).fit(mixed, Y)
    with pytest.raises(ValueError, match=r"kind='table', but columns \['wave', 'noise'\] of X hold series"):
        AutoClassifier(kind="table", **SETTINGS).fit(nested(), Y)
    broken = nested()
    broken.loc[3, "noise"] = "gone"
    with pytest.raises(ValueError, match="column 'noise', row 3"):
        MinGRUClassifier(max_epochs=1).fit(broken, Y)


@pytest.mark.parametrize(
    "made", [MinGRUClassifier(max_epochs=1), MiniRocketTransformer(), SequenceSummaryTransformer()]
)
def test_channels_first_are_warned_of_at_fit(made):
    X = np.stack([x[:20] for x in SERIES])
    with pytest.warns(UserWarning, match=r"2 steps of 20 features each, which looks like channels first .*transpose"):
        made.fit(X.transpose(0, 2, 1), Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.fit(X, Y)
        made.fit(np.stack([x[:8] for x in SERIES]), Y)


@pytest.mark.slow
def test_channels_first_are_told_of_by_the_automatic_classifier():
    X = np.stack([x[:20] for x in SERIES]).transpose(0, 2, 1)
    with pytest.warns(UserWarning, match="looks like channels first"):
        AutoClassifier(candidates=["extra_trees"], **SETTINGS).fit(X, Y)


DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS, LABELS = (DIGITS[:200].reshape(-1, 8, 8) * 15.9375).round(), LABELS[:200]  # 0 to 255
SCALES = {
    "floats to 255": DIGITS,
    "uint8": DIGITS.astype(np.uint8),
    "floats to 1": DIGITS / 255,
    "around 0": (DIGITS - DIGITS.mean()) / DIGITS.std(),
}
SAME = [{"floats to 255", "uint8"}, {"floats to 1", "around 0"}]  # the latter two cannot be told apart


@pytest.mark.parametrize("fitted", SCALES)
@pytest.mark.parametrize("summary", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_another_scale_of_pixels_than_that_of_fit_is_warned_of_with_both(fitted, summary):
    model = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0)
    if summary:
        auto = AutoClassifier(candidates=["extra_trees"], kind="image", **SETTINGS)
        model = auto.fit(SCALES[fitted], LABELS).best_estimator_
    else:
        model.fit(SCALES[fitted], LABELS)
    for name, X in SCALES.items():
        same = name == fitted or {name, fitted} in SAME
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.predict(X)
        told = [str(w.message) for w in said if "give both on one scale" in str(w.message)]
        assert bool(told) != same, (fitted, name, told)
        if told:
            low, high = (0, 255) if fitted == "uint8" else (SCALES[fitted].min(), SCALES[fitted].max())
            assert f"up to {X.max():g} and down to {X.min():g}" in told[0] and f"from {low:g} to {high:g}" in told[0]


def test_dark_and_empty_images_are_no_other_scale():
    model = CNNClassifier(width=4, depth=1, max_epochs=1, random_state=0).fit(SCALES["floats to 255"], LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(np.zeros((3, 8, 8)))
        model.predict(np.floor(DIGITS[:5] / 40))
        make_pipeline(model).predict(np.full((1, 8, 8), 255.0))
