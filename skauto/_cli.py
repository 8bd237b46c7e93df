"""The command line: fit a model from a CSV file, predict with it, and a demo. One function a command."""

import argparse
import csv
import gzip
import io
import os
import sys
import warnings
import zlib
from pathlib import Path

from skauto._version import __version__

WIDTH = 100
TRUST = "Load only model files that you trust: loading one runs code stored in it."
DELIMITERS = ",;\t|"


class CommandError(Exception):
    """What the user can mend; its one line goes to stderr."""


def main(argv=None):
    """Run one command; return the exit status."""
    args = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _warn
            args.command(args)
    except BrokenPipeError:  # the reader has gone, as `head` does; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return _fail("stopped", 130)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (CommandError, ValueError, ImportError) as error:
        return _fail(str(error))
    return 0


def fit(args):
    """`skauto fit DATA.csv --target COL`: search, show the leaderboard, save the model."""
    out = _writable(args.out)
    frame = read_csv(args.data)
    if args.target not in frame.columns:
        raise CommandError(f"{args.data} has no column {args.target!r}{_did_you_mean(args.target, frame.columns)}")
    model = _auto_classifier(args).fit(frame.drop(columns=args.target), _labels(frame[args.target]))
    _say_leaderboard(model)
    _say_saved(model, out)


def predict(args):
    """`skauto predict MODEL DATA.csv`: a CSV of predictions and probabilities, row by row."""
    import pandas as pd

    from skauto._persistence import load_model

    model = load_model(args.model)
    if not all(hasattr(model, name) for name in ("feature_names_in_", "classes_", "predict_proba")):
        raise CommandError(f"{args.model} is not a classifier that was fitted on a table with column names")
    frame = read_csv(args.data)
    missing = [name for name in model.feature_names_in_ if name not in frame.columns]
    if missing:
        hint = _did_you_mean(missing[0], frame.columns)
        raise CommandError(f"{args.data} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}{hint}")
    X = frame[list(model.feature_names_in_)]
    answer = pd.DataFrame(model.predict_proba(X), columns=[f"probability_{c}" for c in model.classes_])
    answer.insert(0, "prediction", model.predict(X))
    text = answer.to_csv(index=False, float_format="%.6g")
    if args.out is None:
        _say(text, end="")
    else:
        _writable(args.out).write_text(text, encoding="utf-8")


def demo(args):
    """`skauto demo`: AutoClassifier on the data set that comes with skauto, judged on rows held back."""
    from sklearn.model_selection import train_test_split

    from skauto._datasets import load_online_shoppers

    out = _writable(args.out)
    X, y = load_online_shoppers(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    _say(
        "Will a visit to a web shop end in a purchase? (Online Shoppers data set, Sakar et al. 2019)\n"
        f"{len(X_train):,} rows to learn from, {len(X_test):,} held back, {X.shape[1]} columns of mixed types, "
        f"{y.mean():.1%} purchases.\n"
    )
    model = _auto_classifier(args).fit(X_train, y_train)
    _say_leaderboard(model)
    _say_held_back(model, X_test, y_test)
    _say_saved(model, out)


def read_csv(path):
    """A CSV file (plain or .gz, delimiter from its header) as a DataFrame, or a CommandError with what is wrong."""
    import pandas as pd

    text = _text(Path(path))
    delimiter = _delimiter(text)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a cell may hold a long text
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = next((row for row in rows if row), [])  # pandas skips empty lines too
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise CommandError(f"{path} names the column {repeated[0]!r} {header.count(repeated[0])} times")
    n_rows = 0
    try:
        for row in rows:
            if row and len(row) != len(header):
                raise CommandError(f"{path} line {rows.line_num} has {len(row)} fields, its header has {len(header)}")
            n_rows += bool(row)
    except csv.Error as error:
        raise CommandError(f"{path} line {rows.line_num}: {error}") from error
    if n_rows == 0:
        raise CommandError(f"{path} has no rows below its header")
    # Only empty cells are missing here: what else says so, the cleaner knows, and None may be the name of a class.
    how = {"index_col": False, "low_memory": False, "keep_default_na": False, "na_values": [""]}
    return pd.read_csv(io.StringIO(text), sep=delimiter, **how)


def _labels(y):
    """The target: what often stands for an empty cell is one among numbers, and among words a class, with a warning."""
    import pandas as pd

    from skauto.estimators._table_labels import NONE, NULLS

    gaps = y.isin([*NULLS, NONE])
    if gaps.any() and pd.to_numeric(y[~gaps], errors="coerce").notna().all():
        return y.mask(gaps)
    for label, count in y[gaps].value_counts().items():
        message = f"{count} rows have {label!r} in the column {y.name!r}, which is taken as the name of a class; "
        warnings.warn(f"{message}leave the cell empty where the label is missing", UserWarning, stacklevel=2)
    return y


def _text(path):
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CommandError(f"{path} is not a CSV file in UTF-8: {error}") from error
    if "\0" in text:
        raise CommandError(f"{path} is not a CSV file: it holds binary data")
    if not text.strip():
        raise CommandError(f"{path} is empty")
    return text


def _delimiter(text):
    header = text.lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=header.count)


def _did_you_mean(name, names):
    from skauto._inputs import closest

    close = closest(name, names)
    if close is not None:
        return f": did you mean {close!r}?"
    return f"; it has {', '.join(str(n) for n in names)}"


