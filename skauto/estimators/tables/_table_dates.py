"""Dates and times of day of a table's column as numbers: the parts that vary, and seconds."""

import re
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from skauto.estimators.tables._table_labels import count_unread, some_of, to_labels

PARTS = ("year", "month", "day", "weekday", "hour", "seconds")
_DAYS = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%m-%d-%Y", "%d-%m-%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y")
_WORDY = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%a, %d %b %Y",
          "%A, %d %B %Y", "%A %d %B %Y", "%A, %B %d, %Y")  # fmt: skip
_MONTHS = ("%b-%Y", "%b %Y", "%B %Y", "%m/%Y", "%b-%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
_STAMPS = ("%d/%b/%Y:%H:%M:%S %z", "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y")  # logs of servers, ctime, Twitter
FORMATS = ("ISO8601", *(day + time for day in _DAYS + _WORDY for time in _TIMES), *_MONTHS, *_STAMPS)
# How else people write what these formats read: each pattern is replaced by what stands beside it.
_ZONES = "UTC|GMT|EST|EDT|CST|CDT|MST|MDT|PST|PDT|WET|WEST|CET|CEST|EET|EEST|BST|IST|MSK|JST|AEST|AEDT"
_REWRITTEN = tuple((re.compile(pattern), plain) for pattern, plain in (
    (rf"\s*\b(?:{_ZONES})\b", ""),  # one zone or summer and winter of one: the clock there is what counts
    (r",\s*(?=\d{1,2}[:.]\d\d)", " "),  # 01/01/2019, 12:00:00
    (r"(?<=\d)\s*([AaPp])\.?[Mm]\.?$", r" \1M"),  # 12:00AM
    (r"(?<=\s)(\d\d)\.(\d\d)\.(\d\d)(?=\s|$)", r"\1:\2:\3"),  # 12.00.00
    (r"^(\d{1,2})([A-Za-z]{3})(\d{2,4})", r"\1-\2-\3"),  # 01JAN2019
    (r"(?<=\d)(?:st|nd|rd|th)\b", ""),  # 5th January
    (r"(?<=[A-Za-z]{3})\.(?=[\s,])", ""),  # Jan. 01
    (r"^(\d{1,2})\.\s*(?=[^\W\d])", r"\1 "),  # 1. January
))  # fmt: skip
_GERMAN = {"januar": "January", "j\u00e4nner": "January", "februar": "February", "m\u00e4rz": "March", "mai": "May",
           "juni": "June", "juli": "July", "oktober": "October", "dezember": "December", "m\u00e4r": "Mar",
           "okt": "Oct", "dez": "Dec"}  # fmt: skip
_GERMAN_MONTH = re.compile(rf"\b(?:{'|'.join(_GERMAN)})\b", re.IGNORECASE)
ATTRIBUTES = {"weekday": "day_of_week"}
OR = " or "  # joins the formats of a column that is written in more than one
MOST_FORMATS, LEAST_PART = 3, 0.3  # formats of a column at most, and what the first of more than one must read
MIN_READABLE = 0.95  # fraction of the distinct texts that must parse as dates
SAMPLE = 200  # texts to try a format on before all are read
UNREAD = 0.05  # more cells that are no dates than at fit, by this part of the filled ones, are told of
_DIGITS_APART = r"\d.*[-/., :].*\d|[A-Za-z]{3}.*\d|\d{8}T\d{4}"
_TIME_FORMS = (
    r"(?:(?P<days>-?\d{1,9}) days?,? \+?)?T?(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d)"
    r"(?::(?P<seconds>[0-5]\d(?:[.,]\d+)?))?\s*(?P<half>[ap]\.?m\.?)?(?:Z|[+-]\d\d:?\d\d)?",
    r"(?P<hours>\d{1,2})\s*(?P<half>[ap]\.?m\.?)",
    r"(?P<hours>\d{1,3})h(?P<minutes>[0-5]\d)",
    r"(?P<days>-\d{1,9})\s*d(?:ays?)?",
    r"(?P<minutes>\d{1,3}):(?P<seconds>[0-5]\d[.,]\d+)",  # of a lap
    r"P(?=\d|T\d)(?:(?P<days>\d{1,9})D)?"  # of ISO 8601
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?",
    r"(?=\d)(?:(?P<days>\d{1,9})\s*d(?:ays?)?,?\s*)?(?:(?P<hours>\d{1,9})\s*h(?:ours?|rs?)?,?\s*)?"
    r"(?:(?P<minutes>\d{1,9})\s*m(?:in(?:ute)?s?)?\.?,?\s*)?(?:(?P<seconds>\d+)\s*s(?:ec(?:ond)?s?)?\.?)?",
)
_OFFSET = re.compile(r".*[T ]\d\d[\d:.,]*\s*(?:Z|[+-]\d\d(?::?\d\d)?)", re.IGNORECASE)
_YEAR = re.compile(r"\d{4}")
_TIMES_OF_DAY = tuple(re.compile(form, re.IGNORECASE) for form in _TIME_FORMS)


def date_format(texts: np.ndarray) -> str | None:
    """The format by which nearly all texts read as dates, or None."""
    sample = pd.Series(texts[some_of(len(texts), SAMPLE)], dtype=object)
    if not len(sample) or sample.str.contains(_DIGITS_APART).mean() < MIN_READABLE:
        return None
    read, plain = {}, sample.map(rewritten)  # once, not for each format
    for form in FORMATS:
        read[form] = np.asarray(_parsed(plain, [form]).notna())
        if read[form].all():
            break
    forms = [max(read, key=lambda form: read[form].mean())]
    if LEAST_PART <= read[forms[0]].mean() < MIN_READABLE:
        forms += _further_formats(read, forms[0])
    best = OR.join(forms)
    enough = np.any([read[form] for form in forms], axis=0).mean() >= MIN_READABLE
    return best if enough and read_dates(texts, best).notna().mean() >= MIN_READABLE else None


def _further_formats(read, first):
    """Formats of the texts that the first leaves, none of which takes the day for the month of another."""
    forms, known = [], read[first]
    while known.mean() < MIN_READABLE and len(forms) + 1 < MOST_FORMATS:
        orders = {_order(form) for form in [first, *forms]} - {None}
        fitting = [form for form in read if not orders or _order(form) in {None, *orders}]
        best = max(fitting, key=lambda form: (known | read[form]).mean())
        if not (read[best] & ~known).any():
            break
        forms.append(best)
        known = known | read[best]
    return forms


def _order(form):
    """What stands first in a format of numbers, the day or the month; None where there is no doubt."""
    return form[:2] if form[:2] in ("%d", "%m") and form[3:5] in ("%d", "%m") else None


def read_dates(texts: np.ndarray, form: str) -> pd.DatetimeIndex:
    """Texts as a DatetimeIndex in UTC without a zone, NaT where one fits none of the formats, which " or " joins."""
    forms = form.split(OR)
    times = _parsed(texts, forms)
    unread = np.flatnonzero(times.isna())
    if len(unread):
        given = np.asarray(texts, dtype=object)[unread]
        plain = np.array([rewritten(text) for text in given], dtype=object)
        changed = plain != given
        if changed.any():
            values = times.to_numpy(copy=True)
            values[unread[changed]] = _parsed(plain[changed], forms).to_numpy()
            times = pd.DatetimeIndex(values)
    return times


def _parsed(texts, forms):
    first, *others = forms
    times = pd.to_datetime(pd.Index(texts), errors="coerce", format=first, utc=True)
    times = pd.DatetimeIndex(times).tz_localize(None)
    return times.where(times.notna(), _parsed(texts, others)) if others else times


def rewritten(text: str) -> str:
    """A date or time stamp as the formats want it, from how else it is written.

    Examples
    --------
    >>> from skauto.estimators.tables._table_dates import rewritten
    >>> rewritten("5th Oktober 2019, 12:30PM UTC")
    '5 October 2019 12:30 PM'
    """
    for pattern, plain in _REWRITTEN:
        text = pattern.sub(plain, text)
    return _GERMAN_MONTH.sub(lambda month: _GERMAN[month[0].casefold()], text)


def read_periods(texts: np.ndarray, freq: str) -> pd.DatetimeIndex:
    """Starts of the calendar periods that texts name, like 2024Q1, NaT where one names none."""
    return pd.DatetimeIndex([_start(text, freq) for text in texts], dtype="datetime64[us]")


def _start(text, freq):
    if not _YEAR.search(text):
        return pd.NaT  # pandas would take the year of today
    try:
        return pd.Period(text, freq=freq).to_timestamp()
    except (ValueError, OverflowError):
        return pd.NaT


def are_times(texts: np.ndarray) -> bool:
    """Whether nearly all texts are times of day or durations, like 8:30 pm or 1 days 02:00:00."""
    sample = texts[some_of(len(texts), SAMPLE)]
    if not len(sample) or np.isnan(read_times(sample)).mean() > 1 - MIN_READABLE:
        return False
    return np.isnan(read_times(texts)).mean() <= 1 - MIN_READABLE


def read_times(texts: np.ndarray) -> np.ndarray:
    """Times of day and durations in seconds, NaN where a text is none."""
    return np.array([_seconds(text) for text in texts], dtype=np.float64)


def _seconds(text):
    time = next(filter(None, (form.fullmatch(text) for form in _TIMES_OF_DAY)), None)
    if time is None:
        return np.nan
    parts = {name: part for name, part in time.groupdict().items() if part}
    hours = int(parts.get("hours", 0))
    if "half" in parts:
        hours = hours % 12 + 12 * (parts["half"][0] in "pP")
    minutes, seconds = int(parts.get("minutes", 0)), float(parts.get("seconds", "0").replace(",", "."))
    return 86400 * int(parts.get("days", 0)) + 3600 * hours + 60 * minutes + seconds


def is_date(dtype: Any) -> bool:
    """Whether a dtype holds points in time or calendar periods."""
    return getattr(dtype, "kind", "O") == "M" or isinstance(dtype, pd.PeriodDtype)


@dataclass(frozen=True)
class TimeFormat:
    """Times of day and durations, as a column of numbers wants its format."""

    said: str = "in seconds, from times of day or durations"
    plain: bool = False

    def read(self, texts: np.ndarray) -> np.ndarray:
        """Seconds of each text, NaN where it is no time."""
        return read_times(texts)


class DateColumn:
    """Parts of a date column that vary, as floats.

    Local time decides about the hour and the weekday: the zone is the one of fit. Where fit saw calendar periods,
    dates, years and texts stand for the period of that length they are in.
    """

    taken = "date"
    note = ""

    def __init__(self, form: str | None = None) -> None:
        self.form = form

    def fit(self, series: pd.Series) -> Self:
        """Learn the zone and the parts that are not constant."""
        self.zone = pd.DatetimeIndex(series).tz if getattr(series.dtype, "kind", "O") == "M" else None
        self.freq = series.dtype.freq if isinstance(series.dtype, pd.PeriodDtype) else None
        found = [0, 0]
        times = self._times(series, found)
        self.unread = found[1] / max(found[0], 1)
        values = self._parts(times, PARTS)
        self.suffixes = [part for part, column in zip(PARTS, values, strict=True) if _varies(column)]
        return self

    def transform(self, series: pd.Series, trouble: list[tuple[int, int]] | None = None) -> list[np.ndarray]:
        """One array of floats for each of `suffixes`; counts of filled and unread cells go to the list `trouble`."""
        found = [0, 0]
        times = self._times(series, found)
        if trouble is not None and found[1] > (self.unread + UNREAD) * found[0]:
            trouble.append((found[0], found[1]))
        return self._parts(times, self.suffixes)

    def _times(self, series, found):
        """Wall-clock times as a DatetimeIndex; cells that are no dates are NaT, counted with the filled in `found`."""
        if isinstance(series.dtype, pd.PeriodDtype):
            return pd.DatetimeIndex(series.dt.to_timestamp())
        if is_date(series.dtype):
            times = pd.DatetimeIndex(series)
            if times.tz is not None:
                times = times.tz_convert(self.zone or "UTC").tz_localize(None)
            return times if self.freq is None else times.to_period(self.freq).to_timestamp()
        are_years = isinstance(self.freq, pd.offsets.YearEnd) and getattr(series.dtype, "kind", "O") in "iuf"
        if getattr(series.dtype, "kind", "O") in "biufm" and not are_years:
            found[:] = [int(series.notna().sum())] * 2
            return pd.DatetimeIndex(np.full(len(series), "NaT", dtype="datetime64[s]"))
        codes, texts = to_labels(series)
        times = self._read(texts)
        found[:] = count_unread(codes, texts, np.asarray(times.notna()))
        return times.append(pd.DatetimeIndex([pd.NaT]))[codes]

    def _read(self, texts):
        """Texts as wall-clock times in the zone of fit, NaT where one is no date."""
        forms = dict.fromkeys([self.form or "ISO8601", "ISO8601"])
        times = read_dates(texts, OR.join(forms))
        if self.zone is not None:  # times without an offset are those of a clock there already
            apart = np.array([_OFFSET.fullmatch(text) is not None for text in texts], dtype=bool)
            times = times.where(~apart, times.tz_localize("UTC").tz_convert(self.zone).tz_localize(None))
        if self.freq is not None:
            periods = read_periods(texts, self.freq)
            times = periods.where(periods.notna(), times)
        return times

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
