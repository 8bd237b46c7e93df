"""CSV files as text cells: encoding, dialect and header are found, and said where they are not the plain ones."""

import codecs
import csv
import gzip
import io
import re
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

DELIMITERS = (",", ";", "\t", "|")

# The dialect is judged on the first characters: detection takes some microseconds a character.
SAMPLE_CHARACTERS = 50_000

# Rows that say how many fields a line of the table has.
SAMPLE_ROWS = 200

# What is neither marked nor valid UTF-8 is mostly written by programs of Windows in Western Europe; latin-1 is nearly
# a part of it. Detectors of encodings took French for MacCyrillic and Spanish for Polish: none of them decides here.
FALLBACK_ENCODING = "cp1252"

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GZIP_MAGIC = b"\x1f\x8b"
# How other files begin that hold tables, and what to do with each.
_EXPORT = "open it where it comes from and save it as CSV"
OTHER_FORMATS = (
    (b"PK\x03\x04", f"a zip archive, as .xlsx and .ods files are: {_EXPORT}, or unpack it"),
    (b"\xd0\xcf\x11\xe0", f"an old Excel file: {_EXPORT}"),
    (b"PAR1", "a Parquet file: pandas.read_parquet(...).to_csv(...) makes one of it"),
    (b"ARROW1", "an Arrow file: pandas.read_feather(...).to_csv(...) makes one of it"),
    (b"SQLite format 3", "a SQLite database: pandas.read_sql(...).to_csv(...) makes one of a table"),
    (b"\xfd7zXZ", "compressed with xz: unpack it"),
    (b"BZh", "compressed with bzip2: unpack it"),
    (b"(\xb5/\xfd", "compressed with Zstandard: unpack it"),
)

# A number in a country with decimal commas, perhaps with points between thousands: 0.500 is none.
DECIMAL_COMMA = r"^([+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+))(?:,(\d*))?$"

STANDARD_INPUT = "-"
File: TypeAlias = str | Path  # its path, or STANDARD_INPUT
Tell: TypeAlias = Callable[[str], object]  # takes a line for the user
Dialect: TypeAlias = dict[str, Any]  # keywords of csv.reader


class CsvError(ValueError):
    """What is wrong with a file, in one line that names it."""


@dataclass(frozen=True)
class CsvOptions:
    """What the caller says of a file; None leaves it to be found.

    Attributes
    ----------
    encoding, delimiter : str or None
    decimal : {".", ","}
    skip : int
        Lines above the header.
    target : str or None
        A column whose cells stay as they are written, also where they are numbers with decimal commas.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    skip: int = 0
    target: str | None = None


def read_csv(path: File, options: CsvOptions | None = None, tell: Tell = lambda line: None) -> "pd.DataFrame":
    """A CSV file as a DataFrame of text cells, stripped of spaces around them; empty cells are missing.

    Nothing is typed here: what a cell means is decided by what was learnt at fit, not by the other rows of its file.

    Parameters
    ----------
    path : str or path
        The file, perhaps gzipped; "-" is standard input.
    tell : callable
        Called with a line on whatever was found that the user may not expect.

    Raises
    ------
    CsvError
        If the file cannot be read as a table.
    OSError
        If it cannot be opened.
    """
    import pandas as pd

    options = CsvOptions() if options is None else options
    text = _skip_lines(path, _decode(path, _read_bytes(path), options.encoding, tell), options.skip)
    if not text.strip():
        raise CsvError(f"{path} is empty")
    text, dialect = _dialect(text, options.delimiter)
    text = _without_blank_lines(text, dialect["delimiter"])
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a cell may hold a long text
    n_above, header = _header(path, text, dialect, tell)
    text = _below(text, n_above)
    names, width, n_rows = _check_rows(path, text, dialect, header, n_above + options.skip)
    frame = pd.read_csv(
        io.StringIO(text), header=None, names=range(width), dtype=str, index_col=False,
        keep_default_na=False, na_values=[""], **dialect,
    )  # fmt: skip
    if len(frame) != n_rows:  # no row is lost in silence
        raise CsvError(f"{path} has {n_rows} rows, of which {len(frame)} could be read; write the file anew")
    frame = _named(path, frame.apply(_strip), names, tell)
    if len(names) > len(header):  # the header itself leaves the row numbers out
        frame = without_row_numbers(path, frame, tell)
    if options.decimal == ",":
        for name in frame.columns.drop(options.target, errors="ignore"):
            frame[name] = with_decimal_points(frame[name])
    return frame


def with_decimal_points(column: "pd.Series") -> "pd.Series":
    """The cells that are numbers with decimal commas as ones with decimal points; a cell alone decides for itself."""
    return column.str.replace(DECIMAL_COMMA, _point, regex=True)


def numeric_where_plain(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The frame with columns of floats instead of those whose cells are all finite numbers or missing.

    A cell becomes the same float that the cleaner of a pipeline reads from its text, so a model that was fitted on
    these columns predicts text cells alike; floats are only quicker to fit on.
    """
    import numpy as np
    import pandas as pd

    typed = {}
    for name in frame.columns:
        numbers = pd.to_numeric(frame[name], errors="coerce").astype(np.float64)
        plain = np.isfinite(numbers) | frame[name].isna()
        typed[name] = numbers if plain.all() and numbers.notna().any() else frame[name]
    return pd.DataFrame(typed, index=frame.index)


