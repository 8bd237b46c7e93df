"""The tables of search.py: normalised regret, ranks, and settings chosen leaving one instance out."""

import numpy as np

POINTS = (25, 50, 100)
WORST = 3.0  # a cap: nothing in full yet, or far below random search
FLOOR = "skauto random"


def regrets(lines):
    """{system: array of shape (tasks, seeds, points)} of normalised regret, of the systems that ran everything."""
    tasks = sorted({line["task"] for line in lines})
    seeds = sorted({line["seed"] for line in lines})
    table = {}
    for line in lines:
        table.setdefault(line["system"], {})[line["task"], line["seed"]] = line["best"]
    table = {name: runs for name, runs in table.items() if len(runs) == len(tasks) * len(seeds)}
    values = {
        name: np.array([[[runs[t, s][str(p)] for p in POINTS] for s in seeds] for t in tasks], dtype=float)
        for name, runs in table.items()
    }
    best = np.max([v[:, :, -1].max(axis=1) for v in values.values()], axis=0)[:, None, None]
    floor = np.array([np.mean([table[FLOOR][t, s]["10"] for s in seeds]) for t in tasks])[:, None, None]
    return {name: np.minimum((best - v) / (best - floor), WORST) for name, v in values.items()}


def table(lines):
    """Rows of mean regret, mean rank at the last point, and CPU seconds of a run; the best at the last point first."""
    found = regrets(lines)
    names = list(found)
    last = np.array([found[name][:, :, -1].ravel() for name in names])
    beaten = (last[:, None] > last[None]).sum(axis=1) + ((last[:, None] == last[None]).sum(axis=1) + 1) / 2
    ranks = dict(zip(names, beaten.mean(axis=1), strict=True))
    rows = ["| system | @25 | @50 | @100 | rank @100 | CPU s a run |", "|---|---|---|---|---|---|"]
    for name in sorted(names, key=lambda name: found[name][:, :, -1].mean()):
        seconds = np.mean([line["seconds"] for line in lines if line["system"] == name])
        cells = [f"{x:.3f}" for x in found[name].mean(axis=(0, 1))] + [f"{ranks[name]:.1f}", f"{seconds:.2f}"]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows


def differences(lines, one, others):
    """Rows of mean regret of one system less that of others, with the standard error over instances and seeds."""
    found = regrets(lines)
    rows = []
    for other in others:
        gaps = (found[one] - found[other]).reshape(-1, len(POINTS))
        errors = gaps.std(axis=0, ddof=1) / len(gaps) ** 0.5
        cells = " | ".join(f"{gap:+.3f} ± {error:.3f}" for gap, error in zip(gaps.mean(axis=0), errors, strict=True))
        rows.append(f"| {one} less {other} | {cells} |")
    return rows


def leave_one_out(lines, prefix):
    """Regret where each instance gets the setting that is best on all others; settings are systems of one prefix.

    Returns
    -------
    regret : ndarray of shape (points,)
        Mean over instances and seeds.
    chosen : list of str
        The setting of each instance.
    """
    found = {name: values for name, values in regrets(lines).items() if name.startswith(prefix)}
    names = list(found)
    means = np.array([found[name].mean(axis=1) for name in names])  # settings, tasks, points
    rest = means.sum(axis=1, keepdims=True) - means
    picks = rest.sum(axis=2).argmin(axis=0)
    regret = np.mean([means[pick, task] for task, pick in enumerate(picks)], axis=0)
    return regret, [names[pick] for pick in picks]