def _writable(path):
    """The path, after a look whether its folder exists: before the search, not after it."""
    path = Path(path)
    if not path.absolute().parent.is_dir():
        raise CommandError(f"{path}: the folder {path.parent} does not exist")
    if not os.access(path if path.is_file() else path.absolute().parent, os.W_OK):
        raise CommandError(f"{path} cannot be written: no permission")
    if path.is_dir():
        raise CommandError(f"{path} is a folder, not a file to write")
    return path


def _auto_classifier(args):
    from skauto._auto import AutoClassifier

    return AutoClassifier(
        scoring=args.scoring, time_limit=args.time_limit, n_jobs=args.n_jobs, random_state=args.random_state
    )


def _say_leaderboard(model):
    """The best row of each candidate, since a search tries most of them more than once, and what failed and why."""
    board = model.leaderboard_
    trials = board[board["candidate"] != "ensemble"]
    if board.empty:
        return _say("\nLeaderboard: empty, as no trial ended in time; raise --time-limit")
    tried = ", ".join(f"{count} {status}" for status, count in trials["status"].value_counts().items())
    _say(f"\nLeaderboard: the best row of each candidate ({len(trials)} trials: {tried})\n")
    best = board.drop_duplicates("candidate").assign(candidate=lambda b: b["candidate"].str.ljust(14))
    scores = ["F1"] if best["score"].fillna(0).equals(best["F1"].fillna(0)) else ["score", "F1"]
    columns = ["candidate", *scores, "AUC", "AP", "fold_spread", "seconds", "status"]
    _say_frame(best[columns].to_string(index=False, float_format="{:.3f}".format, na_rep="", justify="left"))
    troubled = trials[~trials["status"].isin(["complete", "cancelled"])]
    for (candidate, status), rows in troubled.groupby(["candidate", "status"], sort=False):
        line = f"{candidate}, {len(rows)} {status}: {' '.join(rows['reason'].iloc[0].split())}"
        _say(line if len(line) <= WIDTH else line[: WIDTH - 3] + "...")


def _say_frame(text):
    _say("\n".join(line.rstrip() for line in text.splitlines()))


def _say_held_back(model, X, y):
    import pandas as pd
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    predicted = model.predict(X)
    positive = model.pos_label_
    score = model.predict_proba(X)[:, list(model.classes_).index(positive)]
    table = pd.crosstab(y.to_numpy(), predicted, rownames=[f"actual {y.name}"], colnames=["predicted"])
    _say(f"\nOn the {len(y):,} rows held back\n")
    _say_frame(table.to_string())
    _say(
        f"\nF1 {f1_score(y, predicted, pos_label=positive):.3f}   AUC {roc_auc_score(y == positive, score):.3f}   "
        f"AP {average_precision_score(y == positive, score):.3f}   (of {y.name} = {positive})"
    )


def _say_saved(model, out):
    from skauto._persistence import save_model

    _say(f"\nModel saved to {save_model(model, out).resolve()}\n{TRUST}")


def _say(text, end="\n"):
    sys.stdout.write(text + end)
    sys.stdout.flush()


def _warn(message, category, *_):
    sys.stderr.write(f"skauto: {' '.join(str(message).split())}\n")


def _fail(message, status=1):
    sys.stderr.write(f"skauto: {' '.join(message.split())}\n")
    return status


def _parser():
    parser = argparse.ArgumentParser(prog="skauto", description="AutoML for scikit-learn pipelines.")
    parser.add_argument("--version", action="version", version=f"skauto {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = _command(commands, fit, "fit a model to a CSV file and save it")
    one.add_argument("data", metavar="DATA.csv", help="table with a header line, plain or .gz")
    one.add_argument("--target", required=True, metavar="COL", help="column to predict")
    one.add_argument("--out", required=True, metavar="MODEL", help="file to save the model to")
    _search_options(one, time_limit=300)

    one = _command(commands, predict, "predict the rows of a CSV file with a saved model", epilog=TRUST)
    one.add_argument("model", metavar="MODEL", help="file saved by `skauto fit`")
    one.add_argument("data", metavar="DATA.csv", help="table with the columns the model was fitted on, in any order")
    one.add_argument("--out", metavar="FILE", help="CSV file to write (default: print)")

    one = _command(commands, demo, "run AutoClassifier on the data set that comes with skauto")
    one.add_argument("--out", default="skauto_demo.joblib", metavar="MODEL", help="file to save the model to")
    _search_options(one, time_limit=60)
    return parser


def _command(commands, function, text, epilog=None):
    description = f"{text[0].upper()}{text[1:]}."
    parser = commands.add_parser(function.__name__, help=text, description=description, epilog=epilog)
    parser.set_defaults(command=function)
    return parser


def _search_options(parser, time_limit):
    parser.add_argument("--time-limit", type=float, default=time_limit, metavar="SECONDS", help="default: %(default)s")
    parser.add_argument("--scoring", default="f1", help="what to search for, a scorer's name (default: %(default)s)")
    parser.add_argument("--n-jobs", type=int, default=-1, metavar="N", help="workers (default: one a core)")
    parser.add_argument("--random-state", type=int, default=None, metavar="SEED", help="seed of the search")
