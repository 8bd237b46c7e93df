"""How columns are read: skauto's TableCleaner beside skrub, by what two fixed models make of the result.

    pip install skrub==0.11.0
    python benchmarks/columns.py --out columns.jsonl
    python benchmarks/columns.py --data DIR --out columns.jsonl
    python benchmarks/columns.py --out columns.jsonl --report

Made cases write what is told to the model in the ways that users' files have it; "clean" beside each is the same table
as plain numbers. Of real tables some thousand rows are drawn. The models are LightGBM and a logistic regression with
their defaults, the score is average precision (of the rarer class, macro for more) on a third of the rows held back.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import label_binarize

ROWS, TABLE_ROWS = 3_000, 4_000
GAPS = (
    "na",
    "Na",
    "NAN",
    "Null",
    "none",
    "-",
    "--",
    ".",
    "*",
    " ",
    " ?",
    "missing",
    "unknown",
    "n.a.",
    "#DIV/0!",
    "NIL",
    "inf",
)


def numbers(seed, n=ROWS):
    """Three columns of positive numbers and labels that depend on them, a seventh of them true."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(3, 1, size=(n, 3)).round(2)
    signal = np.sin(3 * np.log(values[:, 0])) + np.log(values[:, 1]) - 0.5 * np.log(values[:, 2])
    return values, signal + rng.normal(0, 0.7, n) > np.quantile(signal, 0.86)


def written(how):
    """A case: the numbers, each written by a function of the number and a random generator."""

    def case(seed):
        values, y = numbers(seed)
        rng = np.random.default_rng(seed + 1)
        cells = {f"n{i}": [how(value, rng) for value in values[:, i]] for i in range(values.shape[1])}
        return pd.DataFrame(cells, dtype=object), y, pd.DataFrame(values, columns=list(cells))

    return case


def gap(*marks, fraction=0.15):
    """Numbers with a fraction replaced by one of the marks."""
    return lambda value, rng: marks[rng.integers(len(marks))] if rng.random() < fraction else f"{value}"


def merchants(seed, n=20_000, levels=1_500):
    """A rate for each of many merchants."""
    rng = np.random.default_rng(seed)
    rate = rng.beta(0.3, 2.0, levels)
    code = rng.choice(levels, n, p=rng.dirichlet(np.ones(levels)))
    X = pd.DataFrame({"merchant": [f"shop {c:x}" for c in code], "amount": rng.lognormal(3, 1, n)})
    return X, rng.random(n) < rate[code], X.assign(merchant=rate[code])


def day_times(seed, n=ROWS):
    """More positives around noon and midnight."""
    rng = np.random.default_rng(seed)
    minute = rng.integers(0, 1440, n)
    y = rng.random(n) < 0.05 + 0.5 * (np.abs(minute - 720) < 90) + 0.4 * (minute > 1380)
    text = [f"{m // 60:02d}:{m % 60:02d}:{rng.integers(60):02d}" for m in minute]
    return pd.DataFrame({"at": text}), y, pd.DataFrame({"at": minute.astype(float)})


def words_of_dna(seed, n=ROWS, length=24):
    """Words of four letters; some positions and one motif tell."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("ACGT"))[rng.integers(0, 4, (n, length))]
    signal = 1.5 * (letters[:, 3] == "A") + 1.5 * (letters[:, 4] == "T") + 1.0 * (letters[:, 9] == "G")
    y = signal + rng.normal(0, 0.7, n) > 2.2
    return (
        pd.DataFrame({"word": ["".join(row) for row in letters]}),
        y,
        pd.DataFrame(letters).rename(columns="p{}".format),
    )


def product_codes(seed, n=ROWS):
    """The first letters of a code are a family of products."""
    rng = np.random.default_rng(seed)
    family = rng.integers(0, 26, n)
    rate = rng.beta(0.5, 2, 26)
    code = [
        f"{chr(65 + f)}{chr(65 + (7 * f) % 26)}-{rng.integers(10_000):04d}-{'XYZ'[rng.integers(3)]}" for f in family
    ]
    return pd.DataFrame({"code": code}), rng.random(n) < rate[family], pd.DataFrame({"code": rate[family]})


def late_words(seed, n=ROWS):
    """Texts of some hundred characters whose last words tell."""
    rng = np.random.default_rng(seed)
    vocabulary = ["".join(rng.choice(list("abcdefghijklmnoprstuvw"), rng.integers(3, 9))) for _ in range(400)]
    y = rng.random(n) < 0.3
    ends = np.where(y, rng.choice(["refund", "broken", "angry"], n), rng.choice(["thanks", "great", "lovely"], n))
    texts = [" ".join([*rng.choice(vocabulary, rng.integers(60, 90)), end, *rng.choice(vocabulary, 3)]) for end in ends]
    return pd.DataFrame({"text": texts}), y, pd.DataFrame({"text": y.astype(float) + rng.normal(0, 0.1, n)})


def days(seed, n=ROWS):
    """Dates with the day first; months and weekdays tell."""
    rng = np.random.default_rng(seed)
    when = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 2_000, n), unit="D")
    y = rng.random(n) < 0.1 + 0.5 * (when.dayofweek >= 5) * (when.month < 7)
    clean = pd.DataFrame({"month": when.month, "weekday": when.dayofweek})
    return pd.DataFrame({"when": when.strftime("%d/%m/%Y")}), y, clean


CASES = {
    "gaps 'na'": written(gap("na")),
    "gaps of many kinds": written(gap(*GAPS)),
    "bounds <5 >100": written(lambda v, rng: "<5" if v < 5 else ">100" if v > 100 else f"{v}"),
    "percent": written(lambda v, rng: f"{v}%"),
    "currency, thousands": written(lambda v, rng: f"${100 * v:,.2f}"),
    "units": written(lambda v, rng: f"{v} months"),
    "decimal comma": written(lambda v, rng: f"{v}".replace(".", ",")),
    "merchants": merchants,
    "times of day": day_times,
    "DNA words": words_of_dna,
    "product codes": product_codes,
    "late words": late_words,
    "days first": days,
}


def real(root, name, seed):
    """Rows of a table of a folder, cells of categories as texts."""
    meta = json.loads((root / "index.json").read_text())[name]
    how = {"keep_default_na": False, "na_values": [""], "dtype": dict.fromkeys(meta["categorical"], "str")}
    frame = pd.read_csv(root / meta["file"], parse_dates=meta["datetime"] or False, **how)
    frame = frame.sample(min(len(frame), TABLE_ROWS), random_state=seed).reset_index(drop=True)
    common = frame["target"].map(frame["target"].value_counts()) >= 6
    frame = frame[common].reset_index(drop=True)
    return frame.drop(columns="target"), frame["target"].to_numpy()


def skauto_reader(model):
    """The cleaner, and what the pipelines of AutoClassifier put behind it."""
    from skauto.automl._data_profile import DataProfile
    from skauto.automl.tables._preparation import named, scaled
    from skauto.estimators.tables._table_cleaner import TableCleaner

    profile = DataProfile(n_rows=2_000, n_columns=10, n_classes=2, sparse=False, threads=1, early_stopping=False)
    after = named({}, profile) if model == "lightgbm" else scaled({"scaler": "standard", "encode": "onehot"}, profile)
    return make_pipeline(TableCleaner(), after)


def skrub_reader(model):
    """The table vectorizer as skrub's own pipelines have it: categories for trees, else one-hot columns."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler
    from skrub import TableVectorizer, ToCategorical

    if model == "lightgbm":
        return TableVectorizer(low_cardinality=ToCategorical())
    return make_pipeline(
        TableVectorizer(), SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler()
    )


