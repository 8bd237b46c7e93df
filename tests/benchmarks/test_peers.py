"""The comparison with other systems: which fits are missing, how a split reaches a process, ranks and means."""

import importlib.util
import json
import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import rankdata

from benchmarks import children, peers, peers_show

ROOT = Path(__file__).resolve().parents[2]
SCORES = ("f1", "ap", "auc", "balanced_accuracy", "log_loss")


def row(system="flaml", table="a", limit=60.0, seed=0, version="1", score=0.5, **more):
    """A line of a file of results."""
    key = {"table": table, "system": system, "time_limit": limit, "seed": seed, "version": version}
    costs = {"fit_seconds": 30.0, "predict_1_s": 0.02, "predict_10000_s": 0.5, "peak_mb": 400.0, "model_mb": 2.0}
    return {**key, **dict.fromkeys(SCORES, score), **costs, **more}


def failed(**more):
    """A line of a fit that failed, whose constant prediction scores .1."""
    full = row(**more)
    kept = {name: full[name] for name in ("table", "system", "time_limit", "seed", "version", "peak_mb")}
    return {**kept, "error": "killed after 240 s", "constant": dict.fromkeys(SCORES, 0.1)}


def entries(*systems):
    return [peers_show.Entry(system, 60.0) for system in systems]


class TestWhatIsMissing:
    versions = {"skauto": "abc", "skauto_list": "abc", "flaml": "2.7.0"}

    def wanted(self, limits=(15, 60)):
        return peers.wanted_runs(["a", "b"], [0, 1], limits, ["skauto", "skauto_list", "flaml"], self.versions)

    def test_a_system_without_limit_runs_once_a_split(self):
        runs = self.wanted()
        assert len(runs) == 2 * 2 * (2 * 2 + 1)
        assert {run["time_limit"] for run in runs if run["system"] == "skauto_list"} == {None}

    def test_what_the_file_has_is_skipped_and_the_rest_keeps_its_order(self):
        runs = self.wanted()
        assert peers.missing_runs(runs, runs[:7]) == runs[7:]
        assert peers.missing_runs(runs, json.loads(json.dumps(runs))) == []

    def test_another_version_limit_or_seed_is_another_fit(self):
        run = self.wanted()[0]
        others = [{**run, "version": "abd"}, {**run, "time_limit": 30.0}, {**run, "seed": 5}]
        assert peers.missing_runs([run], others) == [run]

    def test_failures_are_results_until_asked_again(self):
        run = self.wanted()[0]
        line = {**run, "error": "exit 1"}
        assert peers.missing_runs([run], [line]) == []
        assert peers.missing_runs([run], [line], retry=True) == [run]
        assert peers.missing_runs([run], [line, run], retry=True) == []

    def test_versions_of_rivals_are_those_of_their_files(self):
        pinned = {"autogluon_best": "1.6.3", "flaml": "2.7.0", "mljar": "1.3.2", "lightautoml": "0.4.2"}
        assert {system: peers.version_of(system) for system in pinned} == pinned


class TestRanks:
    def test_as_rankdata_has_them(self):
        scores = np.random.default_rng(0).integers(0, 4, size=(6, 4)) / 4
        rows = [
            row(system=f"s{i}", table=f"t{j}", score=scores[j, i], log_loss=-scores[j, i])
            for j in range(6)
            for i in range(4)
        ]
        frame = peers_show.frame_of(rows, entries("s0", "s1", "s2", "s3"))
        for score in SCORES:
            ranked = frame.assign(rank=peers_show.ranks(frame, score)).pivot(
                index="table", columns="entry", values="rank"
            )
            np.testing.assert_array_equal(ranked, rankdata(-scores, axis=1))

    def test_a_failure_is_last_even_where_a_constant_does_better(self):
        rows = [row(system="good", score=0.5), row(system="poor", score=0.01), failed(system="gone")]
        frame = peers_show.frame_of(rows, entries("good", "poor", "gone"))
        assert dict(zip(frame["entry"], peers_show.ranks(frame, "f1"), strict=True)) == {
            "good 60 s": 1,
            "poor 60 s": 2,
            "gone 60 s": 3,
        }


class TestMeans:
    def test_each_table_counts_the_same_and_only_shared_splits_do(self):
        rows = [row(system="x", table="a", seed=seed, score=0.2) for seed in range(3)]
        rows += [row(system="x", table="b", score=0.8), row(system="x", table="c", score=0.9)]
        rows += [row(system="y", table="a", seed=seed, score=0.4) for seed in (0, 1)] + [row(system="y", table="b")]
        frame = peers_show.frame_of(rows, entries("x", "y"))
        assert len(frame) == 6
        quality, costs = peers_show.summary(frame)
        assert quality["f1"].to_dict() == pytest.approx({"x 60 s": (0.2 + 0.8) / 2, "y 60 s": (0.4 + 0.5) / 2})
        assert quality["rank_f1"].to_dict() == {"x 60 s": 1.5, "y 60 s": 1.5}
        assert costs["used"].to_dict() == {"x 60 s": 0.5, "y 60 s": 0.5}

    def test_a_failure_counts_as_a_constant_prediction_and_has_no_costs(self):
        rows = [row(system="x", table="a", score=0.5), failed(system="x", table="b")]
        quality, costs = peers_show.summary(peers_show.frame_of(rows, entries("x")))
        assert quality.loc["x 60 s", "f1"] == pytest.approx(0.3)
        assert costs.loc["x 60 s", ["row_ms", "10000_s", "failed"]].tolist() == [20.0, 0.5, 1]

    def test_the_last_row_of_a_fit_counts(self):
        rows = [failed(system="x"), row(system="x", score=0.7), row(system="x", version="2", score=0.9)]
        last, first = (peers_show.frame_of(rows, [peers_show.Entry("x", 60.0, version)]) for version in (None, "1"))
        assert (last["f1"].tolist(), first["f1"].tolist()) == ([0.9], [0.7])

    def test_a_system_without_limit_stands_beside_each_limit(self):
        rows = [row(limit=15.0), row(limit=60.0), row(system="skauto_list", limit=None)]
        args = Namespace(entries=None, markdown=True, limits=None, tables=None, seeds=None, systems=None)
        text = peers_show.report(rows, args)
        assert [line.split(" | ")[0] for line in text.splitlines()].count("| skauto_list") == 2 * 2
        across = peers_show.Entry.read("flaml@15"), peers_show.Entry.read("skauto_list")
        text = peers_show.report([*rows, failed(limit=15.0, table="b")], Namespace(**{**vars(args), "entries": across}))
        assert text.startswith("flaml 15 s, skauto_list: means over 1 tables, 1 splits")


