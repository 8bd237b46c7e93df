"""Strategies on six made spaces of branches, beside Optuna's TPE and random search: regret after 60 and 200 trials.

    python benchmarks/branches.py run --out branches.jsonl       # what is in the file is not run again
    python benchmarks/branches.py report --out branches.jsonl

Regret is how far the best trial so far is below the best there is. A seed is one run of every system on every space,
and differences are paired by it.
"""

import argparse
import itertools
import json
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.branch_tasks import SPACES, Task
from skauto.search import TPE, Auto, Random, maximize

POINTS = (60, 200)
PEER, FLOOR = "Optuna TPE", "skauto random"


def own(strategy):
    """A system that runs a strategy of skauto."""

    def system(task, seed):
        history = maximize(task, task.space, strategy=strategy, n_iter=max(POINTS), random_state=seed)
        return [history.result(trial.number).score for trial in history.trials]

    return system


def optuna_tpe(**settings):
    """A system that runs Optuna's TPE."""

    def system(task, seed):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, **settings)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(task.suggest, n_trials=max(POINTS))
        return [trial.value for trial in study.trials]

    return system


SYSTEMS = {
    FLOOR: own(Random()),
    PEER: optuna_tpe(),
    "Optuna TPE, grouped": optuna_tpe(multivariate=True, group=True),
    "skauto tpe": own(TPE()),
    "skauto auto": own(Auto()),
}


def run(path, systems, seeds):
    """Append a line a run to a file, leaving out what it has."""
    done = {(line["system"], line["task"], line["seed"]) for line in read(path)}
    for seed, name, system in itertools.product(range(seeds), SPACES, systems):
        if (system, name, seed) in done:
            continue
        best = np.maximum.accumulate(SYSTEMS[system](Task(name), seed))
        line = {"system": system, "task": name, "seed": seed, "regret": {n: -float(best[n - 1]) for n in POINTS}}
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def report(lines):
    """Rows of mean regret by space, and of differences to the peer in parts of random search's regret."""
    seeds = sorted({line["seed"] for line in lines})
    found = {}
    for line in lines:
        values = [line["regret"][str(n)] for n in POINTS]
        found.setdefault(line["system"], {})[line["task"], line["seed"]] = values
    tables = {
        name: np.array([[runs[task, seed] for seed in seeds] for task in SPACES])
        for name, runs in found.items()
        if len(runs) == len(SPACES) * len(seeds)
    }
    floor = tables[FLOOR].mean(axis=1, keepdims=True)
    for index, point in enumerate(POINTS):
        yield f"regret after {point} trials, mean of {len(seeds)} seeds; last: mean of its parts of random search's"
        yield f"| system | {' | '.join(SPACES)} | of random's |"
        yield "|---" * (len(SPACES) + 2) + "|"
        for name, table in tables.items():
            cells = [f"{x:.4f}" for x in table.mean(axis=1)[:, index]]
            yield f"| {name} | {' | '.join(cells)} | {(table / floor).mean(axis=(0, 1))[index]:.3f} |"
    for name, peer in itertools.product([name for name in tables if name.startswith("skauto")], tables):
        if name == peer or peer.startswith("skauto"):
            continue
        gaps = ((tables[name] - tables[peer]) / floor).mean(axis=0)
        error = gaps.std(axis=0, ddof=1) / len(seeds) ** 0.5
        cells = [f"{gap:+.3f} ± {e:.3f}" for gap, e in zip(gaps.mean(axis=0), error, strict=True)]
        yield f"| {name} less {peer} | {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "report"])
    parser.add_argument("--out", default="branches.jsonl", type=Path)
    parser.add_argument("--systems", help="names, separated by semicolons")
    parser.add_argument("--seeds", type=int, default=15)
    args = parser.parse_args()
    if args.what == "run":
        run(args.out, args.systems.split(";") if args.systems else list(SYSTEMS), args.seeds)
    for row in report([line for line in read(args.out) if line["seed"] < args.seeds]):
        sys.stdout.write(row + "\n")


if __name__ == "__main__":
    main()
