"""Every strategy and its peers on surrogates of real tuning tables: normalised regret after 25, 50 and 100 evaluations.

    python benchmarks/search.py run --data DIR --out search.jsonl             # all systems; --systems "a;b" for some
    python benchmarks/search.py settings --data DIR --out settings.jsonl      # settings, leaving one instance out
    python benchmarks/search.py report --out search.jsonl                     # the tables
    python benchmarks/search.py run --data DIR --out reflect.jsonl --bounds reflect
    python benchmarks/search.py run --data DIR --out pipelines.jsonl --pipelines   # DIR: a folder of tables

`--data` is a folder with a `surrogate.py` as benchmarks/README.md describes. Each call is charged its fidelity, a
continued trial the difference; only scores at fidelity 1 count. Regret: 0 is the best score that any system of the run
saw on the instance, 1 what random search has after 10 evaluations (mean over the seeds).
"""

import argparse
import itertools
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.search_peers import peers
from benchmarks.search_report import POINTS, differences, leave_one_out, regrets, table
from benchmarks.search_tasks import Budgeted, Task, curve, load_suite, spent
from skauto.search import TPE, Auto, GaussianProcess, Genetic, Random, maximize
from skauto.search.strategies._names import STRATEGIES, make_strategy

MIN_FIDELITY = 1 / 9
ENDLESS = 10**6
RIVALS = {
    "skauto auto": ["Optuna TPE", "Optuna TPE, branches", "aging evolution, clip", "aging evolution, reflect"],
    "skauto auto, full trials": ["Optuna TPE", "aging evolution, clip", "skauto random"],
    "skauto gp": ["Optuna TPE", "aging evolution, clip", "skauto random"],
    "skauto tpe": ["Optuna TPE", "Optuna TPE, branches"],
    "skauto genetic": ["GA, genes drawn anew", "Optuna NSGA-II", "aging evolution, clip", "aging evolution, reflect"],
    "skauto hyperband": ["Hyperband, continued", "Hyperband, from scratch"],
    "skauto bohb": ["Optuna TPE + Hyperband"],
    "skauto bayes": ["scikit-optimize GP"],
}


def say(*words):
    """One line of output, at once."""
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def own(strategy):
    """A system that runs a strategy of skauto."""

    def system(task, seed, limit):
        settings = {"n_iter": ENDLESS, "fidelity": MIN_FIDELITY, "random_state": seed}
        history = maximize(task, task.space, strategy=Budgeted(strategy, limit, task.continues), **settings)
        scores = [history.result(trial.number).score for trial in history.trials]
        return spent(history, task.continues), [trial.fidelity for trial in history.trials], scores

    return system


def systems(bounds):
    """All systems of a run by name; `bounds` is what our steps do at an end of a range, "clip" or "reflect"."""
    mine = {name: make_strategy(name, MIN_FIDELITY) for name in STRATEGIES if name != "grid"}
    mine["genetic, age"] = Genetic(survival="age")
    mine["auto, full trials"] = Auto()
    for strategy in mine.values():
        if hasattr(strategy, "bounds"):
            strategy.bounds = bounds
    return {f"skauto {name}": own(strategy) for name, strategy in mine.items()} | peers()


def settings():
    """Settings to choose from, leaving one instance out, and random search for the scale."""
    found = {"skauto random": Random()}
    for good, width in itertools.product((0.1, 0.2), (0.05, 0.1, 0.2)):
        found[f"tpe gamma={good} bandwidth={width}"] = TPE(gamma=good, bandwidth=width)
    for n_initial, n_candidates in itertools.product((6, 10), (200, 600)):
        settings = {"n_initial": n_initial, "n_candidates": n_candidates}
        found[f"gp n_initial={n_initial} n_candidates={n_candidates}"] = GaussianProcess(**settings)
    for step, crossover in itertools.product((0.1, 0.2), (0.0, 0.5)):
        found[f"genetic step={step} crossover={crossover}"] = Genetic(step=step, crossover=crossover)
    return {name: own(strategy) for name, strategy in found.items()}


def run(tasks, chosen, out, seeds, limit):
    """Append a line a run to a file, leaving out what it has."""
    path = Path(out)
    done = {(line["system"], line["task"], line["seed"]) for line in read(path)}
    for name, system in chosen.items():
        start = time.perf_counter()
        for task, seed in itertools.product(tasks, range(seeds)):
            if (name, task.name, seed) not in done:
                line = {"system": name, "task": task.name, "seed": seed, **measure(system, task, seed, limit)}
                with path.open("a") as file:
                    file.write(json.dumps(line) + "\n")
        say(f"{name}: {time.perf_counter() - start:.0f} s")


def measure(system, task, seed, limit):
    """CPU seconds of a run, its number of trials and the best score at each point of the budget."""
    start = time.process_time()
    costs, fidelities, scores = system(task, seed, limit)
    seconds, points = time.process_time() - start, [10, *POINTS]
    best = dict(zip(points, curve(costs, fidelities, scores, points), strict=True))
    return {"seconds": seconds, "n_trials": len(scores), "best": best}


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def report(lines):
    """All tables of a file."""
    for row in table(lines):
        say(row)
    names = list(regrets(lines))
    for one, others in RIVALS.items():
        if one in names:
            for row in differences(lines, one, [other for other in others if other in names]):
                say(row)
    for prefix in sorted({name.split()[0] for name in names} & {"tpe", "gp", "genetic"}):
        regret, chosen = leave_one_out(lines, prefix + " ")
        say(f"{prefix}, leaving one instance out:", " ".join(f"{x:.3f}" for x in regret), sorted(set(chosen)))


def tasks_of(args):
    """The surrogates of a folder, or the pipelines over its tables."""
    if not args.pipelines:
        return load_suite(args.data)
    from search_pipelines import suite

    return [Task(score, continues=False) for score in suite(args.data)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "settings", "report"])
    parser.add_argument("--data", help="the folder of the surrogates")
    parser.add_argument("--out", default="search.jsonl", help="a line a run; what is in it is not run again")
    parser.add_argument("--systems", help="names, separated by semicolons")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=100, help="full evaluations")
    parser.add_argument("--pipelines", action="store_true", help="six real pipelines instead of the surrogates")
    parser.add_argument("--bounds", choices=["clip", "reflect"], default="clip")
    args = parser.parse_args()
    if args.what != "report":
        known = systems(args.bounds) if args.what == "run" else settings()
        chosen = {name: known[name] for name in args.systems.split(";")} if args.systems else known
        run(tasks_of(args), chosen, args.out, args.seeds, args.limit)
    report([line for line in read(Path(args.out)) if line["seed"] < args.seeds])


if __name__ == "__main__":
    main()
