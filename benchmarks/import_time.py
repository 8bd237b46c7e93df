"""What `from skauto import AutoClassifier` costs beside importing scikit-learn's parts and pandas.

    python benchmarks/import_time.py

The best of several interleaved fresh processes each, and their ratio.
"""

import argparse
import subprocess
import sys
import time

STATEMENTS = {
    "nothing": "pass",
    "scikit-learn and pandas": "import sklearn.pipeline, sklearn.ensemble, pandas",
    "skauto": "from skauto import AutoClassifier",
}


def seconds(statement):
    """Wall seconds of one fresh process that runs a statement."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def measure(repeats):
    """Name to the best of its processes, less what starting Python itself takes."""
    best = dict.fromkeys(STATEMENTS, float("inf"))
    for _ in range(repeats):
        for name, statement in STATEMENTS.items():
            best[name] = min(best[name], seconds(statement))
    return {name: value - best["nothing"] for name, value in best.items() if name != "nothing"}


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10, help="processes each (default: 10)")
    best = measure(parser.parse_args().repeats)
    for name, value in best.items():
        sys.stdout.write(f"{name:<24} {value:.3f} s\n")
    sys.stdout.write(f"{'ratio':<24} {best['skauto'] / best['scikit-learn and pandas']:.3f}\n")


if __name__ == "__main__":
    main()
