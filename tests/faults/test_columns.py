"""Columns of a table are read as their users mean them, what was taken is said, and a row stands for itself.

Numbers with gap marks, percent, currencies, units or decimal commas were read as texts, times of day and codes were
dropped, texts cut off, levels beyond a hundred lost; and what a cell meant depended on the other rows of its file.
"""

import datetime
import io
import uuid

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from skauto import AutoClassifier

N = 400
GAPS = ["na", "Na", "NAN", "Null", "none", "-", "--", ".", "*", " ", " ?", "missing", "unknown", "n.a.", "#DIV/0!"]
GAPS += ["NIL", "inf", "refused"]


def fitted(X, y, candidate="hist_boosting", **changes):
    """A model of one trial."""
    options = {"n_iter": 1, "time_limit": None, "cv": 2, "n_jobs": 1, "random_state": 0, "verbose": 0, **changes}
    return AutoClassifier(candidates=[candidate], ensemble=False, **options).fit(X, y)


def taken(model):
    """What each column was taken as, by name."""
    return model.columns_.set_index("name")["taken_as"]


def signal(seed=0, n=N):
    """Numbers with two decimals and labels that depend on them."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(3, 1, n).round(2)
    return rng, values, (np.log(values) + rng.normal(0, 0.5, n) > 3.7).astype(int)


# A row stands for itself


@pytest.fixture(scope="module")
def messy():
    rng, values, y = signal()
    X = pd.DataFrame(
        {
            "flag": rng.choice(["True", "False", "maybe", "TRUE"], N),
            "zip": rng.choice(["01234", "99999", "A1"], N),
            "code": rng.choice(["007", "x9", "1.50", "1e5", "+5", " 5", "inf"], N),
            "day": pd.Series(pd.date_range("2020-01-01", periods=N)).dt.strftime("%d/%m/%Y"),
            "n": np.where(rng.random(N) < 0.15, "na", values.astype(str)),
            "price": [f"${100 * v:,.2f}" for v in values],
            "at": [f"{m // 60:02d}:{m % 60:02d}" for m in rng.integers(0, 1440, N)],
        }
    )
    return X, fitted(X, y, "logistic")


def test_a_row_alone_is_what_it_is_among_others(messy):
    X, model = messy
    together = model.predict_proba(X[:60])
    alone = np.vstack([model.predict_proba(X[i : i + 1]) for i in range(60)])
    np.testing.assert_allclose(alone, together, rtol=1e-9)


def test_cells_that_arrive_typed_are_the_same_as_texts(messy):
    """pandas makes numbers and booleans of a file's columns where all its cells allow it."""
    X, model = messy
    together = model.predict_proba(X[:60])
    for i in range(60):
        row = pd.read_csv(io.StringIO(X[i : i + 1].to_csv(index=False)))
        typed = row.drop(columns=[name for name in row if row[name].dtype.kind == "f" and np.isinf(row[name]).any()])
        row = typed.reindex(columns=X.columns)  # a column of inf is refused in a typed table; it is missing
        np.testing.assert_allclose(model.predict_proba(row), together[i : i + 1], rtol=1e-9, err_msg=str(X.loc[i]))


# Numbers


def test_gap_marks_do_not_make_a_column_text():
    rng, values, y = signal()
    gaps = {f"n{i}": np.where(rng.random(N) < 0.15, mark, values.astype(str)) for i, mark in enumerate(GAPS)}
    model = fitted(pd.DataFrame(gaps, dtype=object), y)
    assert (taken(model) == "number").all(), model.columns_.to_string()
    clean = {name: pd.to_numeric(cells, errors="coerce") for name, cells in pd.DataFrame(gaps).items()}
    clean = pd.DataFrame(clean).replace([np.inf, -np.inf], np.nan)
    np.testing.assert_allclose(
        model.predict_proba(pd.DataFrame(gaps)), fitted(clean, y).predict_proba(clean), rtol=1e-9
    )


