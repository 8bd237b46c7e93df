"""Six made spaces of branches, each with parameters of its own, for branches.py: cheap formulas with known best values.

A space is a dict of branches, a branch a dict of parameters: ``("float", low, high)``, ``("log", low, high)``,
``("int", low, high)`` or a list of choices. A task's function takes the branch's name and its parameters and gives a
score whose best value is 0, so minus the score is the regret.
"""

import math

from scipy.stats import loguniform, randint, uniform


def _off(value, best, width=1.0):
    """The squared distance from the best value."""
    return ((value - best) / width) ** 2


def _decades(value, best):
    """The squared distance from the best value in powers of ten."""
    return _off(math.log10(value), math.log10(best))


def kernels(branch, p):
    """Support vectors: three kernels, two of them with C and gamma along a slope."""
    if branch == "rbf":
        slope = math.log10(p["C"]) + math.log10(p["gamma"])
        return -0.08 * _off(slope, -0.7) - 0.08 * _decades(p["C"], 40)
    if branch == "poly":
        slope = math.log10(p["C"]) + math.log10(p["gamma"])
        return -0.5 - 0.05 * _off(slope, -1.2) - 0.05 * _decades(p["gamma"], 0.2) - 0.05 * abs(p["degree"] - 3)
    return -0.8 - 0.04 * _decades(p["C"], 3) - 0.08 * _decades(p["gamma"], 0.01) - 0.05 * abs(p["coef0"])


def learners(branch, p):
    """Four learners with two to four parameters each, of all types."""
    if branch == "forest":
        return -0.1 - 0.004 * abs(p["depth"] - 18) - 0.3 * _off(p["features"], 0.4) - 0.01 * p["leaf"]
    if branch == "boosting":
        rate = 0.1 * _decades(p["lr"], 0.05) + 0.05 * _decades(p["rounds"], 300)
        return -rate - 0.05 * _decades(p["leaves"], 24) - 0.02 * _decades(p["l2"], 1.0)
    if branch == "neighbours":
        return -0.35 - 0.05 * _decades(p["k"], 15) - 0.1 * (p["metric"] != "cosine")
    return -0.1 - 0.08 * _decades(p["lr"], 0.003) - 0.04 * _decades(p["width"], 200) - 0.5 * _off(p["dropout"], 0.2)


def optimisers(branch, p):
    """Three optimisers on log scales, each with a narrow best learning rate."""
    if branch == "sgd":
        return -0.6 - 0.1 * _decades(p["lr"], 0.5) - _off(p["momentum"], 0.9) - 0.1 * (p["nesterov"] == "no")
    if branch == "adam":
        return -0.15 * _decades(p["lr"], 0.002) - 2 * _off(p["beta"], 0.85) - 0.04 * _decades(p["decay"], 1e-3)
    return -0.4 - 0.2 * _decades(p["lr"], 0.01) - 0.5 * _off(p["memory"], 0.6)


def narrow(branch, p):
    """Three branches of steep bowls of other depth, the deepest with the most parameters."""
    if branch == "wide":
        return -2.0 - 2.0 * (_off(p["a"], 0.5) + _off(p["b"], 0.5))
    if branch == "middle":
        return -1.6 - 2.0 * (_off(p["c"], 0.7) + _off(p["d"], 0.2)) - 0.2 * (p["kind"] != "soft")
    return -3.0 * (_off(p["e"], 0.3) + _off(p["f"], 0.6) + _off(p["g"], 0.8))


def choices(branch, p):
    """Three pipelines of listed choices and a number or two."""
    if branch == "text":
        kinds = 0.2 * (p["grams"] != "char") + 0.1 * (p["norm"] != "l2")
        return -kinds - 0.03 * _off(math.log2(p["features"]), 14, 1.5) - 0.1 * _decades(p["C"], 5)
    if branch == "embed":
        kinds = 0.15 * (p["pool"] != "mean") + 0.15 * (p["model"] not in ("b", "c"))
        return -0.7 - kinds - 0.1 * _off(p["layer"], 9, 3)
    return -0.8 - 0.1 * (p["hash"] != "signed") - 0.1 * _off(p["bits"], 17, 3)