def both_reader(model):
    """skrub's Cleaner, which reads gaps, numbers and dates, before skauto's."""
    from skrub import Cleaner

    return make_pipeline(Cleaner(), skauto_reader(model))


READERS = {"skauto": skauto_reader, "skrub": skrub_reader, "both": both_reader}


def classifier(model):
    """One of the two fixed models."""
    from lightgbm import LGBMClassifier

    quiet = {"n_jobs": 1, "verbose": -1, "random_state": 0, "deterministic": True}
    return LGBMClassifier(n_estimators=80, **quiet) if model == "lightgbm" else LogisticRegression(max_iter=300)


def judged(reader, model, X, y, seed):
    """Scores and seconds of one reader before one model."""
    classes, codes = np.unique(y, return_inverse=True)
    train, test = train_test_split(np.arange(len(y)), test_size=1 / 3, stratify=codes, random_state=seed)
    began = time.process_time()
    read = READERS[reader](model)
    inner = classifier(model).fit(read.fit_transform(X.iloc[train], codes[train]), codes[train])
    fitted = time.process_time()
    proba = inner.predict_proba(read.transform(X.iloc[test]))
    tested = time.process_time()
    read.transform(X.iloc[test[:1]])
    seconds = {"fit_s": fitted - began, "predict_s": tested - fitted, "row_s": time.process_time() - tested}
    truth = label_binarize(codes[test], classes=np.arange(len(classes)))
    if len(classes) == 2:
        rare = int(np.bincount(codes).argmin())
        truth, proba = codes[test] == rare, proba[:, rare]
    scores = {"ap": average_precision_score(truth, proba), "auc": roc_auc_score(truth, proba)}
    return {**scores, **seconds}


def run(out, tables, readers, seeds):
    """Append a line for each case, reader, model and seed."""
    jobs = [(name, None) for name in CASES] if tables is None else tables
    for name, root in jobs:
        for seed in range(seeds):
            X, y, clean = CASES[name](seed) if root is None else (*real(root, name, seed), None)
            todo = [(reader, X) for reader in readers] + ([("clean", clean)] if clean is not None else [])
            for model in ("lightgbm", "logistic"):
                for reader, table in todo:
                    row = {"case": name, "reader": reader, "model": model, "seed": seed}
                    try:
                        row |= judged("skauto" if reader == "clean" else reader, model, table, y, seed)
                    except (ValueError, TypeError) as error:
                        row["error"] = f"{error}"[:200]
                    with out.open("a") as file:
                        file.write(json.dumps(row) + "\n")


def report(out):
    """Mean average precision by case and reader, and of the seconds."""
    rows = pd.DataFrame([json.loads(line) for line in out.read_text().splitlines()])
    rows = rows.drop_duplicates(["case", "reader", "model", "seed"], keep="last")
    table = rows.pivot_table(index="case", columns=["model", "reader"], values="ap", sort=False)
    means = rows.groupby("reader")[["ap", "auc", "fit_s", "predict_s", "row_s"]].mean()
    return f"{table.round(3).to_string()}\n\n{means.round(4).to_string()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, action="append", help="folder of tables with an index.json")
    parser.add_argument("--readers", nargs="+", default=list(READERS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    if args.report:
        sys.stdout.write(report(args.out) + "\n")
        return
    tables = None
    if args.data:
        index = [(root, json.loads((root / "index.json").read_text())) for root in args.data]
        tables = [(name, root) for root, names in index for name, meta in names.items() if meta["kind"] == "tabular"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run(args.out, tables, args.readers, args.seeds)


if __name__ == "__main__":
    main()
