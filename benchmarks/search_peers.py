"""The peers of search.py: other packages' strategies, and plain reference forms of well-known ones.

A peer is ``peer(task, seed, limit)`` and returns what it tried as three lists: costs, fidelities, scores.
"""

import math
import warnings

import numpy as np


def peers():
    """All peers by name."""
    return {
        "aging evolution, clip": lambda *run: aging_evolution(*run, bounds="clip"),
        "aging evolution, reflect": lambda *run: aging_evolution(*run, bounds="reflect"),
        "GA, genes drawn anew": resampling_ga,
        "Hyperband, continued": lambda *run: hyperband(*run, continued=True),
        "Hyperband, from scratch": lambda *run: hyperband(*run, continued=False),
        "Optuna TPE": lambda *run: optuna_sampler(*run, make=_default_tpe, flat=True),
        "Optuna TPE, branches": lambda *run: optuna_sampler(*run, make=_group_tpe, flat=False),
        "Optuna NSGA-II": lambda *run: optuna_sampler(*run, make=_nsga2, flat=True),
        "Optuna TPE + Hyperband": optuna_hyperband,
        "scikit-optimize GP": skopt_gp,
    }


def full(task, configurations):
    """Three lists for trials that all ran in full."""
    scores = [score for _, score in configurations]
    return [1.0] * len(scores), [1.0] * len(scores), scores


# --- Optuna ------------------------------------------------------------------------------------------------------


def _default_tpe(seed):
    import optuna

    return optuna.samplers.TPESampler(seed=seed)


def _group_tpe(seed):
    import optuna

    return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)


def _nsga2(seed):
    import optuna

    return optuna.samplers.NSGAIISampler(seed=seed, population_size=20)


def _study(sampler, pruner=None):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner or optuna.pruners.NopPruner())


def _suggest(trial, task, flat):
    """A configuration: all parameters, or those that the switching one turns on."""
    parents = {parent for parent, _ in task.surrogate.parents.values()}
    names = sorted(task.surrogate.params, key=lambda name: name not in parents)
    config = {}
    for name in names:
        parent, values = task.surrogate.parents.get(name, (None, ()))
        if flat or parent is None or config[parent] in values:
            config[name] = _suggest_one(trial, name, task.surrogate.params[name])
    return config


def _suggest_one(trial, name, info):
    if info["type"] == "categorical":
        return trial.suggest_categorical(name, info["choices"])
    suggest = trial.suggest_int if info["type"] == "int" else trial.suggest_float
    return suggest(name, info["lower"], info["upper"], log=info["log"])


def optuna_sampler(task, seed, limit, make, flat):
    """A sampler of Optuna; flat leaves the conditions to the surrogate, which ignores what is off."""
    study = _study(make(seed))
    study.optimize(lambda trial: task(_suggest(trial, task, flat)), n_trials=limit)
    return full(task, [(None, trial.value) for trial in study.trials])


def optuna_hyperband(task, seed, limit):
    """TPE under HyperbandPruner, reporting at 1/9 and 1/3: Optuna continues by its nature."""
    import optuna

    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=9, reduction_factor=3)
    study = _study(_default_tpe(seed), pruner)
    log = []

    def objective(trial):
        config, reached = _suggest(trial, task, flat=True), 0.0
        for step in (1, 3, 9):
            value = task(config, step / 9)
            log.append((step / 9 - reached, step / 9, value))
            reached = step / 9
            trial.report(value, step)
            if step < 9 and trial.should_prune():
                raise optuna.TrialPruned
        return value

    while math.fsum(cost for cost, *_ in log) < limit:
        study.optimize(objective, n_trials=1)
    return tuple(map(list, zip(*log, strict=True)))


# --- scikit-optimize ---------------------------------------------------------------------------------------------


def skopt_dimensions(task):
    """The flat space of a task for scikit-optimize, which knows no conditions."""
    from skopt.space import Categorical, Integer, Real

    dims = []
    for name, info in task.surrogate.params.items():
        if info["type"] == "categorical":
            dims.append(Categorical(info["choices"], name=name))
            continue
        kind = Integer if info["type"] == "int" else Real
        dims.append(kind(info["lower"], info["upper"], prior="log-uniform" if info["log"] else "uniform", name=name))
    return dims