def _read_bytes(path: File) -> bytes:
    if str(path) == STANDARD_INPUT:
        if sys.stdin is None:
            raise CsvError("standard input is closed; name a file instead of '-'")
        raw = sys.stdin.buffer.read()
        return _unzip("standard input", raw) if raw.startswith(GZIP_MAGIC) else raw
    raw = Path(path).read_bytes()
    if Path(path).suffix == ".gz":
        return _unzip(path, raw)
    if raw.startswith(GZIP_MAGIC):
        raise CsvError(f"{path} is not a CSV file in UTF-8: it is gzipped; give it a name that ends with .gz")
    other = next((what for mark, what in OTHER_FORMATS if raw.startswith(mark)), None)
    if other is not None:
        raise CsvError(f"{path} is no CSV file but {other}")
    return raw


def _unzip(path: File, raw: bytes) -> bytes:
    try:
        return gzip.decompress(raw)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CsvError(f"{path} is not a CSV file in UTF-8: {error}") from error


def _decode(path: File, raw: bytes, encoding: str | None, tell: Tell) -> str:
    if encoding is not None:
        return _decode_as(path, raw, encoding)
    marked = next((name for mark, name in BYTE_ORDER_MARKS if raw.startswith(mark)), None) or _unmarked_utf16(raw)
    if marked is not None:
        return _decode_as(path, raw, marked)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        text = _fall_back(path, raw, error, tell)
    if "\0" in text:
        raise CsvError(f"{path} is not a CSV file: it holds binary data")
    return text


