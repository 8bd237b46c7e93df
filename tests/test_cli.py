"""The command line: what it makes, and one clear line for whatever goes wrong."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from skauto._cli import CommandError, _labels, _say_leaderboard, main
from skauto._persistence import load_model, save_model
from skauto.automl._leaderboard import leaderboard
from skauto.automl.selection._final_model import FinalModel
from skauto.inputs._csv import read_csv
from skauto.search._history import History
from skauto.search._space import Space

ROOT = Path(__file__).resolve().parent.parent


def table(n_rows=240, seed=0):
    """A small table of mixed types whose target can be learned."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n_rows),
            "colour": rng.choice(["red", "green", "blue"], n_rows),
            "old": rng.random(n_rows) < 0.5,
        }
    )
    frame.loc[::17, "size"] = np.nan
    probability = 0.1 + 0.8 * ((frame["colour"] == "red") & (frame["size"] > 0))
    frame["label"] = np.where(rng.random(n_rows) < probability, "yes", "no")
    return frame


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.csv"
    table().to_csv(path, index=False)
    return path


def fails(capsys, *argv):
    """Run a command that has to fail; its one line on stderr."""
    status = main([str(a) for a in argv])
    out, err = capsys.readouterr()
    assert status == 1
    assert out == ""
    assert err.startswith("skauto: ") and err.count("\n") == 1, err
    return err


def test_no_command_and_unknown_commands_say_what_there_is(capsys):
    assert main([]) == 2
    assert "usage: skauto" in capsys.readouterr().err
    for argv in (["fti"], ["fit"]):
        with pytest.raises(SystemExit) as error:
            main(argv)
        assert error.value.code == 2
        assert "usage: skauto" in capsys.readouterr().err


def test_a_wrong_path_is_named(capsys, tmp_path):
    assert "nowhere.csv: No such file" in fails(
        capsys, "fit", tmp_path / "nowhere.csv", "--target", "y", "--out", tmp_path / "m"
    )
    assert "Is a directory" in fails(capsys, "fit", tmp_path, "--target", "y", "--out", tmp_path / "m")
    assert "nowhere.joblib: No such file" in fails(capsys, "predict", tmp_path / "nowhere.joblib", tmp_path / "x.csv")


def test_a_missing_target_gets_a_suggestion(capsys, data, tmp_path):
    assert "no column 'lable'; did you mean 'label'?" in fails(
        capsys, "fit", data, "--target", "lable", "--out", tmp_path / "m"
    )
    assert "it has size, colour, old, label" in fails(capsys, "fit", data, "--target", "zzz", "--out", tmp_path / "m")


def test_a_model_path_that_cannot_be_written_is_refused_before_the_search(capsys, data, tmp_path):
    assert "does not exist" in fails(capsys, "fit", data, "--target", "label", "--out", tmp_path / "no" / "m")
    assert "is a folder" in fails(capsys, "fit", data, "--target", "label", "--out", tmp_path)
    (tmp_path / "link").symlink_to("no/m")
    assert "does not exist" in fails(capsys, "fit", data, "--target", "label", "--out", tmp_path / "link")


def test_a_file_that_is_no_model_is_refused(capsys, data):
    assert "is not a model saved by skauto" in fails(capsys, "predict", data, data)


def test_a_class_may_be_called_none_and_is_said():
    y = pd.Series(["None", "Mild", "Severe", "None"], name="state")
    with pytest.warns(UserWarning, match="2 rows have 'None' in the column 'state', .*leave the cell empty"):
        assert _labels(y) is y
    plain = pd.Series(["yes", "no"])
    assert _labels(plain) is plain


def test_a_gap_among_labels_that_are_numbers_is_one():
    assert _labels(pd.Series(["0", "1", "NA", "None"])).isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize("mark", ["-", "missing", "unknown", "n.a."])
def test_a_placeholder_among_labels_that_are_numbers_is_no_class(mark):
    assert _labels(pd.Series(["0", "1", mark, "1"])).isna().tolist() == [False, False, True, False]
    words = pd.Series(["yes", "no", mark, "yes"])
    assert _labels(words) is words


