"""Numbers as people write them: currencies, percent, units, thousands, decimal commas and bounds, learned by column."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skauto.estimators.tables._table_labels import some_of, to_numbers

MIN_READABLE = 0.99  # fraction of the non-missing cells that must parse as numbers
TOKENS = 5  # words that may stand among numbers however many cells they fill, up to half of them
LEAST_NUMBERS = 8  # different numbers, at least, for words among them to be gaps: few are names of levels
LEAST_WIDTH = 3  # digits of codes: two are hours, months or percent
RARE_UNIT = 0.01  # a unit in fewer of the cells is a mistake
SAMPLE, MANY = 300, 5_000  # texts to try before all are read, and those that a format is learned from
HALVES_OF_DAYS = frozenset(["am", "pm", "a.m", "p.m"])
BEYOND = 0.01  # "<5" is read as a number below 5 by this part of it

# The currencies of ISO 4217 that are in use: any three letters would make numbers of codes such as "INV 12".
_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP "
    "CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB "
    "RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU "
    "UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
_MONEY = r"[A-Z]{0,2}[$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u20ba\u0e3f]|Rs\.?|kr\.?|Fr\.|Fr(?=\s)|" + "|".join(
    _CODES.split()
)
_ABOUT = r"(?:(?:approx|about|circa|ca|est|c)\.?\s+)?"  # in front of a number, which is read as it is
_SPREAD = r"(?:\s*(?:\u00b1|\+/-|\+-)\s*\d[\d.,]*)?(?:\s*\((?:est|approx)\.?\))?"  # behind it
_SPACE = r"\s'\u2019"  # what groups thousands beside point and comma
_CELL = re.compile(
    rf"{_ABOUT}(?P<bound>[<>\u2264\u2265~]=?)?\s*(?P<sign>[-+\u2212(]{{0,2}})\s*(?P<money>{_MONEY})?\s*(?P<inner>[-+\u2212(]?)"
    rf"(?P<number>(?:\d[\d.,{_SPACE}]*|[.,]\d+)(?:[eE][-+]?\d+)?)\s*(?:\+\s*)?"
    r"(?P<unit>[^\d\s<>(),.;:_+\-][^\d<>();:,_+]{0,14}?|(?:[cdkm]?m|in|ft|yd|mi)[23]|[A-Za-z\u00b5]{1,4}/[a-z]{1,2}[23])?"
    rf"\s*(?P<end>[)+\-]?){_SPREAD}"
)
# Thousands; with commas also as in India, where two digits stand in each group but the last.
_GROUPS = r"[1-9]\d{{0,2}}(?:([{0}])\d{{3}})(?:\1\d{{3}})*"
_LAKHS = r"[1-9]\d?(?:,\d\d)+,\d{3}"
_FORMS = {
    ".": re.compile(
        rf"(?:\d+|{_GROUPS.format(',' + _SPACE)}|{_LAKHS})(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?"
    ),
    ",": re.compile(rf"(?:\d+|{_GROUPS.format('.' + _SPACE)})(?:,\d*)?(?:[eE][-+]?\d+)?|,\d+(?:[eE][-+]?\d+)?"),
}
# Whole numbers with points between thousands, which read as fractions without a word.
_WHOLE = re.compile(r"-?(?:\d{1,3}|[1-9]\d{0,2}(?:\.\d{3})+)")
# Units that are one another's multiples, by the singular in lower case.
_SCALES = (
    {"\u00b5s": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1, "sec": 1, "second": 1,
     "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600, "d": 86400,
     "day": 86400, "w": 604800, "wk": 604800, "week": 604800, "mo": 2629800, "mth": 2629800, "month": 2629800,
     "y": 31557600, "yr": 31557600, "year": 31557600},
    {"": 1, "k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9},
    {"b": 1, "byte": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20, "gib": 2**30,
     "tib": 2**40},
    {"mm": 1, "cm": 10, "m": 1e3, "km": 1e6},
    {"mg": 1e-3, "g": 1, "kg": 1e3, "t": 1e6},
)  # fmt: skip


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : {".", ","}
    factors : dict of str to float
        What a number with a unit is multiplied by; cells with other units are not read.
    money : str
        The currency before numbers; cells with another one are not read.
    plain : bool
        Whether pandas reads them all.
    grouped : bool
        Whether these are whole numbers with points between thousands.
    """

    decimal: str = "."
    factors: dict = field(default_factory=dict)
    money: str = ""
    plain: bool = True
    grouped: bool = False

    def read(self, texts: np.ndarray) -> np.ndarray:
        """Each text as a float, NaN where it is none in this format."""
        if self.plain:
            return to_numbers(texts)
        readers = [to_numbers, self._read_written]
        if self.decimal == ",":  # "1.234" is more than a thousand then
            readers.reverse()
        numbers = readers[0](texts)
        unread = np.flatnonzero(np.isnan(numbers))
        if len(unread):
            numbers[unread] = readers[1](texts[unread])
        return numbers

    def _read_written(self, texts):
        return np.array([self._number(*parts) if (parts := _parts(text)) else np.nan for text in texts], dtype=float)

    def _number(self, factor, digits, unit, bound, money):
        if unit not in self.factors or money not in ("", self.money) or not _FORMS[self.decimal].fullmatch(digits):
            return np.nan
        plain = re.sub(rf"[{'.' if self.decimal == ',' else ','}{_SPACE}]", "", digits).replace(",", ".")
        number = factor * self.factors[unit] * float(plain)
        return number + bound * BEYOND * abs(number) if np.isfinite(number) else np.nan

    @property
    def said(self) -> str:
        """The format in words, empty where it is plain."""
        if self.plain:
            return ""
        units = [*([self.money] if self.money else []), *(unit for unit in self.factors if unit)]
        words = [f"in {', '.join(map(repr, units))}"] if units else []
        commas = "with points between thousands" if self.grouped else "with decimal commas"
        return " ".join([commas] * (self.decimal == ",") + words) or "with signs or thousands"


