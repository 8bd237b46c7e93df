"""Numbers, durations and dates in further forms that people write: each gives the model of the plain values."""

import io

import numpy as np
import pandas as pd
import pytest

from skauto import AutoClassifier

N = 240


def fitted(X, y):
    """A model of one trial."""
    model = AutoClassifier(
        candidates=["hist_boosting"],
        ensemble=False,
        n_iter=1,
        time_limit=None,
        cv=2,
        n_jobs=1,
        random_state=0,
        verbose=0,
    )
    return model.fit(X, y)


@pytest.fixture(scope="module")
def numbers():
    values = np.random.default_rng(0).lognormal(3, 1, N).round(2)
    return values, (values > 20).astype(int)


def _indian(value):
    thousands, rest = divmod(int(value * 30_000), 1000)
    lakhs, thousands = divmod(thousands, 100)
    if not lakhs:
        return f"\u20b9{thousands},{rest:03d}"
    crores, lakhs = divmod(lakhs, 100)
    high = f"{crores},{lakhs:02d}" if crores else f"{lakhs}"
    return f"\u20b9{high},{thousands:02d},{rest:03d}"


# How a number is written, and the number that is meant.
WRITTEN = {
    "two digits between commas, as in India": (_indian, lambda v: int(v * 30_000)),
    "losses in parentheses behind the currency": (lambda v: f"$({v:,.2f})" if v < 20 else f"$ {v:,.2f}",
                                                  lambda v: -v if v < 20 else v),
    "square metres without an exponent": (lambda v: f"{v} m2", lambda v: v),
    "binary units": (lambda v: f"{v * 1024:.0f} MiB" if v < 5 else f"{v} GiB",
                     lambda v: round(v * 1024) * 2**20 if v < 5 else v * 2**30),
    "milliseconds and seconds": (lambda v: f"{v * 10:.1f} ms" if v < 50 else f"{v / 100:.4f} s",
                                 lambda v: round(v * 10, 1) / 1000 if v < 50 else round(v / 100, 4)),
    "hours and minutes": (lambda v: f"{int(v) // 60}h {int(v) % 60}min", lambda v: int(v) * 60),
    "minutes alone below an hour": (lambda v: f"{int(v) // 60}h{int(v) % 60:02d}m" if v >= 60 else f"{int(v)}m",
                                    lambda v: int(v) * 60),
    "times with an h": (lambda v: f"{int(v) % 1440 // 60:02d}h{int(v) % 60:02d}", lambda v: int(v) % 1440 * 60),
    "whole hours": (lambda v: f"{int(v) % 12 or 12}{'am' if int(v) % 24 < 12 else 'pm'}", lambda v: int(v) % 24 * 3600),
    "hours after noon": (lambda v: f"{int(v) % 12 or 12} p.m.", lambda v: (12 + int(v) % 12) * 3600),
    "decimal commas of seconds": (lambda v: f"10:{int(v) % 60:02d}:07,{int(v) % 1000:03d}",
                                  lambda v: 36_007 + int(v) % 60 * 60 + int(v) % 1000 / 1000),
}  # fmt: skip


def test_numbers_in_further_forms_give_the_model_of_the_plain_numbers(numbers):
    values, y = numbers
    written = pd.DataFrame({name: [how(v) for v in values] for name, (how, _) in WRITTEN.items()})
    plain = pd.DataFrame({name: [float(meant(v)) for v in values] for name, (_, meant) in WRITTEN.items()})
    model = fitted(written, y)
    assert (model.columns_["taken_as"] == "number").all(), model.columns_.to_string()
    np.testing.assert_allclose(model.predict_proba(written), fitted(plain, y).predict_proba(plain), rtol=1e-6)


def test_dates_written_in_more_than_one_form_are_dates():
    """A column was text where every second date had no time, or another program's form."""
    days = pd.date_range("2019-01-01", periods=N, freq="37h").floor("min")
    y = np.asarray(days.day > 20).astype(int)
    forms = {
        "iso, day first": ("%Y-%m-%d", "%d/%m/%Y"),
        "with and without time": ("%d.%m.%Y", "%d.%m.%Y %H:%M"),
        "whole names of days": ("%A, %d %B %Y", "%A, %d %B %Y"),
    }
    written = {name: [day.strftime(both[i % 2]) for i, day in enumerate(days)] for name, both in forms.items()}
    meant = {name: [pd.to_datetime(text, format=both[i % 2]) for i, text in enumerate(written[name])]
             for name, both in forms.items()}  # fmt: skip
    written, meant = pd.DataFrame(written), pd.DataFrame(meant)
    model = fitted(written, y)
    assert (model.columns_["taken_as"] == "date").all(), model.columns_.to_string()
    np.testing.assert_allclose(model.predict_proba(written), fitted(meant, y).predict_proba(meant), rtol=1e-9)


def test_days_and_months_that_change_places_are_no_dates():
    """01/02/2019 would be January for some of the rows and February for others."""
    days = pd.date_range("2019-01-01", periods=N, freq="37h")
    texts = [day.strftime("%m/%d/%Y" if i % 2 else "%d/%m/%Y") for i, day in enumerate(days)]
    model = fitted(pd.DataFrame({"day": texts, "n": np.arange(N) % 7}), (np.arange(N) % 7 > 3).astype(int))
    assert model.columns_.set_index("name")["taken_as"]["day"] != "date"


def test_durations_of_fit_are_read_from_a_file_at_predict(numbers):
    """They arrived as texts there, none was read, and all counted as missing."""
    values, y = numbers
    X = pd.DataFrame({"took": pd.to_timedelta(values, unit="min")})
    model = fitted(X, y)
    from_file = pd.read_csv(io.StringIO(X.to_csv(index=False)))
    np.testing.assert_allclose(model.predict_proba(from_file), model.predict_proba(X), rtol=1e-9)
