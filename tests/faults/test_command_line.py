"""The command line loses no model to a stream that cannot be written, and reads CSV files as those who wrote them."""

import io
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

SKAUTO = f"{sys.executable} -m skauto"

# A model was found, or, on a busy machine, only a quick one: both are saved.
SAVED = (0, 3)


def shell(command, folder, **kwargs):
    """Run a command line in a folder, with the exit status of the first part of a pipe that fails."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        capture_output=True,
        timeout=240,
        check=False,
        **kwargs,
    )


def columns_of(folder, options=""):
    """The names of the columns that are read from data.csv, and everything else that was said."""
    done = shell(f"{SKAUTO} fit data.csv --target 'no such column' --out m {options}", folder)
    said = done.stderr.decode()
    assert done.returncode == 1, said
    return said.rpartition("it has ")[2].strip().split(", "), said


def write(folder, content):
    (folder / "data.csv").write_bytes(content if isinstance(content, bytes) else content.encode())


def small_table(n_rows=80):
    """Two numbers, of which one tells the class."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n_rows).round(3), "b": rng.normal(size=n_rows).round(3)})
    return frame.assign(y=np.where(frame["a"] + 0.3 * frame["b"] > 0.5, "yes", "no"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "streams", ["| true", "2>&1 | head -1", ">&-", "> /dev/full", "2>&-", "2> /dev/full", "> /dev/full 2>&1"]
)
def test_no_stream_costs_the_model(tmp_path, streams):
    """Closed, full or unread output lost the search, in the commonest case with exit status 0."""
    small_table().to_csv(tmp_path / "data.csv", index=False)
    done = shell(f"{SKAUTO} fit data.csv --target y --time-limit 4 --n-jobs 1 --out m {streams}", tmp_path)
    assert done.returncode in SAVED, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    read = shell(f"{SKAUTO} predict m data.csv", tmp_path)
    assert read.returncode == 0 and len(read.stdout.splitlines()) == 81


ODD_LABELS = ("1234567.0", "1234568.0")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A folder with a model and its data: cells that look like numbers, but not in all rows, and so do the labels."""
    folder = tmp_path_factory.mktemp("odd")
    rng = np.random.default_rng(1)
    n_rows = 240
    frame = pd.DataFrame(
        {
            "flag": rng.choice(["True", "False", "maybe"], n_rows),
            "zip": rng.choice(["01234", "99999", "A1"], n_rows),
            "code": rng.choice(["007", "x9", "1.50", "1e5", "+5"], n_rows),
            "size": rng.normal(size=n_rows).round(3).astype(str),
        }
    )
    signal = (frame["flag"] == "True").astype(float) + (frame["code"] == "007") + (frame["zip"] == "01234")
    frame["y"] = np.where(signal + rng.normal(scale=0.3, size=n_rows) > 1.2, *ODD_LABELS)
    frame.to_csv(folder / "data.csv", index=False)
    done = shell(f"{SKAUTO} fit data.csv --target y --time-limit 15 --n-jobs 2 --out m", folder)
    assert done.returncode in SAVED, done.stderr.decode()
    return folder


def predicted(folder, rows):
    """The predictions of some rows, in a file of their own."""
    rows.to_csv(folder / "some.csv", index=False)
    done = shell(f"{SKAUTO} predict m some.csv", folder)
    assert done.returncode == 0, done.stderr.decode()
    return pd.read_csv(io.StringIO(done.stdout.decode()), dtype=str)


@pytest.mark.slow
def test_what_a_row_gets_does_not_depend_on_the_other_rows_of_its_file(odd):
    """A file of only True and False was read as one of booleans, of only 007 as one of numbers: other predictions."""
    frame = pd.read_csv(odd / "data.csv", dtype=str)
    together = predicted(odd, frame)
    parts = [
        frame["flag"] != "maybe",
        (frame["code"] == "007") & (frame["zip"] != "A1"),
        frame["code"].isin(["1.50", "1e5", "+5"]) & (frame["flag"] == "True"),
        frame.index == 3,
    ]
    for part in parts:
        alone = predicted(odd, frame[part])
        pd.testing.assert_frame_equal(alone, together[part].reset_index(drop=True))


@pytest.mark.slow
def test_labels_come_back_as_they_were_written(odd):
    """1234567.0 and 1234568.0 were both written as 1.23457e+06."""
    answer = predicted(odd, pd.read_csv(odd / "data.csv", dtype=str))
    assert set(answer["prediction"]) == set(ODD_LABELS)
    assert list(answer.columns[1:]) == [f"probability_{label}" for label in ODD_LABELS]


@pytest.mark.slow
def test_predictions_that_cannot_be_printed_are_an_error_in_one_line(odd):
    for stream in (">&-", "> /dev/full"):
        done = shell(f"{SKAUTO} predict m data.csv {stream}", odd)
        assert done.returncode == 1
        assert done.stderr.decode().count("\n") == 1 and b"--out" in done.stderr
    assert shell(f"{SKAUTO} predict m data.csv | head -1", odd).returncode == 0


@pytest.mark.slow
def test_standard_input_is_a_file_too(odd):
    """A lone - was "No such file"."""
    done = shell(f"{SKAUTO} predict m - < data.csv", odd)
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.splitlines()) == 241


@pytest.mark.slow
def test_out_never_replaces_an_input(odd):
    model, data = (odd / "m").read_bytes(), (odd / "data.csv").read_bytes()
    os.symlink("data.csv", odd / "link.csv")
    for command in (
        "fit data.csv --target y --out data.csv",
        "fit data.csv --target y --out link.csv",
        "predict m data.csv --out m",
        "predict m data.csv --out ./data.csv",
    ):
        done = shell(f"{SKAUTO} {command}", odd)
        assert done.returncode == 1 and b"give another name" in done.stderr, command
    assert ((odd / "m").read_bytes(), (odd / "data.csv").read_bytes()) == (model, data)


ROWS = range(40)
DIALECTS = {
    "quoted commas between semicolons": (
        "id;name;place;y\n" + "".join(f'{i};"Meyer, Anna, {i}";"Ulm, BW, DE";{i % 2}\n' for i in ROWS),
        ["id", "name", "place", "y"],
    ),
    "commas in the header of a file with semicolons": (
        '"size(cm,rounded)";"weight,kg,net";y\n' + "".join(f"{i};{i * 2};a\n" for i in ROWS),
        ["size(cm,rounded)", "weight,kg,net", "y"],
    ),
    "quoted commas between tabs": (
        "id\tname\ty\n" + "".join(f'{i}\t"a, b, c, d"\tx\n' for i in ROWS),
        ["id", "name", "y"],
    ),
    "decimal commas": ("a;b;y\n" + "".join(f"{i},5;{i},25;{i % 2}\n" for i in ROWS), ["a", "b", "y"]),
    "a licence above": (
        "Copyright 2020\n\nPlease cite us.\n" + "a;b;c;y\n" + "".join(f"{i};{i};z;{i % 2}\n" for i in ROWS),
        ["a", "b", "c", "y"],
    ),
    "comments above": (
        "# licence: CC BY 4.0\n# source: x, y\n" + "a,b,c,y\n" + "".join(f"{i},{i},z,{i % 2}\n" for i in ROWS),
        ["a", "b", "c", "y"],
    ),
    "the line that tells a spreadsheet its delimiter": (
        "sep=;\na;b;y\n" + "".join(f"{i};{i},5;{i % 2}\n" for i in ROWS),
        ["a", "b", "y"],
    ),
    "that line in capitals and quotes": (
        '"SEP=;"\r\na;b;y\r\n' + "".join(f"{i};{i},5;{i % 2}\r\n" for i in ROWS),
        ["a", "b", "y"],
    ),
    "a delimiter at the end of each line": (
        "a;b;y;\n" + "".join(f"{i};{i},5;{i % 2};\n" for i in ROWS),
        ["a", "b", "y"],
    ),
    "delimiters at the end of the rows alone": (
        "a,b,y\n" + "".join(f"{i},{i}.5,{i % 2},,\n" for i in ROWS),
        ["a", "b", "y"],
    ),
    "row numbers that the header lacks": (
        '"a","b","y"\n' + "".join(f'"{i + 1}",{i}.5,{i % 3},"x"\n' for i in ROWS),
        ["a", "b", "y"],
    ),
    "lines of spaces, and the end of a file of DOS": (
        "a,b,y\n" + "".join(f"{i},{i}.5,{i % 2}\n   \n" for i in ROWS) + "\x1a",
        ["a", "b", "y"],
    ),
    "quotes behind backslashes": (
        "a,b,y\n" + "".join(f'{i},"he said \\"no, {i}\\"",{i % 2}\n' for i in ROWS),
        ["a", "b", "y"],
    ),
    "folders that end with a backslash": (
        "a,b,y\n" + "".join(f'{i},"C:\\one, two\\",{i % 2}\n' for i in ROWS),
        ["a", "b", "y"],
    ),
    "spaces after commas": (
        "age, work, y\n" + "".join(f'{i}, "private, other", <=50K\n' for i in ROWS),
        ["age", "work", "y"],
    ),
    "utf-16": (("stadt,größe,y\n" + "".join(f"Köln,{i},1\n" for i in ROWS)).encode("utf-16"), ["stadt", "größe", "y"]),
    "latin-1": (
        ("stadt,größe,y\n" + "".join(f"Köln,{i},1\n" for i in ROWS)).encode("latin-1"),
        ["stadt", "größe", "y"],
    ),
}


# Each takes a process of some seconds.
QUICK_DIALECTS = {"quoted commas between semicolons", "decimal commas", "comments above", "latin-1"}


@pytest.mark.parametrize(
    "name", [name if name in QUICK_DIALECTS else pytest.param(name, marks=pytest.mark.slow) for name in DIALECTS]
)
def test_a_csv_file_is_read_as_it_was_written(tmp_path, name):
    """Delimiters were counted in the header alone, and everything was UTF-8 with its header in the first line."""
    content, columns = DIALECTS[name]
    write(tmp_path, content)
    assert columns_of(tmp_path)[0] == columns


@pytest.mark.slow
def test_a_line_break_in_the_header_costs_no_row(tmp_path):
    """The first rows were lost without a word: the number of different targets in an error shows how many are read."""
    rows = "1,2.5,0.99\n" + "".join(f"{i},{i}.5,0.{i:02}\n" for i in range(25))
    for header in ('x,"a\nb",y\n', '"A title\nof three\nlines"\nx,a,y\n'):
        write(tmp_path, header + rows)
        done = shell(f"{SKAUTO} fit data.csv --target y --out m", tmp_path)
        assert done.returncode == 1 and b"holds 26 different numbers" in done.stderr, done.stderr.decode()


@pytest.mark.slow
def test_what_was_found_is_said(tmp_path):
    write(tmp_path, DIALECTS["latin-1"][0])
    assert "read as cp1252" in columns_of(tmp_path)[1]
    write(tmp_path, DIALECTS["a licence above"][0])
    assert "2 lines above its table are left out, the first: 'Copyright 2020'" in columns_of(tmp_path)[1]


@pytest.mark.slow
def test_the_user_has_the_last_word(tmp_path):
    write(tmp_path, "one, long, line\nä|b|y\n1|2|3\n4|5|6\n".encode("latin-1"))
    assert columns_of(tmp_path, "--skip 1 --delimiter '|' --encoding latin-1")[0] == ["ä", "b", "y"]


@pytest.mark.slow
def test_lines_above_a_table_of_an_old_macintosh_are_skipped(tmp_path):
    """Its lines end with a carriage return alone: the file had one line."""
    write(tmp_path, "one, long, line\ra;b;y\r" + "1;2,5;3\r" * 20_000)
    assert columns_of(tmp_path, "--skip 1")[0] == ["a", "b", "y"]


@pytest.mark.slow
def test_row_numbers_in_a_first_column_are_left_out_with_a_word(tmp_path):
    """The index of a table sorted by class told the class of each row: F1 .99 was shown and no new row was found."""
    frame = small_table()
    frame.to_csv(tmp_path / "data.csv")
    columns, said = columns_of(tmp_path)
    assert columns == list(frame) and "counts the rows: left out" in said


def test_a_measured_target_is_refused_at_once(tmp_path):
    small_table().assign(y=lambda frame: frame["a"] * 3).to_csv(tmp_path / "data.csv", index=False)
    done = shell(f"{SKAUTO} fit data.csv --target y --out m", tmp_path)
    assert done.returncode == 1 and b"no regression" in done.stderr


def test_a_table_of_nothing_but_its_target_is_said_to_be(tmp_path):
    write(tmp_path, "y\n" + "u\nv\n" * 20)
    done = shell(f"{SKAUTO} fit data.csv --target y --out m", tmp_path)
    assert done.returncode == 1 and b"data.csv has no column but the target 'y'" in done.stderr


def test_lines_to_skip_are_a_number(tmp_path):
    """The message named a function of this package."""
    done = shell(f"{SKAUTO} fit data.csv --target y --out m --skip two", tmp_path)
    assert done.returncode == 2 and b"'two' is no number of lines" in done.stderr


@pytest.mark.slow
def test_many_classes_of_a_row_or_two_are_warned_of_once_and_in_few_words(tmp_path):
    """Numbers to be estimated, given as classes: one warning came seventeen times, another named all of them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=90), "y": np.r_[np.arange(85), np.arange(5)]})
    frame.to_csv(tmp_path / "data.csv", index=False)
    done = shell(f"{SKAUTO} fit data.csv --target y --time-limit 4 --n-jobs 1 --out m", tmp_path)
    said = done.stderr.decode()
    assert done.returncode in SAVED, said
    assert said.count("could represent a regression problem") == 1
    warned = [line for line in said.splitlines() if "ever held back" in line]
    assert all(len(line) < 400 for line in warned)


def test_without_a_command_the_help_is_shown(tmp_path):
    done = shell(SKAUTO, tmp_path)
    assert done.returncode == 2
    for word in ("fit", "predict", "demo", "save"):
        assert word in done.stderr.decode()
