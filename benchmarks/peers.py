"""skauto beside other AutoML systems: the same splits on two cores, an environment and a process for each.

    python benchmarks/peers.py make --envs DIR
    python benchmarks/peers.py run --envs DIR --data DIR --out peers.jsonl --limits 60 --seeds 0
    python benchmarks/peers.py show --out peers.jsonl --limits 60 --markdown

`make` installs each rival into an environment of its own below DIR, with the versions of peers/requirements-*.txt.
`run` appends one JSON line a fit to the file of --out and skips what is there, so an interrupted run goes on. A crash,
a fit killed after three times its limit and a minute, and memory that is not enough are lines as well: a failure.
`show` prints what the file says, per table, as mean and as mean rank. peers/fit_*.py say how each system is asked.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, recall_score

sys.path.insert(0, str(Path(__file__).resolve().parent))
from children import watch
from peers_show import Entry, report
from tables import read_rows, read_table, scores, split_rows, table_names

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# Seconds until a fit without a limit is killed.
PATIENCE = 1_800.0
# Least probability in a log loss: a class called impossible costs 13.8, not more.
LEAST = 1e-6


@dataclass(frozen=True)
class System:
    """How a system is run: its environment (None: this one), its script with options, whether it takes a limit."""

    environment: str | None
    script: str
    options: tuple = ()
    has_limit: bool = True


SYSTEMS = {
    "skauto": System(None, "fit_skauto.py", ("search",)),
    "skauto_no_catboost": System(None, "fit_skauto.py", ("search", "-catboost")),
    "skauto_list": System(None, "fit_skauto.py", ("list",), has_limit=False),
    "autogluon_medium": System("autogluon", "fit_autogluon.py", ("medium_quality",)),
    "autogluon_best": System("autogluon", "fit_autogluon.py", ("best_quality",)),
    "flaml": System("flaml", "fit_flaml.py"),
    "mljar": System("mljar", "fit_mljar.py", ("Compete",)),
    "mljar_explain": System("mljar", "fit_mljar.py", ("Explain",)),
    "lightautoml": System("lightautoml", "fit_lightautoml.py"),
}
PACKAGES = {
    "autogluon": "autogluon.tabular",
    "flaml": "flaml",
    "mljar": "mljar-supervised",
    "lightautoml": "lightautoml",
}


def requirements(environment):
    """The file of the pinned versions of an environment."""
    return HERE / "peers" / f"requirements-{environment}.txt"


def version_of(system):
    """The pinned version of a rival; of our own, the commit that changed the package last, marked where it differs."""
    environment = SYSTEMS[system].environment
    if environment is not None:
        pin = rf"^{re.escape(PACKAGES[environment])}(\[.*\])?==(\S+)"
        return re.search(pin, requirements(environment).read_text(), re.MULTILINE | re.IGNORECASE).group(2)
    watched = ["benchmarks/floors.py"] if system == "skauto_list" else ["skauto"]
    changed = git("status", "--porcelain", "--", *watched)
    return git("log", "-1", "--format=%h", "--", *watched) + ("-changed" if changed else "")


def git(*arguments):
    """What git answers about this clone."""
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def make(args):
    """An environment for each rival asked for; one that was made of the file as it is now is left alone."""
    for name in sorted({SYSTEMS[system].environment for system in args.systems} - {None}):
        folder = (args.envs / name).resolve()
        stamp, wanted = folder / "installed.txt", requirements(name).read_text()
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        if not python_of(folder).exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python_of(folder), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*install, "--requirement", requirements(name)], check=True)
        stamp.write_text(wanted)
        say(f"{name}: {folder}")


def check_environments(args):
    """End with a clear word where an environment is not made, before anything runs."""
    needed = {SYSTEMS[system].environment for system in args.systems} - {None}
    lacking = sorted(name for name in needed if not python_of(args.envs / name).exists())
    if lacking:
        raise SystemExit(
            f"no environment of {', '.join(lacking)} in {args.envs}; make it with "
            f"'python benchmarks/peers.py make --envs {args.envs}', or leave the system out with --systems"
        )


def python_of(environment):
    """The interpreter of an environment; its links are not followed, they are what makes it one."""
    return Path(environment).absolute() / "bin" / "python"


def key_of(row):
    """What makes two rows the same fit."""
    return row["table"], row["system"], row["time_limit"], row["seed"], row["version"]


def wanted_runs(tables, seeds, limits, systems, versions):
    """Every fit asked for, table by table; a system without a limit comes once a split, with None."""
    runs = []
    for table in tables:
        for seed in seeds:
            for limit in limits:
                for system in systems:
                    time_limit = float(limit) if SYSTEMS[system].has_limit else None
                    run = {"table": table, "system": system, "time_limit": time_limit, "seed": seed}
                    runs.append({**run, "version": versions[system]})
    return list({key_of(run): run for run in runs}.values())


def missing_runs(runs, rows, retry=False):
    """Fits that the rows do not have; with `retry` also those that failed."""
    last = {key_of(row): row for row in rows}
    known = {key for key, row in last.items() if not (retry and "error" in row)}
    return [run for run in runs if key_of(run) not in known]


def run_all(args):
    """Every fit asked for that the file does not have, one after the other."""
    check_environments(args)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    versions = {system: version_of(system) for system in args.systems}
    runs = wanted_runs(args.tables or table_names(args.data), args.seeds, args.limits, args.systems, versions)
    for run in missing_runs(runs, read_rows(args.out), args.retry):
        row = {**run, "cores": args.cores, **run_one(run, args)}
        with args.out.open("a") as file:
            file.write(json.dumps(row, default=float) + "\n")
        say(line_of(row))


def run_one(run, args):
    """One fit: its measures, or the error that it ended with and the measures of a constant prediction."""
    X, y, positive = read_table(args.data, run["table"])
    codes, n_classes = coded(y, positive)
    train, test = split_rows(y, run["seed"])
    system = SYSTEMS[run["system"]]
    patience = 3 * run["time_limit"] + 60 if system.has_limit else PATIENCE
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        settings = {"n_classes": n_classes, "time_limit": run["time_limit"], "seed": run["seed"], "cores": args.cores}
        write_task(folder, X, codes, train, test, settings)
        is_fitting = lambda: not (folder / "fitted").exists()  # noqa: E731
        command = [*command_of(system, args.envs), folder, *system.options]
        code, text, peak = watch(command, patience, is_fitting, cwd=folder, env=environment_of(system))
        if code == 0:
            row = json.loads((folder / "row.json").read_text())
            answers = np.load(folder / "answers.npz")
            row |= measures(codes[test], answers["labels"], answers["probability"])
        else:
            row = {"error": reason(code, text, patience), "log": text[-1_500:]}
            row["constant"] = measures(codes[test], *constant(codes[train], len(test), n_classes))
    return {**row, "peak_mb": peak / 2**20}


def coded(y, positive):
    """Labels as numbers from 0, the positive one last; how many classes there are."""
    classes = [label for label in np.unique(y) if label != positive] + ([] if positive is None else [positive])
    return pd.Index(classes).get_indexer(y), len(classes)


def write_task(folder, X, codes, train, test, settings):
    """Write a split so that any version of pandas reads the same columns from it."""
    kinds = {str(name): kind_of(X[name]) for name in X}
    X.iloc[train].to_csv(folder / "train.csv", index=False)
    X.iloc[test].to_csv(folder / "test.csv", index=False)
    (folder / "labels.json").write_text(json.dumps(codes[train].tolist()))
    (folder / "task.json").write_text(json.dumps({"kinds": kinds, **settings}))


def kind_of(column):
    """int, float, bool, datetime or text."""
    types = pd.api.types
    if types.is_bool_dtype(column):
        return "bool"
    if types.is_datetime64_any_dtype(column):
        return "datetime"
    if types.is_numeric_dtype(column):
        return "int" if types.is_integer_dtype(column) else "float"
    return "text"


def command_of(system, environments):
    """Interpreter and script of a system."""
    own = system.environment is None
    return [sys.executable if own else python_of(environments / system.environment), HERE / "peers" / system.script]


def environment_of(system):
    """Variables of a system's process: our own runs this clone, a rival sees nothing of it."""
    variables = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return {**variables, "PYTHONPATH": str(ROOT)} if system.environment is None else variables


