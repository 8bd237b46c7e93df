"""Dates of a table's column as numbers: the parts that vary and the seconds since 1970."""

import numpy as np
import pandas as pd

from skauto.estimators._table_labels import to_labels

PARTS = ("year", "month", "day", "weekday", "hour", "seconds")
_DAYS = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%m-%d-%Y", "%d-%m-%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y")
_WORDY = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%a, %d %b %Y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMATS = ("ISO8601", *(day + time for day in _DAYS + _WORDY for time in _TIMES))
ATTRIBUTES = {"weekday": "day_of_week"}
SHARE = 0.95  # of the distinct texts must read as dates
SAMPLE = 200  # texts to try a format on before all are read


def date_format(texts):
    """The format by which nearly all texts read as dates, or None."""
    sample = pd.Series(texts[:: max(1, len(texts) // SAMPLE)], dtype=object)
    if not len(sample) or sample.str.contains(r"\d.*[-/., :].*\d").mean() < SHARE:
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


def is_date(dtype):
    """Whether a dtype holds points in time or calendar periods."""
    return getattr(dtype, "kind", "O") == "M" or isinstance(dtype, pd.PeriodDtype)


class DateColumn:
    """Parts of a date column that vary, as floats.

    Local time decides about the hour and the weekday: the zone is the one of fit.
    """

    def __init__(self, form=None):
        self.form = form

    def fit(self, series):
        """Learn the zone and the parts that are not constant."""
        self.zone = pd.DatetimeIndex(series).tz if getattr(series.dtype, "kind", "O") == "M" else None
        values = self._parts(self._times(series), PARTS)
        self.suffixes = [part for part, column in zip(PARTS, values, strict=True) if _varies(column)]
        return self

    def transform(self, series):
        """One array of floats for each of `suffixes`."""
        return self._parts(self._times(series), self.suffixes)

    def _times(self, series):
        """Wall-clock times as a DatetimeIndex; cells that are no dates are NaT."""
        if isinstance(series.dtype, pd.PeriodDtype):
            return pd.DatetimeIndex(series.dt.to_timestamp())
        if is_date(series.dtype):
            times = pd.DatetimeIndex(series)
            if times.tz is None:
                return times
            return times.tz_convert(self.zone or "UTC").tz_localize(None)
        if getattr(series.dtype, "kind", "O") in "biufm":
            return pd.DatetimeIndex(np.full(len(series), "NaT", dtype="datetime64[s]"))
        codes, texts = to_labels(series)
        times = read_dates(texts, self.form or "ISO8601")
        if self.form not in (None, "ISO8601"):
            times = times.where(times.notna(), read_dates(texts, "ISO8601"))
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