@pytest.mark.parametrize("learnt", [["a"], ["", "a"]])
def test_what_was_learnt_from_decides_on_row_numbers_to_predict(capsys, tmp_path, learnt):
    """The column was left out of a file to predict, and then said to be lacking."""
    rows = pd.DataFrame({"": [17, 5, 9], "a": [1, 2, 3]}, dtype=str)[learnt]
    save_model(DummyClassifier().fit(rows, ["u", "v", "u"]), tmp_path / "m")
    pd.DataFrame({"": ["0", "1"], "a": ["1", "2"]}).to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(tmp_path / "m"), str(tmp_path / "new.csv")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_labels_with_decimal_commas_stay_as_they_are_written_and_a_quantity_is_refused():
    y = pd.Series(["1,0", "2,0", "NA"])
    assert _labels(y, ",").tolist()[:2] == ["1,0", "2,0"] and _labels(y, ",").isna().sum() == 1
    with pytest.raises(CommandError, match="no regression"):
        _labels(pd.Series([f"{i},5" for i in range(30)], name="y"), ",")


def test_an_empty_leaderboard_is_a_line(capsys):
    nothing = FinalModel(None, None, 0.5, "class_frequencies")
    board = leaderboard(History(Space({"candidate": ["svm"]}), 0), nothing).iloc[1:]
    _say_leaderboard(SimpleNamespace(leaderboard=lambda details: board))
    assert capsys.readouterr().out == "\nLeaderboard: empty, as no trial ended in time; raise --time-limit\n"


@pytest.mark.slow
def test_fit_then_predict(capsys, data, tmp_path):
    model = tmp_path / "model.joblib"
    assert main(["fit", str(data), "--target", "label", "--time-limit", "15", "--out", str(model)]) == 0
    out = capsys.readouterr().out
    assert "Leaderboard" in out and f"Model saved to {model}" in out and "trust" in out
    new = table(50, seed=1)[["old", "size", "colour"]].assign(more=1)
    new.loc[0, "colour"] = "mauve"
    new.to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(model), str(tmp_path / "new.csv"), "--out", str(tmp_path / "answer.csv")]) == 0
    answer = pd.read_csv(tmp_path / "answer.csv")
    assert list(answer) == ["prediction", "probability_no", "probability_yes"]
    assert len(answer) == 50
    fitted = load_model(model)
    np.testing.assert_array_equal(
        answer["prediction"], fitted.predict(read_csv(tmp_path / "new.csv")[["size", "colour", "old"]])
    )
    new.drop(columns="colour").rename(columns={"size": "sise"}).to_csv(tmp_path / "new.csv", index=False)
    assert "lacks the columns size, colour; did you mean 'sise'?" in fails(
        capsys, "predict", model, tmp_path / "new.csv"
    )


@pytest.mark.slow
def test_what_fit_refuses_is_one_line(capsys, tmp_path):
    path = tmp_path / "one_class.csv"
    table().assign(label="no").to_csv(path, index=False)
    line = fails(capsys, "fit", path, "--target", "label", "--time-limit", "15", "--out", tmp_path / "m")
    assert "class" in line


def run_module(*argv, cwd, shadow=""):
    """`python -m skauto` in a process of its own; packages in the folder `shadow` come before the installed ones."""
    path = os.pathsep.join([str(shadow), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "skauto", *map(str, argv)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path.strip(os.pathsep)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.slow
def test_predictions_are_printed_and_a_reader_that_has_gone_is_no_fault(data, tmp_path):
    model = tmp_path / "model.joblib"
    done = run_module("fit", data, "--target", "label", "--time-limit", 15, "--out", model, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = run_module("predict", model, data, cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.splitlines()[0] == "prediction,probability_no,probability_yes"
    assert len(printed.stdout.splitlines()) == 241
    assert printed.stderr == ""
    command = f"{sys.executable} -m skauto predict {model} {data} | true"
    unread = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (unread.returncode, unread.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.lightgbm
def test_demo(tmp_path):
    done = run_module("demo", "--time-limit", 20, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for word in (
        "Leaderboard",
        "lightgbm",
        "predicted",
        "actual purchase",
        "F1 0.",
        "AUC 0.",
        "AP 0.",
        "Model saved to",
    ):
        assert word in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines() if not line.startswith("Model saved to"))
    assert (tmp_path / "skauto_demo.joblib").is_file()
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_demo_without_libgomp_says_so_and_ends_well(tmp_path):
    shadow = tmp_path / "shadow" / "lightgbm"
    shadow.mkdir(parents=True)
    text = "libgomp.so.1: cannot open shared object file: No such file or directory"
    (shadow / "__init__.py").write_text(f"raise OSError({text!r})\n")
    done = run_module("demo", "--time-limit", 20, cwd=tmp_path, shadow=shadow.parent)
    assert done.returncode == 0, done.stderr
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "libgomp1" in line]
    assert len(lines) == 1, lines
    assert "Traceback" not in done.stderr
    assert "Model saved to" in done.stdout