def measures(y, labels, probability):
    """F1, AP and AUC as tables.py has them, mean recall of the classes, and log loss (no probability below 1e-6)."""
    classes = np.arange(probability.shape[1])
    clipped = np.clip(probability, LEAST, None)
    return {
        **scores(y, labels, probability, classes, 1 if len(classes) == 2 else None),
        "balanced_accuracy": recall_score(y, labels, labels=np.unique(y), average="macro", zero_division=0),
        "log_loss": log_loss(y, clipped / clipped.sum(axis=1, keepdims=True), labels=classes),
    }


def constant(y, n_rows, n_classes):
    """The most frequent label and the shares of the classes, for every row."""
    shares = np.bincount(y, minlength=n_classes) / len(y)
    return np.full(n_rows, shares.argmax()), np.tile(shares, (n_rows, 1))


def reason(code, text, patience):
    """Why a fit failed, in one line."""
    if code is None:
        return f"killed after {patience:.0f} s"
    lines = [line for line in text.splitlines() if line.strip()]
    return f"exit {code}: {lines[-1][-300:] if lines else 'no word'}"


def line_of(row):
    """One row for the screen."""
    name = f"{row['table']:<16} {row['seed']} {row['system']:<17} {row['time_limit'] or '-':>5}"
    if "error" in row:
        return f"{name} failed: {row['error']}"
    figures = "  ".join(f"{measure} {row[measure]:.3f}" for measure in ("f1", "ap", "auc"))
    return f"{name} {figures}  {row['fit_seconds']:6.1f} s  {row['peak_mb']:6.0f} MB  {row['model_mb']:6.1f} MB saved"