class TestScores:
    def test_a_constant_prediction(self):
        y = np.array([0] * 6 + [1] * 2)
        found = peers.measures(y, *peers.constant(y, len(y), 2))
        entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
        expected = {"f1": 0, "auc": 0.5, "ap": 0.25, "balanced_accuracy": 0.5, "log_loss": entropy}
        assert found == pytest.approx(expected)

    def test_the_positive_label_is_coded_last(self):
        codes, n_classes = peers.coded(np.array(["bad", "good", "bad"]), "bad")
        assert (codes.tolist(), n_classes) == ([1, 0, 1], 2)
        assert peers.coded(np.array([30, 10, 20]), None)[0].tolist() == [2, 0, 1]


class TestProcesses:
    def test_a_split_arrives_as_it_was(self, tmp_path):
        X = pd.DataFrame(
            {
                "whole": [3, 1, 2, 2],
                "part": [0.1 + 0.2, np.nan, 1e-300, 1 / 3],
                "said": ["NA", np.nan, '1"0,5', "007"],
                "yes": [True, False, True, True],
                "when": pd.to_datetime(["2020-01-01", None, "2020-02-03", "2021-01-01"]),
            }
        )
        settings = {"n_classes": 2, "time_limit": 9.0, "seed": 1, "cores": 2}
        peers.write_task(tmp_path, X, np.array([0, 1, 0, 1]), np.array([0, 2, 3]), np.array([1]), settings)
        task = load_child().read_task(tmp_path)
        expected = X.iloc[[0, 2, 3]].reset_index(drop=True).astype({"said": object})
        assert_frame_equal(task.X, expected, check_exact=True, check_dtype=False)
        assert task.X_test.iloc[0].isna().tolist() == [False, True, True, False, True]
        assert task.y.tolist() == [0, 0, 1]
        assert [task.columns(kind) for kind in ("text", "datetime")] == [["said"], ["when"]]

    def test_memory_and_words_of_a_process(self):
        script = "import time; a = bytearray(200_000_000); print('done'); time.sleep(0.6)"
        code, text, peak = children.watch([sys.executable, "-c", script], 60)
        assert (code, text) == (0, "done\n")
        assert peak > 200_000_000

    def test_a_hang_is_killed_with_what_it_started(self, tmp_path):
        inner = "import time; time.sleep(600)"
        script = (
            "import subprocess, sys, time, pathlib\n"
            f"child = subprocess.Popen([sys.executable, '-c', {inner!r}], start_new_session=True)\n"
            f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
            "time.sleep(600)"
        )
        code, _, _ = children.watch([sys.executable, "-c", script], 2)
        assert code is None
        inner_process = int((tmp_path / "pid").read_text())
        assert not psutil.pid_exists(inner_process) or psutil.Process(inner_process).status() == psutil.STATUS_ZOMBIE

    def test_an_environment_that_is_not_made_is_asked_for(self, tmp_path):
        args = peers.parse(["run", "--envs", str(tmp_path), "--data", str(tmp_path), "--systems", "flaml,skauto"])
        with pytest.raises(SystemExit, match="no environment of flaml in .*peers.py make"):
            peers.run_all(args)

    @pytest.mark.slow
    def test_a_real_fit_and_one_that_cannot_start(self, tmp_path):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({"a": rng.normal(size=120), "b": rng.choice(["x", "y"], size=120)})
        frame["target"] = np.where(frame["a"] + rng.normal(size=120) > 0.8, "yes", "no")
        frame.to_csv(tmp_path / "made.csv.gz", index=False)
        entry = {"file": "made.csv.gz", "kind": "tabular", "categorical": ["b"], "positive": "yes"}
        (tmp_path / "index.json").write_text(json.dumps({"made": entry}))
        (tmp_path / "flaml" / "bin").mkdir(parents=True)
        (tmp_path / "flaml" / "bin" / "python").symlink_to(sys.executable)
        out = tmp_path / "out.jsonl"
        command = ["run", "--envs", str(tmp_path), "--data", str(tmp_path), "--out", str(out), "--limits", "5"]
        args = peers.parse([*command, "--systems", "skauto_list,flaml"])
        peers.run_all(args)
        fitted, gone = map(json.loads, out.read_text().splitlines())
        assert fitted["auc"] > 0.5
        assert min(fitted[name] for name in ("fit_seconds", "predict_1_s", "predict_10000_s", "model_mb")) > 0
        assert gone["error"].startswith("exit 1: ModuleNotFoundError")
        began = time.monotonic()
        peers.run_all(args)
        assert time.monotonic() - began < 1
        assert len(out.read_text().splitlines()) == 2


def load_child():
    """peers/child.py, which the systems' scripts import from their own folder."""
    spec = importlib.util.spec_from_file_location("child", ROOT / "benchmarks" / "peers" / "child.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["child"] = module
    spec.loader.exec_module(module)
    return module
