"""Accuracy on sequences: AutoClassifier, minGRU, minLSTM, MiniRocket with ridge, LightGBM on summaries, and aeon.

    python benchmarks/sequences.py --data DIR --seeds 3
    python benchmarks/sequences.py --data DIR --systems "aeon MiniRocket"     # in an environment that has aeon

Train and test rows are the official ones. CPU seconds are those of fit and predict in this process, on one thread;
AutoClassifier works in processes of its own, so for it only wall seconds mean something, and --time-limit bounds them.
benchmarks/README.md says where the data comes from and what the folder holds.
"""

import argparse
import functools
import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ALPHAS = np.logspace(-3, 3, 10)


def read_sequences(root, name):
    """Training X, y and test X, y; X is (rows, time, features), padded at the end with NaN."""
    meta = json.loads((root / "index.json").read_text())[name]
    with np.load(root / meta["file"], allow_pickle=False) as parts:
        return [
            parts[key] if key[0] == "y" else parts[key].transpose(0, 2, 1) for key in ("X", "y", "X_test", "y_test")
        ]


def sequence_names(root):
    """All sequence sets of the folder."""
    index = json.loads((root / "index.json").read_text())
    return sorted(name for name, entry in index.items() if entry["kind"] == "sequence")


def auto_classifier(seed, time_limit=120):
    """AutoClassifier, everything it has for sequences."""
    from skauto import AutoClassifier

    return AutoClassifier(scoring="accuracy", time_limit=time_limit, random_state=seed, verbose=0)


def min_gru(seed):
    """minGRU alone, default settings."""
    from skauto.estimators import MinGRUClassifier

    return MinGRUClassifier(random_state=seed, device="cpu")


def min_lstm(seed):
    """minLSTM alone, default settings."""
    from skauto.estimators import MinLSTMClassifier

    return MinLSTMClassifier(random_state=seed, device="cpu")


def mini_rocket(seed):
    """Our MiniRocket, on unequal lengths too, with ridge regression."""
    from skauto.estimators import MiniRocketTransformer

    return make_pipeline(MiniRocketTransformer(random_state=seed), StandardScaler(), RidgeClassifierCV(ALPHAS))


def summary_boosting(seed):
    """LightGBM on summary features."""
    from lightgbm import LGBMClassifier

    from skauto.estimators import SequenceSummaryTransformer

    boosting = LGBMClassifier(n_jobs=1, min_child_samples=5, random_state=seed, verbose=-1)
    return make_pipeline(SequenceSummaryTransformer().set_output(transform="pandas"), boosting)


class AeonMiniRocket:
    """aeon's MiniRocket with ridge; unequal lengths are padded with zeros, as it takes none."""

    def __init__(self, seed):
        from aeon.classification.convolution_based import MiniRocketClassifier

        self.model = MiniRocketClassifier(random_state=seed, n_jobs=1)

    def fit(self, X, y):
        self.time = X.shape[1]
        self.model.fit(self._equal(X), y)
        return self

    def predict(self, X):
        return self.model.predict(self._equal(X))

    def _equal(self, X):
        return np.nan_to_num(X[:, : self.time].transpose(0, 2, 1))


SYSTEMS = {
    "AutoClassifier": auto_classifier,
    "minGRU": min_gru,
    "minLSTM": min_lstm,
    "MiniRocket": mini_rocket,
    "summary LightGBM": summary_boosting,
    "aeon MiniRocket": AeonMiniRocket,
}


def run(build, parts, seeds):
    """Accuracies, CPU seconds and wall seconds of fit and predict, one a seed."""
    X, y, X_test, y_test = parts
    scores, cpu, wall = [], [], []
    for seed in range(seeds):
        start, began = time.process_time(), time.perf_counter()
        scores.append(float((build(seed).fit(X, y).predict(X_test) == y_test).mean()))
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - began)
    return scores, cpu, wall


def main():
    """Read the command line, print a row for each data set and system."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--systems", nargs="+", default=[name for name in SYSTEMS if not name.startswith("aeon")])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--time-limit", type=float, default=120, help="seconds of AutoClassifier")
    args = parser.parse_args()
    systems = {**SYSTEMS, "AutoClassifier": functools.partial(auto_classifier, time_limit=args.time_limit)}
    sys.stdout.write("| data | system | accuracy | of each seed | CPU s | wall s |\n|---|---|---|---|---|---|\n")
    for name in args.sets or sequence_names(args.data):
        parts = read_sequences(args.data, name)
        for system in args.systems:
            scores, cpu, wall = run(systems[system], parts, args.seeds)
            each = " ".join(f"{score:.3f}" for score in scores)
            mean = f"{np.mean(scores):.4f} | {each} | {np.mean(cpu):.1f} | {np.mean(wall):.1f}"
            sys.stdout.write(f"| {name} | {system} | {mean} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