def are_padded(texts: Any) -> bool:
    """Whether texts are codes of digits, all of one width and some with zeros in front: postal codes, not quantities.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators.tables._table_numbers import are_padded
    >>> are_padded(np.array(["01067", "80331"], dtype=object)), are_padded(np.array(["7", "80331"], dtype=object))
    (True, False)
    """
    width = len(texts[0])
    return (
        width >= LEAST_WIDTH
        and all(len(text) == width and text.isdecimal() for text in texts)
        and any(text[0] == "0" for text in texts)
    )


def learn_numbers(texts: np.ndarray, counts: np.ndarray) -> "tuple[NumberFormat, np.ndarray] | None":
    """The format in which a column's texts are numbers, and each text as one; None where they are not.

    Parameters
    ----------
    texts : ndarray of object (str), shape (n_texts,)
        Distinct, without gaps.
    counts : ndarray of int, shape (n_texts,)
        Rows of each.

    Returns
    -------
    found : tuple of NumberFormat and ndarray of float, or None
    """
    if _are_grouped(texts):
        form = NumberFormat(",", {"": 1.0}, plain=False, grouped=True)
        return form, form.read(texts)
    plain = NumberFormat()
    numbers = plain.read(texts)
    if not np.isnan(numbers).any():
        return plain, numbers
    written = _written_format(texts, counts)
    if written is not None:
        others = written.read(texts)
        if _says_more(others, numbers) and _enough(others, counts, written.plain):
            return written, others
    return (plain, numbers) if _enough(numbers, counts, plain.plain) else None


def _says_more(others, numbers):
    """Whether some texts are numbers that were none before, and the rest are the numbers that they were."""
    read = ~np.isnan(numbers)
    return not np.isnan(others[~read]).all() and np.array_equal(others[read], numbers[read])


def _are_grouped(texts):
    """Whether texts are whole numbers with points between thousands, as no fractions would be written.

    Those below a thousand have none, those above end in three digits, which of fractions would sometimes be fewer, or
    always three; two points in one, or zeros at the end beside numbers without a point, tell them.
    """
    if not all(_WHOLE.fullmatch(text) for text in texts):
        return False
    pointed = [text for text in texts if "." in text]
    twice = any(text.count(".") > 1 for text in pointed)
    return twice or (len(pointed) < len(texts) and any(text.endswith("0") for text in pointed))


def _enough(numbers, counts, plain):
    """Whether the numbers make the column one of numbers: nearly all cells, or all but a few words."""
    read = ~np.isnan(numbers)
    fraction = counts[read].sum() / max(counts.sum(), 1)
    if fraction >= MIN_READABLE:
        return True
    n_words = len(numbers) - read.sum()
    return fraction >= 0.5 and n_words <= TOKENS and len(np.unique(numbers[read])) >= LEAST_NUMBERS


def _written_format(texts, counts):
    """The format of numbers that pandas alone does not read, or None."""
    sample = texts[some_of(len(texts), SAMPLE)]
    if not len(sample) or np.mean([_parts(text) is not None for text in sample]) < 0.5:
        return None
    rows, valid, moneys = Counter(), Counter(), Counter()
    learned = some_of(len(texts), MANY)
    for text, count in zip(texts[learned], counts[learned], strict=True):
        parts = _parts(text)
        if parts:
            rows[parts[2]] += count
            moneys[parts[4]] += count
            for decimal, form in _FORMS.items():
                valid[decimal] += count * bool(form.fullmatch(parts[1]))
    units = [unit for unit, count in rows.items() if count >= RARE_UNIT * rows.total()]
    factors = _factors(units)
    moneys = [money for money, count in moneys.items() if money and count >= RARE_UNIT * moneys.total()]
    decimal = "." if valid["."] >= valid[","] else ","
    if factors is None or len(moneys) > 1:
        return None
    return NumberFormat(decimal, factors, "".join(moneys), plain=False)


def _factors(units):
    """What numbers with each unit are multiplied by, or None where the units are no multiples of each other."""
    named = [unit for unit in units if unit]
    if HALVES_OF_DAYS.intersection(named):
        return None  # times: 12 pm comes before 1 pm
    if len(named) <= 1 and not (named and "" in units and named[0] in _SCALES[1]):
        return dict.fromkeys(units, 1.0)
    for scale in _SCALES:
        if all(unit in scale for unit in units):
            return {unit: float(scale[unit]) for unit in units}
    return None


def _parts(text):
    """Sign, digits, unit, side of the bound and currency of a number, or None where a text is none."""
    cell = _CELL.fullmatch(text)
    if cell is None:
        return None
    signs = cell["sign"] + cell["inner"] + cell["end"]
    if signs.count("(") != signs.count(")"):
        return None
    negative = sum(signs.count(sign) for sign in "-\u2212(")
    unit = (cell["unit"] or "").strip(" .").casefold()
    unit = unit[:-1] if len(unit) > 2 and unit.endswith("s") else unit
    side = {"<": -1, ">": 1}.get(cell["bound"] or "", 0)
    return (-1 if negative % 2 else 1), cell["number"].strip(" '\u2019\u00a0"), unit, side, cell["money"] or ""
