"""AutoClassifier on images beside a plain CNN that trains for the same seconds: macro F1, seconds, seconds of predict.

    python benchmarks/images.py --data DIR --out images.jsonl --time-limit 60 --seeds 2
    python benchmarks/images.py --out images.jsonl --report

Each fit runs in a process of its own, the two systems in turn. The seconds of the plain CNN begin when PyTorch is
loaded; those of AutoClassifier are all that `fit` takes. One line of JSON is appended for each set, system, limit, seed
and commit, with the load of the machine at its end, as it may be shared; what is there is skipped.
benchmarks/README.md says what the folder holds. The plain CNN mirrors images of the sets that --flips names.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

TEST_FRACTION = 0.25
SYSTEMS = ("skauto", "plain CNN")
KEY = ("data", "system", "limit", "seed", "commit")


def image_names(root):
    """All sets of images in the folder."""
    index = json.loads((root / "index.json").read_text())
    return sorted(name for name, entry in index.items() if entry["kind"] == "image")


def read_images(root, name, seed):
    """Training X, y and test X, y: as the set is split, else a stratified quarter held back."""
    entry = json.loads((root / "index.json").read_text())[name]
    with np.load(root / entry["file"], allow_pickle=False) as parts:
        X, y = parts["X"], parts["y"]
        if "X_test" in parts:
            return X, y, parts["X_test"], parts["y_test"]
    X, X_test, y, y_test = train_test_split(X, y, test_size=TEST_FRACTION, stratify=y, random_state=seed)
    return X, y, X_test, y_test


def run_one(root, name, system, limit, seed, flips, threads):
    """Fit and judge one system here; what is appended."""
    X, y, X_test, y_test = read_images(root, name, seed)
    more = {}
    if system == "skauto":
        from skauto import AutoClassifier

        model = AutoClassifier("f1_macro", time_limit=limit, random_state=seed, verbose=0)
    else:
        import torch
        from plain_cnn import PlainCNN

        torch.set_num_threads(threads)
        model = PlainCNN(limit, flip=name in flips, seed=seed)
    began = time.perf_counter()
    model.fit(X, y)
    used = time.perf_counter() - began
    began = time.perf_counter()
    predicted = model.predict(X_test)
    seconds = time.perf_counter() - began
    if system == "skauto":
        with tempfile.NamedTemporaryFile() as file:
            joblib.dump(model, file.name)
            more = {"megabytes": round(os.path.getsize(file.name) / 1e6, 2)}
        board = model.leaderboard(details=True)
        columns = ["chosen", "candidate", "score", "seconds", "status"]
        more |= {"board": json.loads(board[columns].head(12).to_json(orient="values", double_precision=4))}
        more |= {"honest": model.honest_score_, "members": len(model.ensemble_.estimators_)}
    return {
        "f1": f1_score(y_test, predicted, average="macro"),
        "used": round(used, 2),
        "load": os.getloadavg()[0],
        "predict": round(seconds, 3),
        "rows": len(X_test),
        **more,
    }


def run(root, name, system, limit, seed, *how):
    """`run_one` in a process of its own."""
    asked = json.dumps([str(root), name, system, limit, seed, *how])
    done = subprocess.run([sys.executable, __file__, "--one", asked], capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def report(lines):
    """A row a set, limit and seed: both systems side by side; then means by limit."""
    head = "| data | limit | seed | commit |" + "".join(f" {system}: F1 | used s | predict s |" for system in SYSTEMS)
    sys.stdout.write(head + "\n|" + "---|" * (4 + 3 * len(SYSTEMS)) + "\n")
    found = {tuple(line[part] for part in KEY): line for line in lines if "f1" in line}
    rows = sorted({(limit, data, seed, commit) for data, _, limit, seed, commit in found})
    gains = {}
    for limit, data, seed, commit in rows:
        both = [found.get((data, system, limit, seed, commit)) for system in SYSTEMS]
        if None not in both:
            gains.setdefault(limit, []).append(both[0]["f1"] - both[1]["f1"])
        cells = [
            "| |" if one is None else f"{one['f1']:.4f} | {one['used']:.1f} | {one['predict']:.2f}" for one in both
        ]
        sys.stdout.write(f"| {data} | {limit:g} | {seed} | {commit} | {' | '.join(cells)} |\n")
    for limit, some in gains.items():
        sys.stdout.write(f"{limit:g} s: ahead by {np.mean(some):.4f} on average, at least {min(some):.4f}\n")


def main():
    """Run what is missing, or print what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--time-limit", type=float, nargs="+", default=[60.0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--systems", nargs="*", default=SYSTEMS)
    parser.add_argument("--flips", nargs="*", default=["cifar10"], help="sets that the plain CNN mirrors images of")
    parser.add_argument("--threads", type=int, default=2, help="of the plain CNN: one on a busy machine")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        root, *rest = json.loads(given.one)
        sys.stdout.write(json.dumps(run_one(Path(root), *rest)) + "\n")
        return
    lines = [json.loads(line) for line in given.out.read_text().splitlines()] if given.out.exists() else []
    if given.report:
        report(lines)
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    known = {tuple(line[part] for part in KEY) for line in lines if "f1" in line}
    for limit in given.time_limit:
        for seed in range(given.seeds):
            for name in given.sets or image_names(given.data):
                for system in given.systems:
                    key = dict(zip(KEY, (name, system, limit, seed, commit.stdout.strip()), strict=True))
                    if tuple(key.values()) in known:
                        continue
                    line = {**key, **run(given.data, name, system, limit, seed, given.flips, given.threads)}
                    with given.out.open("a") as file:
                        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