def _decode_as(path: File, raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except LookupError as error:
        message = (
            f"encoding={encoding!r} is not known; 'utf-8', 'latin-1', 'cp1252', 'utf-16' are, and others of Python's"
        )
        raise CsvError(message) from error
    except UnicodeDecodeError as error:
        raise CsvError(f"{path} is not a CSV file in {encoding}: {error}") from error


def _unmarked_utf16(raw: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of a header in Latin letters is zero."""
    head = raw[:200]
    if len(head) < 4 or b"\0" not in head:
        return None
    zeros = [head[start::2].count(0) / max(len(head[start::2]), 1) for start in (0, 1)]
    if zeros[1] > 0.9 and zeros[0] < 0.1:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > 0.9 and zeros[1] < 0.1 else None


def _fall_back(path: File, raw: bytes, error: UnicodeDecodeError, tell: Tell) -> str:
    try:
        text = raw.decode(FALLBACK_ENCODING)
    except UnicodeDecodeError:
        hint = "name its encoding with --encoding"
        raise CsvError(f"{path} is not a CSV file in UTF-8: {error}; {hint}") from error
    tell(f"{path} is not in UTF-8: read as {FALLBACK_ENCODING} (Western European); --encoding names another")
    return text


def _skip_lines(path: File, text: str, skip: int) -> str:
    if skip == 0:
        return text
    below = _below(text, skip)
    if not below:
        n_lines = len(io.StringIO(text, newline="").readlines())
        raise CsvError(f"{path} has {n_lines} lines, so --skip {skip} leaves none")
    return below


def _below(text: str, n_lines: int) -> str:
    """The text without its first lines, as an editor counts them: a line break within quotes ends one too."""
    return "".join(io.StringIO(text, newline="").readlines()[n_lines:])


def _without_blank_lines(text: str, delimiter: str) -> str:
    """The text with nothing in lines of spaces alone, and without the mark that ends files of DOS."""
    return re.sub(rf"(?m)^[^\S\r\n{re.escape(delimiter)}]+(?=\r?$)", "", text.rstrip("\x1a"))


def _dialect(text: str, delimiter: str | None) -> tuple[str, Dialect]:
    """The text without Excel's line `sep=`, and how the csv module reads it."""
    declared = re.match(r"""\s*(["']?)sep=(.)\1[;,]*(?:\r\n|\r|\n)""", text, re.IGNORECASE)
    if declared:
        text = text[declared.end() :]
    given = delimiter or (declared.group(2) if declared else None)
    found, quote = _detect(text, [given] if given else list(DELIMITERS))
    # Spaces after a delimiter belong to no cell, also where a quote follows.
    dialect = {"delimiter": given or found, "quotechar": quote, "skipinitialspace": True}
    return _with_doubled_quotes(text, dialect), dialect


def _with_doubled_quotes(text: str, dialect: Dialect) -> str:
    r"""The text with "" for the \" of programs that escape a quote within quotes; other backslashes stay.

    A backslash before the quote that ends a cell is one of its letters, as in the name of a folder.
    """
    quote, end = dialect["quotechar"], rf"[{re.escape(dialect['delimiter'])}\r\n]"
    if f"\\{quote}" not in text:
        return text
    escaped = rf"\\{quote}(?=(?!{quote}|{end}).|{quote}(?:{end}|$))"
    return re.sub(escaped, quote * 2, text)


def _detect(text: str, delimiters: list[str]) -> tuple[str, str]:
    """Delimiter and quote that give lines of one length and cells of clear types."""
    from clevercsv import Detector

    sample = text[:SAMPLE_CHARACTERS]
    if len(text) > len(sample):
        whole = max(sample.rfind("\n"), sample.rfind("\r"))
        sample = sample[:whole] if whole > 0 else sample
    found = Detector().detect(sample, delimiters=delimiters)
    if found is None or not found.delimiter:
        return delimiters[0], '"'
    return found.delimiter, found.quotechar or '"'


def _rows(text: str, dialect: Dialect) -> Any:
    return csv.reader(io.StringIO(text, newline=""), **dialect)


def _header(path: File, text: str, dialect: Dialect, tell: Tell) -> tuple[int, list[str]]:
    """How many lines stand above the rows of the table, its header among them, and the names of its columns.

    Lines of one field above a table of several are a title or a licence, and so are comments.
    """
    widths: Counter[int] = Counter()
    try:
        for row, _ in zip(_rows(text, dialect), range(SAMPLE_ROWS), strict=False):
            widths[len(row)] += bool(row)
    except csv.Error:
        widths[1] += 1  # said with its line when all rows are checked
    n_fields = max(widths, key=lambda width: (widths[width], width), default=1)
    rows, skipped = _rows(text, dialect), []
    for row in rows:
        comment = bool(row) and row[0].startswith(("#", "%")) and len(row) != n_fields
        if row and (len(row) > 1 or n_fields == 1) and not comment:
            break
        skipped += ["".join(row)] if any(row) else []
    else:
        raise CsvError(f"{path} has no header")
    if skipped:
        tell(f"{path}: {len(skipped)} lines above its table are left out, the first: {skipped[0][:60]!r}")
    return rows.line_num, [name.strip() for name in row]


def _check_names(path: File, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated and repeated[0]:
        raise CsvError(f"{path} names the column {repeated[0]!r} {names.count(repeated[0])} times")
    if repeated:
        raise CsvError(
            f"{path} has {names.count('')} columns without a name in its header: give each its own, or leave lines out "
            "that stand above the header, with --skip"
        )


def _check_rows(path: File, text: str, dialect: Dialect, header: list[str], n_above: int) -> tuple[list[str], int, int]:
    """The header, the most fields of a row and the number of rows, from the text below the header.

    Rows of more fields than the header's, empty ones apart, are refused.
    Programs end lines with a delimiter, and R writes the numbers of rows in a column that its header lacks.
    """
    rows, n_rows, width = _rows(text, dialect), 0, len(header)
    try:
        for row in rows:
            if not row:
                continue
            fits = len(row) == len(header) or _ends_empty(row, len(header))
            if not fits and n_rows == 0 and (counted := _counts_rows(text, dialect, len(header) + 1)):
                return ["", *header], len(header) + 1, counted
            if not fits:
                raise CsvError(
                    f"{path} line {rows.line_num + n_above} has {len(row)} fields, its header has {len(header)}; "
                    "--delimiter and --skip say how else to read it"
                )
            n_rows, width = n_rows + 1, max(width, len(row))
    except csv.Error as error:
        raise CsvError(f"{path} line {rows.line_num + n_above}: {error}") from error
    if n_rows == 0:
        raise CsvError(f"{path} has no rows below its header")
    return header, width, n_rows


def _ends_empty(row: list[str], n_fields: int) -> bool:
    """Whether a row has all fields and nothing in those beyond."""
    return len(row) > n_fields and not any(cell.strip() for cell in row[n_fields:])


def _counts_rows(text: str, dialect: Dialect, n_fields: int) -> int:
    """The number of rows if all have so many fields, of which the first is the number of the row; 0 otherwise."""
    rows = [(len(row), row[0].strip()) for row in _rows(text, dialect) if row]
    numbers = [number for _, number in rows]
    counted = (list(map(str, range(start, start + len(rows)))) for start in (0, 1))
    return len(rows) if {length for length, _ in rows} == {n_fields} and numbers in counted else 0


def _named(path: File, frame: "pd.DataFrame", header: list[str], tell: Tell) -> "pd.DataFrame":
    """The columns under their names, without those that have neither a name nor a cell."""
    nameless = [index for index, name in enumerate(header) if not name and frame[index].isna().all()]
    if nameless and len(nameless) < len(header):
        tell(f"{path}: {len(nameless)} empty columns without a name are left out")
        header = [name for index, name in enumerate(header) if index not in nameless]
        frame = frame.drop(columns=nameless)
    _check_names(path, header)
    return frame.iloc[:, : len(header)].set_axis(header, axis=1)


def _strip(column: "pd.Series") -> "pd.Series":
    column = column.str.strip()
    return column.mask(column == "")


def _point(match: re.Match[str]) -> str:
    """A number with its decimal comma as a point and nothing between thousands."""
    whole, fraction = match.group(1).replace(".", ""), match.group(2)
    return f"{whole}.{fraction}" if fraction else whole


def without_row_numbers(path: File, frame: "pd.DataFrame", tell: Tell) -> "pd.DataFrame":
    """The frame to learn from without the row numbers that a program has written as a first column without a name.

    Those of a sample have gaps. They stay in a frame to predict: what was learnt from decides there, not the file.
    """
    import pandas as pd

    first = frame.columns[0]
    if first not in ("", "Unnamed: 0") or frame.shape[1] == 1:
        return frame
    numbers = pd.to_numeric(frame[first], errors="coerce")
    if not ((numbers % 1 == 0).all() and numbers.is_unique):
        return frame
    tell(f"{path}: its first column has no name and counts the rows: left out")
    return frame.drop(columns=first)