WRITTEN = {
    "percent": lambda v: f"{v}%",
    "percent apart": lambda v: f"{v} %",
    "dollars": lambda v: f"${v:,.2f}",
    "dollars, thousands": lambda v: f"${1000 * v:,.0f}",
    "euros": lambda v: f"{v} \u20ac".replace(".", ","),
    "months": lambda v: f"{v} months",
    "decimal comma": lambda v: f"{v}".replace(".", ","),
    "spaces": lambda v: f"  {v} ",
    "signs": lambda v: f"+{v}",
}


def test_numbers_in_every_form_give_the_model_of_the_plain_numbers():
    _, values, y = signal()
    written = pd.DataFrame({name: [how(v) for v in values] for name, how in WRITTEN.items()})
    plain = pd.DataFrame({name: values * (1000 if "thousands" in name else 1) for name in WRITTEN})
    model = fitted(written, y)
    assert (taken(model) == "number").all(), model.columns_.to_string()
    np.testing.assert_allclose(model.predict_proba(written), fitted(plain, y).predict_proba(plain), rtol=1e-6)


def test_bounds_keep_their_order():
    _, values, y = signal()
    X = pd.DataFrame({"n": ["<5" if v < 5 else ">100" if v > 100 else f"{v}" for v in values]})
    model = fitted(X, y)
    assert taken(model)["n"] == "number"
    assert (
        model.predict_proba(pd.DataFrame({"n": [">100"]}))[0, 1]
        > model.predict_proba(pd.DataFrame({"n": ["<5"]}))[0, 1]
    )


def test_names_of_levels_stay_levels():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "severity": rng.choice(["None", "Mild", "Severe"], N),
            "doors": rng.choice(["2", "3", "4", "many"], N),
            "age": rng.choice(["20-29", "30-39", "40-49"], N),
            "dose": rng.choice(["5mg", "3ml", "2x"], N),
        }
    )
    y = (X["severity"] == "None") ^ (rng.random(N) < 0.1)
    model = fitted(X, y)
    assert (taken(model) == "category").all(), model.columns_.to_string()
    assert roc_auc_score(y, model.predict_proba(X)[:, 1]) > 0.85


# Times, codes, levels, texts