def skopt_gp(task, seed, limit):
    """scikit-optimize's Optimizer with its Gaussian process, as BayesSearchCV uses it."""
    from skopt import Optimizer
    from threadpoolctl import threadpool_limits

    dims = skopt_dimensions(task)
    scores = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimizer = Optimizer(dims, base_estimator="GP", random_state=seed)
        for _ in range(limit):
            point = optimizer.ask()
            scores.append(task({dim.name: value for dim, value in zip(dims, point, strict=True)}))
            optimizer.tell(point, -scores[-1])
    return full(task, [(None, score) for score in scores])


# --- plain reference forms ---------------------------------------------------------------------------------------


def _units(task, rng):
    return dict(zip(task.surrogate.params, rng.random(len(task.surrogate.params)).tolist(), strict=True))


def _config(task, units):
    """Values of all parameters from numbers in [0, 1]."""
    config = {}
    for name, info in task.surrogate.params.items():
        unit = units[name]
        if info["type"] == "categorical":
            config[name] = info["choices"][min(int(unit * len(info["choices"])), len(info["choices"]) - 1)]
            continue
        low, high = info["lower"], info["upper"]
        value = low * (high / low) ** unit if info["log"] else low + unit * (high - low)
        config[name] = int(min(max(round(value), low), high)) if info["type"] == "int" else min(max(value, low), high)
    return config


def aging_evolution(task, seed, limit, bounds, population=20, tournament=5, step=0.2):
    """Real et al. 2019, algorithm 1: one active parameter of a tournament's winner is moved by a Gaussian step."""
    rng, known = np.random.default_rng(seed), []
    while len(known) < limit:
        if len(known) < population:
            units = _units(task, rng)
        else:
            entrants = rng.integers(len(known) - population, len(known), size=tournament)
            units = dict(max((known[i] for i in entrants), key=lambda pair: pair[1])[0])
            name = _active(task, units)[rng.integers(len(_active(task, units)))]
            units[name] = _moved(task.surrogate.params[name], units[name], step, bounds, rng)
        known.append((units, task(_config(task, units))))
    return full(task, known)


def _active(task, units):
    config = _config(task, units)
    parents = task.surrogate.parents
    return [name for name in units if name not in parents or config[parents[name][0]] in parents[name][1]]


def _moved(info, unit, step, bounds, rng):
    if info["type"] == "categorical":
        return float(rng.random())
    unit += rng.normal(0, step)
    if bounds == "clip":
        return float(min(max(unit, 0.0), 1.0))
    return float(1 - abs(1 - unit % 2))


def resampling_ga(task, seed, limit, population=20):
    """Generations; uniform crossover .8, one gene drawn anew with probability .1, tournaments of 3, two elites."""
    rng = np.random.default_rng(seed)
    known = [(units, task(_config(task, units))) for units in (_units(task, rng) for _ in range(population))]
    present = list(known)
    while len(known) < limit:
        children = []
        for _ in range(population - 2):
            one, other = (max((present[i] for i in rng.integers(population, size=3)), key=lambda p: p[1]) for _ in "ab")
            units = dict(one[0])
            if rng.random() < 0.8:
                units = {name: other[0][name] if rng.random() < 0.5 else unit for name, unit in units.items()}
            if rng.random() < 0.1:
                units[list(units)[rng.integers(len(units))]] = float(rng.random())
            children.append((units, task(_config(task, units))))
        known += children
        present = sorted(present, key=lambda p: -p[1])[:2] + children
    return full(task, known[:limit])


def hyperband(task, seed, limit, continued, factor=3, n_rungs=3):
    """Li et al. 2018, algorithm 1, over random configurations; brackets from the broadest on, again and again."""
    rng, log, s_max = np.random.default_rng(seed), [], n_rungs - 1
    while True:
        for s in range(s_max, -1, -1):
            n = math.ceil((s_max + 1) / (s + 1) * factor**s)
            rung = [_config(task, _units(task, rng)) for _ in range(n)]
            for i in range(s + 1):
                fidelity, below = (factor ** float(i - s), factor ** float(i - s - 1))
                values = [task(config, fidelity) for config in rung]
                cost = fidelity - below if continued and i else fidelity
                log += [(cost, fidelity, value) for value in values]
                order = np.argsort(values)[::-1][: max(1, len(rung) // factor)]
                rung = [rung[k] for k in order]
            if math.fsum(cost for cost, *_ in log) >= limit:
                return tuple(map(list, zip(*log, strict=True)))
