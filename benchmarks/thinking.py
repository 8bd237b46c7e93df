"""What a strategy's own thinking costs, beside its peers, on one thread: CPU seconds of one tell and ask.

    python benchmarks/thinking.py                # all; --repeats 5, --only bayes,tpe,genetic,growth

Ten mixed parameters (four real ones on a log scale, three integers, three lists of four choices), a noisy bowl. Systems
take turns, tell and ask after tell and ask; a ratio is of the medians. `growth` is the cost of the asks 4,500 to 5,000
over that of the asks 500 to 1,000.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
from scipy.stats import loguniform, randint
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from skauto.search import TPE, Bayes, GaussianProcess, Genetic, Random, Space
from skauto.search._history import History
from skauto.search._trial import Result, Status, Trial

REAL, WHOLE, LISTS = [f"r{i}" for i in range(4)], [f"w{i}" for i in range(3)], [f"c{i}" for i in range(3)]
SPACE = Space(
    {name: loguniform(1e-4, 1e2) for name in REAL}
    | {name: randint(1, 100) for name in WHOLE}
    | {name: ["a", "b", "c", "d"] for name in LISTS}
)


def say(*words):
    """One line of output, at once."""
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def bowl(values, rng):
    """A score of real parameters: highest in the middle, with noise."""
    height = -sum(np.log10(values[name] * 10) ** 2 for name in REAL) - sum(
        (values[name] / 50 - 1) ** 2 for name in WHOLE
    )
    return float(height + sum(values[name] == "b" for name in LISTS) + rng.normal(0, 0.1))


class Own:
    """A strategy of skauto that has seen n random trials."""

    def __init__(self, strategy, n, seed):
        self.strategy, self.rng = strategy, np.random.default_rng(seed)
        self.history = History(SPACE, seed)
        for number in range(n):
            self.history.asked(Trial(number, SPACE.sample(self.rng)))
            self._tell()
        strategy.ask(self.history, 1)

    def _tell(self):
        trial = self.history.trials[-1]
        score = bowl(SPACE.decode(trial.params), self.rng)
        self.history.told(Result(trial.number, Status.COMPLETE, score))

    def turn(self):
        """CPU seconds of one ask and tell."""
        start = time.process_time()
        (trial,) = self.strategy.ask(self.history, 1)
        self.history.asked(trial)
        self._tell()
        return time.process_time() - start


class Skopt:
    """scikit-optimize's Optimizer with its Gaussian process."""

    def __init__(self, n, seed):
        from skopt import Optimizer
        from skopt.space import Categorical, Integer, Real

        self.rng = np.random.default_rng(seed)
        dims = [Real(1e-4, 1e2, prior="log-uniform", name=name) for name in REAL]
        dims += [Integer(1, 99, name=name) for name in WHOLE]
        dims += [Categorical(["a", "b", "c", "d"], name=name) for name in LISTS]
        self.names = [dim.name for dim in dims]
        self.optimizer = Optimizer(dims, base_estimator="GP", random_state=seed)
        points = self.optimizer.space.rvs(n, random_state=seed)
        self.optimizer.tell(points, [-self._score(point) for point in points])

    def _score(self, point):
        return bowl(dict(zip(self.names, point, strict=True)), self.rng)

    def turn(self):
        start = time.process_time()
        point = self.optimizer.ask()
        self.optimizer.tell(point, -self._score(point))
        return time.process_time() - start


class Optuna:
    """Optuna's TPE as it comes."""

    def __init__(self, n, seed):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.rng = np.random.default_rng(seed)
        self.study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=seed))
        for _ in range(n):
            self.turn()
        self.study.sampler = optuna.samplers.TPESampler(seed=seed)

    def turn(self):
        start = time.process_time()
        trial = self.study.ask()
        values = {name: trial.suggest_float(name, 1e-4, 1e2, log=True) for name in REAL}
        values |= {name: trial.suggest_int(name, 1, 99) for name in WHOLE}
        values |= {name: trial.suggest_categorical(name, ["a", "b", "c", "d"]) for name in LISTS}
        self.study.tell(trial, bowl(values, self.rng))
        return time.process_time() - start


def compare(title, one, other, repeats):
    """A line with the median seconds of both and their ratio; they take turns."""
    turns = [(one.turn(), other.turn()) for _ in range(repeats)]
    mine, theirs = (median(column) for column in zip(*turns, strict=True))
    say(f"{title}: {1000 * mine:.2f} ms to {1000 * theirs:.2f} ms, ratio {mine / theirs:.3f}")


def growth(name, strategy, seed):
    """A line with what late asks cost beside early ones."""
    system = Own(strategy, 0, seed)
    seconds = [system.turn() for _ in range(5000)]
    early, late = sum(seconds[500:1000]), sum(seconds[4500:])
    say(f"{name}: {sum(seconds):.2f} s for 5,000; asks 4,500-5,000 over asks 500-1,000: {late / early:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="bayes,gp,tpe,genetic,growth")
    args = parser.parse_args()
    chosen = args.only.split(",")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in (50, 100):
            for name, strategy in (("bayes", Bayes()), ("gp", GaussianProcess())):
                if name in chosen:
                    compare(f"{name} to scikit-optimize at {n}", Own(strategy, n, 0), Skopt(n, 0), args.repeats)
        for name, strategy in (("tpe", TPE()), ("genetic", Genetic())):
            if name in chosen:
                compare(f"{name} to Optuna's TPE at 200", Own(strategy, 200, 0), Optuna(200, 0), 4 * args.repeats)
        if "growth" in chosen:
            growth("random", Random(), 0)
            growth("genetic", Genetic(), 0)


if __name__ == "__main__":
    main()