@pytest.mark.parametrize("form", ["text", "time", "timedelta", "half"])
def test_times_of_day_are_read(form):
    rng = np.random.default_rng(0)
    minute = rng.integers(0, 1440, N)
    y = (np.abs(minute - 720) < 240) ^ (rng.random(N) < 0.05)
    cells = {
        "text": [f"{m // 60:02d}:{m % 60:02d}:07" for m in minute],
        "time": [datetime.time(m // 60, m % 60) for m in minute],
        "timedelta": pd.to_timedelta(minute, unit="min"),
        "half": [f"{(m // 60 - 1) % 12 + 1}:{m % 60:02d} {'pm' if m >= 720 else 'am'}" for m in minute],
    }
    model = fitted(pd.DataFrame({"at": cells[form]}), y)
    assert taken(model)["at"] == "number"
    assert model.best_score_ > 0.85


def test_codes_are_kept_and_random_keys_left_out():
    rng = np.random.default_rng(0)
    family, word = rng.integers(0, 8, N), rng.choice(list("ACGT"), (N, 14))
    y = ((family < 3) & (word[:, 4] != "A")).astype(int)
    X = pd.DataFrame(
        {
            "product": [f"{'ABCDEFGH'[f]}{'QRSTUVWX'[f]}-{rng.integers(10_000):04d}" for f in family],
            "dna": ["".join(letters) for letters in word],
            "uuid": [str(uuid.UUID(int=int(rng.integers(2**63)) ** 2)) for _ in range(N)],
            "hex": [f"{rng.integers(2**60):015x}" for _ in range(N)],
        }
    )
    model = fitted(X, y)
    assert taken(model)[["product", "dna"]].tolist() == ["code", "code"]
    dropped = model.columns_.set_index("name").loc[["uuid", "hex"]]
    assert dropped["dropped"].all() and dropped["why"].str.startswith("identifier").all()
    assert model.best_score_ > 0.85


@pytest.mark.slow
@pytest.mark.lightgbm
@pytest.mark.parametrize("candidate", ["lightgbm", "hist_boosting", "extra_trees", "logistic"])
def test_all_of_many_levels_reach_the_model(candidate):
    rng = np.random.default_rng(0)
    rate = rng.beta(0.3, 2.0, 1_000)
    shop = rng.integers(0, 1_000, 24_000)
    X, y = pd.DataFrame({"shop": [f"shop {s:x}" for s in shop]}), rng.random(24_000) < rate[shop]
    model = fitted(X[:16_000], y[:16_000], candidate)
    held = model.predict_proba(X[16_000:])[:, 1]
    best = average_precision_score(y[16_000:], rate[shop[16_000:]])
    assert average_precision_score(y[16_000:], held) > 0.7 * best
    assert roc_auc_score(y[16_000:], held) > 0.76


@pytest.mark.parametrize("candidate", ["hist_boosting", "logistic"])
def test_the_end_of_a_long_text_is_read(candidate):
    rng = np.random.default_rng(0)
    vocabulary = ["".join(rng.choice(list("abcdefghijklmnopqrstuvw"), rng.integers(3, 9))) for _ in range(300)]
    y = rng.random(N) < 0.3
    X = pd.DataFrame({"note": [" ".join([*rng.choice(vocabulary, 70), "refund" if end else "thanks"]) for end in y]})
    model = fitted(X[:300], y[:300], candidate)
    assert taken(model)["note"] == "text"
    assert roc_auc_score(y[300:], model.predict_proba(X[300:])[:, 1]) > 0.95


# What is said


def test_fit_says_how_columns_were_read(capsys):
    rng, values, y = signal()
    X = pd.DataFrame(
        {
            "income": np.where(rng.random(N) < 0.15, "na", values.astype(str)),
            "rate": [f"{v}%" for v in values],
            "same": 7,
            "plain": values,
        }
    )
    model = fitted(X, y, verbose=1)
    said = capsys.readouterr().err
    assert "column 'income' read as numbers: 1" in said
    assert "% of its filled cells say 'na'" in said
    assert "column 'rate' read as numbers in '%'" in said
    assert "column 'same' left out: constant" in said
    assert "'plain'" not in said
    assert model.columns_.columns.tolist() == ["name", "taken_as", "dropped", "why"]
    assert model.columns_["dropped"].tolist() == [False, False, True, False]


def test_a_column_that_is_nearly_one_of_numbers_is_told_of(capsys):
    rng, values, y = signal()
    words = [f"word {i}" for i in range(40)]
    fitted(
        pd.DataFrame({"n": values, "mixed": np.where(rng.random(N) < 0.2, rng.choice(words, N), values)}), y, verbose=1
    )
    assert "column 'mixed' read as text: 2" in (said := capsys.readouterr().err) and "like 'word" in said


@pytest.fixture(scope="module")
def told():
    rng, values, y = signal()
    days = pd.Series(pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D"))
    X = pd.DataFrame(
        {
            "n": values,
            "day": days.dt.strftime("%Y-%m-%d"),
            "flag": values > 30,
            "town": np.where(values > 25, "Ulm", "Bonn"),
        }
    )
    return X, days, fitted(X, y)


CHANGED = {
    "n": lambda X, days: [f"{1000 * v:,.2f}" for v in X["n"]],
    "day": lambda X, days: days.dt.strftime("%d/%m/%Y"),
    "flag": lambda X, days: np.where(X["flag"], "yes", "no"),
    "town": lambda X, days: "Rome",
}


@pytest.mark.parametrize("name", CHANGED)
def test_predict_warns_of_columns_that_can_no_longer_be_read(told, name):
    X, days, model = told
    with pytest.warns(UserWarning, match=f"could be read at fit and no longer can.*'{name}'") as said:
        model.predict(X.assign(**{name: CHANGED[name](X, days)}))
    assert len(said) == 1


def test_predict_warns_of_milliseconds_in_the_place_of_dates(told):
    X, days, model = told
    with pytest.warns(UserWarning, match="no longer can.*'day'"):
        model.predict(X.assign(day=days.astype("datetime64[ms]").astype("int64")))


def test_the_same_columns_give_no_warning_and_spaces_do_not_count(told):
    X, _, model = told
    expected = model.predict_proba(X)  # warnings are errors here
    spaced = X.assign(town=X["town"] + " ", day=" " + X["day"], n=X["n"].map(" {} ".format), flag=X["flag"].astype(str))
    np.testing.assert_array_equal(model.predict_proba(spaced), expected)
    model.predict(X[:1].assign(town="Rome"))  # one new level in one row is nothing odd


# The index of a file


@pytest.mark.parametrize("name", ["Unnamed: 0", ""])
@pytest.mark.parametrize("as_text", [False, True])
def test_the_row_numbers_of_a_file_sorted_by_class_are_left_out(name, as_text):
    rng = np.random.default_rng(0)
    y = np.sort(rng.random(N) < 0.1)
    index = np.arange(N).astype(str) if as_text else np.arange(N)
    X = pd.DataFrame({name: pd.Series(index), "a": rng.normal(size=N) + 2 * y, "b": rng.normal(size=N)})
    model = fitted(X, y)
    row = model.columns_.iloc[0]
    assert row["dropped"] and row["why"].startswith("row numbers")
    moved = X.assign(**{name: pd.Series(index[::-1])})
    np.testing.assert_array_equal(model.predict_proba(moved), model.predict_proba(X))
    assert roc_auc_score(y, model.predict_proba(moved)[:, 1]) < 1


def test_running_numbers_that_alone_rank_the_classes_are_told_of():
    rng = np.random.default_rng(0)
    y = np.sort(rng.random(N) < 0.1)
    with pytest.warns(UserWarning, match="column 'id' of X holds running numbers"):
        fitted(pd.DataFrame({"a": rng.normal(size=N), "id": np.arange(N)}), y)


# The same cells from a file


@pytest.fixture(scope="module")
def typed():
    """Points in time with a zone, quarters and durations, typed; what they become in a file, and a model."""
    rng, values, y = signal()
    X = pd.DataFrame(
        {
            "at": pd.date_range("2024", periods=N, freq="7h", tz="Europe/Berlin"),
            "quarter": pd.PeriodIndex.from_ordinals(rng.integers(100, 200, N), freq="Q"),
            "late": pd.to_timedelta(rng.integers(-200_000, 200_000, N), unit="s"),
            "n": values,
        }
    )
    y = (X["at"].dt.hour >= 12).to_numpy() ^ (X["late"].dt.total_seconds() < 0).to_numpy()
    return X, fitted(X, y)


def test_zones_quarters_and_negative_durations_are_the_same_from_a_file(typed):
    """Times with a zone were read in UTC, quarters and durations below zero not at all."""
    X, model = typed
    again = pd.read_csv(io.StringIO(X.to_csv(index=False)))
    np.testing.assert_allclose(model.predict_proba(again), model.predict_proba(X), rtol=1e-6)


def test_one_odd_cell_does_not_stop_a_prediction():
    """A raised digit among codes, and more digits than a float holds, raised an error."""
    rng, values, y = signal()
    X = pd.DataFrame({"code": [f"AB-{i:04d}" for i in rng.permutation(N) % 350], "n": values})
    X["lasts"] = [f"{i} days" for i in rng.integers(1, 99, N)]
    model = fitted(X, y)
    assert taken(model)["code"] == "code"
    model.predict(X[:20].assign(code=["AB-\u00b2"] + X["code"][1:20].tolist()))
    model.predict(X[:20].assign(lasts=["9" * 400 + " days"] + X["lasts"][1:20].tolist()))


@pytest.mark.parametrize(
    "codes", [["12345678901234567001", "12345678901234567002", "x"], ["12E5", "120E4", "AB1"]], ids=["long", "exponent"]
)
def test_different_codes_stay_apart_though_they_are_the_same_float(codes):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"code": pd.Categorical(rng.choice(codes, N)), "n": rng.normal(size=N)})
    y = (X["code"] == codes[0]).to_numpy() ^ (rng.random(N) < 0.05)
    assert roc_auc_score(y, fitted(X, y).predict_proba(X)[:, 1]) > 0.9
