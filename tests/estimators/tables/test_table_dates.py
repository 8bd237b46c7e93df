"""Dates: which texts read as dates, and what becomes of them."""

import datetime

import numpy as np
import pandas as pd
import pytest

from skauto.estimators.tables._table_dates import PARTS, DateColumn, date_format, read_dates, read_times

TIMES = pd.to_datetime(["2023-12-31 23:30", "2024-02-29 06:00", "2025-07-04 18:45"])


def texts(form):
    return np.array(TIMES.strftime(form), dtype=object)


@pytest.mark.parametrize(
    "form",
    ["%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y %H:%M", "%d %b %Y", "%B %d, %Y", "%d-%b-%Y %H:%M:%S", "%m/%d/%y %I:%M %p"],
)
def test_usual_formats_are_found(form):
    assert date_format(texts(form)) == form


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y/%m/%d", "%Y-%m"])
def test_iso_is_found(form):
    assert date_format(texts(form)) in ("ISO8601", "%Y/%m/%d")


@pytest.mark.parametrize(
    "values",
    [["A/5 21171", "PC 17599"], ["1-12", "12-31"], ["10:30", "11:00"], ["192.168.1.1"], ["555-1234"], ["Ulm"], []],
)
def test_other_texts_are_no_dates(values):
    assert date_format(np.array(values, dtype=object)) is None


def test_a_few_other_texts_do_not_hide_dates():
    days = pd.date_range("2024", periods=99).strftime("%Y-%m-%d").tolist()
    assert date_format(np.array([*days, "unknown"], dtype=object)) == "ISO8601"
    assert date_format(np.array(days[:9] + ["unknown"], dtype=object)) is None


@pytest.mark.parametrize(
    "series",
    [
        pd.Series(TIMES),
        pd.Series(TIMES.astype("datetime64[ns]")),
        pd.Series(TIMES.tz_localize("Asia/Tokyo")),
        pd.Series(TIMES.strftime("%Y-%m-%d %H:%M")),
        pd.Series(TIMES.to_period("min")),
        pd.Series(list(TIMES.to_pydatetime()), dtype=object),
        pd.Series(TIMES.strftime("%Y-%m-%d %H:%M")).astype("category"),
    ],
    ids=["us", "ns", "zone", "text", "period", "object", "category"],
)
def test_parts_are_those_of_the_wall_clock(series):
    column = DateColumn().fit(series)
    assert tuple(column.suffixes) == PARTS
    got = dict(zip(PARTS, column.transform(series), strict=True))
    expected = {"year": [2023, 2024, 2025], "month": [12, 2, 7], "day": [31, 29, 4], "weekday": [6, 3, 4]}
    for part, values in {**expected, "hour": [23, 6, 18]}.items():
        np.testing.assert_array_equal(got[part], values)
    np.testing.assert_array_equal(got["seconds"], [t.replace(tzinfo=datetime.UTC).timestamp() for t in TIMES])


def test_arrow_days_and_times():
    pa = pytest.importorskip("pyarrow")
    days = [datetime.date(2024, 1, 5), None, datetime.date(2025, 2, 6)]
    column = DateColumn().fit(pd.Series(days, dtype=pd.ArrowDtype(pa.date32())))
    assert column.suffixes == ["year", "month", "day", "weekday", "seconds"]
    moments = pd.Series(TIMES.tz_localize("UTC")).astype(pd.ArrowDtype(pa.timestamp("us", "UTC")))
    assert DateColumn().fit(moments).transform(moments)[4].tolist() == [23, 6, 18]


def test_parts_that_do_not_vary_are_left_out():
    assert DateColumn().fit(pd.Series(pd.to_datetime(["2024-01-05", "2024-01-12", None]))).suffixes == [
        "day",
        "seconds",
    ]


