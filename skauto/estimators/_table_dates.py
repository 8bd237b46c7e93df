"""Dates and times of day of a table's column as numbers: the parts that vary, and seconds."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skauto.estimators._table_labels import count_unread, to_labels

PARTS = ("year", "month", "day", "weekday", "hour", "seconds")
_DAYS = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%m-%d-%Y", "%d-%m-%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y")
_WORDY = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%a, %d %b %Y")
_MONTHS = ("%b-%Y", "%b %Y", "%B %Y", "%m/%Y", "%b-%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMATS = ("ISO8601", *(day + time for day in _DAYS + _WORDY for time in _TIMES), *_MONTHS)
ATTRIBUTES = {"weekday": "day_of_week"}
SHARE = 0.95  # of the distinct texts must read as dates
SAMPLE = 200  # texts to try a format on before all are read
UNREAD = 0.05  # more cells that are no dates than at fit, by this part of the filled ones, are told of
_DIGITS_APART = r"\d.*[-/., :].*\d|[A-Za-z]{3}.*\d"
_TIME = re.compile(
    r"(?:(?P<days>-?\d+) days?,? )?(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d(?:\.\d+)?))?"
    r"\s*(?P<half>[ap]\.?m\.?)?(?:Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)


def date_format(texts):
    """The format by which nearly all texts read as dates, or None."""
    sample = pd.Series(texts[:: max(1, len(texts) // SAMPLE)], dtype=object)
    if not len(sample) or sample.str.contains(_DIGITS_APART).mean() < SHARE:
        return None
    shares = {}
    for form in FORMATS:
        shares[form] = read_dates(sample, form).notna().mean()
        if shares[form] == 1.0:
            break
    best = max(shares, key=shares.get)
    return best if shares[best] >= SHARE and read_dates(texts, best).notna().mean() >= SHARE else None


def read_dates(texts, form):
    """Texts as a DatetimeIndex in UTC without a zone, NaT where one does not fit the format."""
    return pd.DatetimeIndex(pd.to_datetime(pd.Index(texts), errors="coerce", format=form, utc=True)).tz_localize(None)


def are_times(texts):
    """Whether nearly all texts are times of day or durations, like 8:30 pm or 1 days 02:00:00."""
    sample = texts[:: max(1, len(texts) // SAMPLE)]
    if not len(sample) or np.isnan(read_times(sample)).mean() > 1 - SHARE:
        return False
    return np.isnan(read_times(texts)).mean() <= 1 - SHARE


def read_times(texts):
    """Times of day and durations in seconds, NaN where a text is none."""
    return np.array([_seconds(_TIME.fullmatch(text)) for text in texts], dtype=np.float64)


def _seconds(time):
    if time is None:
        return np.nan
    hours = int(time["hours"])
    if time["half"]:
        hours = hours % 12 + 12 * (time["half"][0] in "pP")
    return 86400 * int(time["days"] or 0) + 3600 * hours + 60 * int(time["minutes"]) + float(time["seconds"] or 0)


def is_date(dtype):
    """Whether a dtype holds points in time or calendar periods."""
    return getattr(dtype, "kind", "O") == "M" or isinstance(dtype, pd.PeriodDtype)


@dataclass(frozen=True)
class TimeFormat:
    """Times of day and durations, as a column of numbers wants its format."""

    said: str = "in seconds, from times of day or durations"
    plain: bool = False

    def read(self, texts):
        """Seconds of each text, NaN where it is no time."""
        return read_times(texts)


class DateColumn:
    """Parts of a date column that vary, as floats.

    Local time decides about the hour and the weekday: the zone is the one of fit.
    """

    taken = "date"
    note = ""

    def __init__(self, form=None):
        self.form = form

    def fit(self, series):
        """Learn the zone and the parts that are not constant."""
        self.zone = pd.DatetimeIndex(series).tz if getattr(series.dtype, "kind", "O") == "M" else None
        found = [0, 0]
        times = self._times(series, found)
        self.unread = found[1] / max(found[0], 1)
        values = self._parts(times, PARTS)
        self.suffixes = [part for part, column in zip(PARTS, values, strict=True) if _varies(column)]
        return self

    def transform(self, series, trouble=None):
        """One array of floats for each of `suffixes`; counts of filled and unread cells go to the list `trouble`."""
        found = [0, 0]
        times = self._times(series, found)
        if trouble is not None and found[1] > (self.unread + UNREAD) * found[0]:
            trouble.append(tuple(found))
        return self._parts(times, self.suffixes)

    def _times(self, series, found):
        """Wall-clock times as a DatetimeIndex; cells that are no dates are NaT, counted with the filled in `found`."""
        if isinstance(series.dtype, pd.PeriodDtype):
            return pd.DatetimeIndex(series.dt.to_timestamp())
        if is_date(series.dtype):
            times = pd.DatetimeIndex(series)
            if times.tz is None:
                return times
            return times.tz_convert(self.zone or "UTC").tz_localize(None)
        if getattr(series.dtype, "kind", "O") in "biufm":
            found[:] = [int(series.notna().sum())] * 2
            return pd.DatetimeIndex(np.full(len(series), "NaT", dtype="datetime64[s]"))
        codes, texts = to_labels(series)
        times = read_dates(texts, self.form or "ISO8601")
        if self.form not in (None, "ISO8601"):
            times = times.where(times.notna(), read_dates(texts, "ISO8601"))
        found[:] = count_unread(codes, texts, np.asarray(times.notna()))
        return times.append(pd.DatetimeIndex([pd.NaT]))[codes]

    @staticmethod
    def _parts(times, parts):
        hole = np.asarray(times.isna())
        seconds = times.to_numpy().astype("datetime64[s]").astype(np.int64)
        columns = []
        for part in parts:
            column = np.array(
                seconds if part == "seconds" else getattr(times, ATTRIBUTES.get(part, part)), dtype=np.float64
            )
            column[hole] = np.nan
            columns.append(column)
        return columns


def _varies(column):
    seen = column[~np.isnan(column)]
    return len(seen) > 0 and seen.min() < seen.max()
