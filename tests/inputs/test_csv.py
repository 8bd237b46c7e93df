"""CSV files: what is found out about them, and one clear line for whatever cannot be read."""

import gzip

import numpy as np
import pandas as pd
import pytest

from skauto.estimators.tables._table_cleaner import TableCleaner
from skauto.inputs._csv import CsvError, CsvOptions, numeric_where_plain, read_csv, without_row_numbers


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n \n", "is empty"),
        (b"a,b\n", "has no rows below its header"),
        (b"a,b\n1,2\n1,2,3\n", "line 3 has 3 fields, its header has 2"),
        (b"a,b\n1,2,3\n1,2,3\n", "line 2 has 3 fields, its header has 2"),
        (b"a,b\n1\n", "line 2 has 1 fields, its header has 2"),
        (b"a,a\n1,2\n", "names the column 'a' 2 times"),
        (b"\x80\x81\x82", "is not a CSV file in UTF-8"),
        (b"PK\x03\x04\x14\0", "is no CSV file but a zip archive, as .xlsx and .ods files are: open it"),
        (b"PAR1\x15\x04", "is no CSV file but a Parquet file"),
        (b"\xfd7zXZ\0", "is no CSV file but compressed with xz: unpack it"),
        (b"a,,\n1,2,3\n", "has 2 columns without a name in its header: give each its own, or .* --skip"),
        (b"a,b\n1,\0\n", "holds binary data"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "is not a CSV file in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(CsvError, match=message) as error:
        read_csv(path)
    assert str(path) in str(error.value)


def test_a_damaged_gz_file_is_named(tmp_path):
    path = tmp_path / "bad.csv.gz"
    for content in (b"not gzip", gzip.compress(b"a,b\n1,2\n" * 99)[:30]):
        path.write_bytes(content)
        with pytest.raises(CsvError, match="is not a CSV file in UTF-8"):
            read_csv(path)


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_delimiters_marks_and_compression(tmp_path, delimiter, suffix):
    frame = pd.DataFrame({"a": ["1", "2"], "b c": ["x" + delimiter + "y\nz", "ä"]})
    path = tmp_path / f"data.{suffix}"
    frame.to_csv(path, index=False, sep=delimiter, encoding="utf-8-sig")
    pd.testing.assert_frame_equal(read_csv(path), frame)


def test_one_column_is_a_table_too(tmp_path):
    (tmp_path / "one.csv").write_text("a\n1\n2\n")
    assert read_csv(tmp_path / "one.csv")["a"].tolist() == ["1", "2"]


def test_empty_lines_first_and_very_long_cells(tmp_path):
    (tmp_path / "long.csv").write_text("\n\na,b\n1," + "x" * 200_000 + "\n")
    frame = read_csv(tmp_path / "long.csv")
    assert list(frame) == ["a", "b"] and len(frame.loc[0, "b"]) == 200_000


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b"a,b,\n1,x,\n2,,\n", [["1", "x"], ["2", None]]),
        (b"a,b\n1,x,,\n2,y\n", [["1", "x"], ["2", "y"]]),
        (b'"a","b"\n"1",1,x\n"2",2,y\n', [["1", "x"], ["2", "y"]]),
        (b'a,b\n1,"an \\"n, n\\" x"\n2,"a\\n"\n', [["1", 'an "n, n" x'], ["2", "a\\n"]]),
        (b'a,b\n1,"C:\\d, e\\"\n2,"C:\\""d"" e"\n', [["1", "C:\\d, e\\"], ["2", 'C:\\"d" e']]),
        (b"a,b\n1,x\n \t \n2,y\n\x1a", [["1", "x"], ["2", "y"]]),
        (b"a\tb\n1\tx\n \t \n", [["1", "x"], [None, None]]),
    ],
)
def test_what_other_programs_leave_at_the_ends_of_lines_and_within_quotes(tmp_path, content, cells):
    (tmp_path / "data.csv").write_bytes(content)
    frame = read_csv(tmp_path / "data.csv")
    assert list(frame) == ["a", "b"]
    assert frame.astype(object).where(frame.notna(), None).to_numpy().tolist() == cells


def test_only_empty_cells_are_missing(tmp_path):
    (tmp_path / "gaps.csv").write_text("n,word,empty\n1,None,\nNA,null,2\n3,NA,\n")
    frame = read_csv(tmp_path / "gaps.csv")
    assert frame["word"].tolist() == ["None", "null", "NA"]
    assert frame["empty"].isna().tolist() == [True, False, True]
    floats = TableCleaner().fit(frame[["n"]]).transform(frame[["n"]])
    np.testing.assert_array_equal(floats["n"], [1, np.nan, 3])


def told(path, **options):
    """The frame of a file and the lines that were said about it."""
    lines = []
    return read_csv(path, CsvOptions(**options), lines.append), lines