def say(line):
    """A line on the screen at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show(args):
    """Print the tables of the results."""
    say(report(read_rows(args.out), args))


def parse(argv=None):
    """Arguments of the command line."""
    names = lambda text: text.split(",")  # noqa: E731
    numbers = lambda kind: lambda text: [kind(part) for part in text.split(",")]  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    makes, runs, shows = (commands.add_parser(name) for name in ("make", "run", "show"))
    for command in (makes, runs):
        command.add_argument("--envs", type=Path, required=True, help="folder of the rivals' environments")
        command.add_argument("--systems", type=names, default=list(SYSTEMS), help=f"of {','.join(SYSTEMS)}")
    for command in (runs, shows):
        command.add_argument("--out", type=Path, default=Path("peers.jsonl"), help="JSON-lines file of the results")
        command.add_argument("--tables", type=names, help="comma-separated names (default: all)")
    runs.add_argument("--data", type=Path, required=True, help="folder of tables with an index.json")
    runs.add_argument("--limits", type=numbers(float), default=[60.0], help="seconds, comma-separated")
    runs.add_argument("--seeds", type=numbers(int), default=[0], help="of the splits, comma-separated")
    runs.add_argument("--cores", type=int, default=2)
    runs.add_argument("--retry", action="store_true", help="do once more what failed")
    shows.add_argument("--limits", type=numbers(float), help="seconds to show (default: all)")
    shows.add_argument("--seeds", type=numbers(int), help="splits to show (default: those that every system has)")
    shows.add_argument("--systems", type=names, help="systems to show (default: all)")
    shows.add_argument(
        "--entries",
        type=lambda text: [Entry.read(part) for part in text.split(",")],
        help="one table of SYSTEM@LIMIT or SYSTEM@LIMIT@VERSION, comma-separated, instead of one for each limit",
    )
    shows.add_argument("--markdown", action="store_true", help="print tables for a page")
    args = parser.parse_args(argv)
    unknown = set(args.systems or []) - set(SYSTEMS)
    if unknown:
        parser.error(f"unknown system {', '.join(sorted(unknown))}; there are {', '.join(SYSTEMS)}")
    return args


def main():
    """Make the environments, run, or show."""
    args = parse()
    {"make": make, "run": run_all, "show": show}[args.command](args)


if __name__ == "__main__":
    main()