def test_later_columns_may_be_text_zoned_missing_or_numbers():
    column = DateColumn().fit(pd.Series(TIMES.tz_localize("UTC")))
    hours = [
        column.transform(series)[4].tolist()
        for series in (
            pd.Series(TIMES.tz_localize("UTC").tz_convert("Asia/Tokyo")),
            pd.Series(TIMES),
            pd.Series(TIMES.strftime("%Y-%m-%d %H:%M")),
        )
    ]
    assert hours == [[23, 6, 18]] * 3
    for series in (pd.Series([1, 2]), pd.Series([None, "soon"]), pd.Series([pd.NaT, pd.NaT])):
        assert np.isnan(column.transform(series)).all()


def test_a_learned_format_decides_over_day_and_month():
    column = DateColumn("%d/%m/%Y").fit(pd.Series(["05/01/2024", "31/12/2024"]))
    months = column.transform(pd.Series(["01/02/2024", "2024-03-01"]))[column.suffixes.index("month")]
    assert months.tolist() == [2, 3]


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%SZ", None])
def test_texts_with_an_offset_are_read_in_the_zone_of_fit(form):
    moments = pd.Series(TIMES.tz_localize("Europe/Berlin"))
    column = DateColumn().fit(moments)
    written = moments.dt.tz_convert("UTC") if form and form.endswith("Z") else moments
    cells = written.dt.strftime(form) if form else written.astype(str)
    np.testing.assert_array_equal(column.transform(cells), column.transform(moments))
    assert column.transform(cells)[4].tolist() == [23, 6, 18]


@pytest.mark.parametrize("freq", ["Q", "Q-JAN", "M", "W", "Y", "Y-MAR", "D", "h"])
def test_periods_may_arrive_as_texts_years_or_dates(freq):
    periods = pd.Series(TIMES.to_period(freq))
    column = DateColumn().fit(periods)
    expected = column.transform(periods)
    for cells in (periods.astype(str), pd.Series(TIMES), *([periods.dt.year] if freq == "Y" else [])):
        np.testing.assert_array_equal(column.transform(cells), expected)
    assert np.isnan(column.transform(pd.Series(["soon", "7", "10:30", None]))).all()


def test_negative_durations_as_texts():
    texts = ["-1 days +23:59:00", "-1 days +00:00:00.500000", "-3 days", "-1 day, 23:59:00", "2 days 00:00:01"]
    expected = pd.to_timedelta(texts).total_seconds()
    np.testing.assert_allclose(read_times(np.array(texts, dtype=object)), expected)
    assert np.isnan(read_times(["9" * 400 + " days", "+-1:00", "1 days +-2:00"])).all()


@pytest.mark.parametrize(
    "written",
    ["%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S EST", "%d/%m/%Y, %H:%M:%S", "%d-%b-%y %I.%M.%S %p", "%b %d %Y %I:%M%p",
     "%d.%m.%Y %H:%M:%S.123", "%b. %d, %Y", "%d. %B %Y", "%d%b%Y", "%Y%m%dT%H%M%S", "%d/%b/%Y:%H:%M:%S +0000",
     "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S +0000 %Y", "%dth %B %Y"],
)  # fmt: skip
def test_time_stamps_of_other_programs(written):
    """They were taken for text, and all that they say was lost."""
    times = pd.date_range("2019-01-01", periods=300, freq="29h13min")
    texts = times.strftime(written).to_numpy(dtype=object)
    read = read_dates(texts, date_format(np.unique(texts.astype(str)).astype(object)))
    whole = "%H" in written or "%I" in written
    np.testing.assert_array_equal(read.floor("min" if whole else "D"), times.floor("min" if whole else "D"))


def test_months_in_german():
    texts = np.array(["1. Januar 2019", "15. M\u00e4rz 2019", "3. Dezember 2020", "9. Mai 2021"], dtype=object)
    read = read_dates(texts, date_format(texts))
    assert read.strftime("%Y-%m-%d").tolist() == ["2019-01-01", "2019-03-15", "2020-12-03", "2021-05-09"]


def test_laps_and_durations_of_iso_8601():
    texts = np.array(["3:58.705", "PT3M58S", "P1DT2H", "PT0.5S"], dtype=object)
    np.testing.assert_allclose(read_times(texts), [238.705, 238, 93600, 0.5])