def test_plain_numbers_become_floats_and_everything_else_stays_text():
    text = pd.DataFrame({"n": ["1", "2.5", None], "code": ["007", "x9", "1"], "inf": ["1", "inf", "2"]}, dtype="str")
    typed = numeric_where_plain(text)
    np.testing.assert_array_equal(typed["n"], [1, 2.5, np.nan])
    pd.testing.assert_frame_equal(typed[["code", "inf"]], text[["code", "inf"]])


def test_utf16_without_a_mark(tmp_path):
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "x.csv").write_bytes("name,y\nUlm,1\nBern,0\n".encode(encoding))
        assert told(tmp_path / "x.csv")[0]["name"].tolist() == ["Ulm", "Bern"]


def test_unknown_encodings_and_wrong_ones_are_named(tmp_path):
    (tmp_path / "x.csv").write_bytes("stadt,y\nKöln,1\n".encode("latin-1"))
    with pytest.raises(CsvError, match="encoding='latin-99' is not known"):
        told(tmp_path / "x.csv", encoding="latin-99")
    with pytest.raises(CsvError, match="not a CSV file in utf-8"):
        told(tmp_path / "x.csv", encoding="utf-8")


def test_skipping_more_lines_than_there_are(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CsvError, match="--skip 9 leaves none"):
        told(tmp_path / "x.csv", skip=9)


def test_skipped_lines_count_in_messages(tmp_path):
    (tmp_path / "x.csv").write_text("about, this, file, of, ours\na,b\n1,2\n1,2,3\n")
    with pytest.raises(CsvError, match="line 4 has 3 fields, its header has 2"):
        told(tmp_path / "x.csv", skip=1)


def test_a_first_column_without_a_name_that_counts_nothing_stays(tmp_path):
    for second in ("5", "7.5", "x", ""):
        (tmp_path / "x.csv").write_text(f",a\n5,1\n{second},2\n")
        lines = []
        frame = without_row_numbers("x.csv", read_csv(tmp_path / "x.csv"), lines.append)
        assert list(frame) == ["", "a"] and lines == []


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_row_numbers_of_a_sample_are_left_out_to_learn_and_stay_to_predict(tmp_path, name):
    """Only numbers without gaps were left out, in either file: one of a sample asked for them, the next lacked them."""
    (tmp_path / "x.csv").write_text(f"{name},a\n17,1\n5,2\n-1,2\n")
    frame, lines = told(tmp_path / "x.csv")
    assert list(frame) == [name, "a"] and lines == []
    assert list(without_row_numbers("x.csv", frame, lines.append)) == ["a"]
    assert len(lines) == 1 and "counts the rows: left out" in lines[0]


def test_several_columns_without_a_name(tmp_path):
    (tmp_path / "x.csv").write_text(",,a\n5,1,2\n7,2,3\n")
    with pytest.raises(CsvError, match="2 columns without a name"):
        read_csv(tmp_path / "x.csv")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("above", ["", '"A title\nof two lines"\n', '# a comment\n\n"one\n\ntwo"\n'])
@pytest.mark.parametrize("header", ['x,"a\nb",y\n', '"x\n\n1","a\nb",y\n', "x,a,y\n"])
def test_line_breaks_above_the_rows_cost_no_row(tmp_path, above, header, end):
    """As many first rows were lost as the header, or a title above it, had line breaks within quotes."""
    text = above + header + "1,2,0\n3,4,1\n5,6,0\n"
    (tmp_path / "x.csv").write_bytes(text.replace("\n", end).encode())
    frame = read_csv(tmp_path / "x.csv")
    assert frame.to_numpy().tolist() == [["1", "2", "0"], ["3", "4", "1"], ["5", "6", "0"]]


def test_lines_are_counted_as_an_editor_does(tmp_path):
    (tmp_path / "x.csv").write_text('x,"a\nb",y\n1,2,0\n3,4,1\n5,6,0,7\n')
    with pytest.raises(CsvError, match="line 5 has 4 fields"):
        read_csv(tmp_path / "x.csv")


def test_decimal_commas_are_turned_a_cell_at_a_time_and_never_in_the_target(tmp_path):
    """Labels came back otherwise than they were written, and 0.500 was taken for 0500."""
    (tmp_path / "x.csv").write_text("n;code;y\n1,5;0.500;1,0\n1.234;1.2;2,00\n-1.234,5;x,5;0,5\n")
    frame, _ = told(tmp_path / "x.csv", decimal=",", target="y")
    assert frame["n"].tolist() == ["1.5", "1234", "-1234.5"]
    assert frame["code"].tolist() == ["0.500", "1.2", "x,5"]
    assert frame["y"].tolist() == ["1,0", "2,00", "0,5"]
    assert told(tmp_path / "x.csv", decimal=",")[0]["y"].tolist() == ["1.0", "2.00", "0.5"]