def surfaces(branch, p):
    """Five branches, each another function of three numbers: bowls, a ridge, waves with many local maxima."""
    x, y, z = (4 * p[name] - 2 for name in sorted(p))
    if branch == "bowl":
        return -0.25 * (_off(x, 0.5) + _off(y, -0.5) + _off(z, 1.0))
    if branch == "valley":
        return -1.0 - 0.05 * (4 * (y - x * x / 2) ** 2 + (1 - x) ** 2 + 0.5 * z * z)
    if branch == "waves":
        return -0.8 - sum(0.08 * (u - 0.4) ** 2 + 0.05 * (1 - math.cos(5 * (u - 0.4))) for u in (x, y, z))
    if branch == "ridge":
        return -0.7 - 0.2 * abs(x + y) - 0.1 * abs(z)
    return -1.2 - 0.05 * (x * x + y * y + z * z)


SPACES = {
    "kernels": {
        "rbf": {"C": ("log", 1e-3, 1e4), "gamma": ("log", 1e-5, 1e1)},
        "poly": {"C": ("log", 1e-4, 1e2), "gamma": ("log", 1e-4, 1e1), "degree": ("int", 2, 7)},
        "sigmoid": {"C": ("log", 1e-3, 1e3), "gamma": ("log", 1e-6, 1e0), "coef0": ("float", -1.0, 1.0)},
    },
    "learners": {
        "forest": {"depth": ("int", 2, 40), "features": ("float", 0.05, 1.0), "leaf": ("int", 1, 20)},
        "boosting": {
            "lr": ("log", 1e-3, 1.0), "rounds": ("log", 10, 2000), "leaves": ("log", 4, 512), "l2": ("log", 1e-3, 1e2),
        },
        "neighbours": {"k": ("log", 1, 200), "metric": ["l1", "l2", "cosine", "hamming"]},
        "network": {"lr": ("log", 1e-5, 1e0), "width": ("log", 8, 1024), "dropout": ("float", 0.0, 0.8)},
    },
    "optimisers": {
        "sgd": {"lr": ("log", 1e-5, 1e1), "momentum": ("float", 0.0, 0.99), "nesterov": ["no", "yes"]},
        "adam": {"lr": ("log", 1e-5, 1e1), "beta": ("float", 0.5, 0.99), "decay": ("log", 1e-6, 1e0)},
        "lbfgs": {"lr": ("log", 1e-4, 1e1), "memory": ("float", 0.0, 1.0)},
    },
    "narrow": {
        "wide": {"a": ("float", 0, 1), "b": ("float", 0, 1)},
        "middle": {"c": ("float", 0, 1), "d": ("float", 0, 1), "kind": ["soft", "hard", "none"]},
        "deep": dict.fromkeys("efg", ("float", 0, 1)),
    },
    "choices": {
        "text": {
            "grams": ["word", "char", "both"], "norm": ["l1", "l2", "max", "none"], "features": ("log", 2**8, 2**18),
            "C": ("log", 1e-3, 1e3),
        },
        "embed": {"pool": ["mean", "max", "first"], "model": ["a", "b", "c", "d", "e"], "layer": ("int", 1, 12)},
        "hashed": {"hash": ["signed", "plain"], "bits": ("int", 8, 22)},
    },
    "surfaces": {
        branch: {f"{branch[0]}{i}": ("float", 0, 1) for i in range(3)}
        for branch in ("bowl", "valley", "waves", "ridge", "flat")
    },
}  # fmt: skip
FUNCTIONS = {
    "kernels": kernels, "learners": learners, "optimisers": optimisers, "narrow": narrow, "choices": choices,
    "surfaces": surfaces,
}  # fmt: skip


def _distribution(given):
    if isinstance(given, list):
        return given
    kind, low, high = given
    if kind == "int":
        return randint(low, high + 1)
    return loguniform(low, high) if kind == "log" else uniform(low, high - low)


class Task:
    """A space with its function.

    Attributes
    ----------
    space : list of dict
        In scikit-learn's form, the branch's name in the parameter "branch".
    """

    def __init__(self, name):
        self.name = name
        self.branches = SPACES[name]
        self.function = FUNCTIONS[name]
        self.space = [
            {"branch": [branch], **{key: _distribution(given) for key, given in dims.items()}}
            for branch, dims in self.branches.items()
        ]

    def __call__(self, params):
        own = dict(params)
        return self.function(own.pop("branch"), own)

    def suggest(self, trial):
        """The score of what a trial of Optuna suggests; each branch's parameters have names of their own there."""
        branch = trial.suggest_categorical("branch", list(self.branches))
        own = {key: _suggest(trial, f"{branch}_{key}", given) for key, given in self.branches[branch].items()}
        return self.function(branch, own)


def _suggest(trial, name, given):
    if isinstance(given, list):
        return trial.suggest_categorical(name, given)
    kind, low, high = given
    if kind == "int":
        return trial.suggest_int(name, low, high)
    return trial.suggest_float(name, low, high, log=kind == "log")
