"""The command line: fit a model from a CSV file, predict with it, and a demo. One function a command."""

import argparse
import contextlib
import os
import sys
import warnings
from pathlib import Path

from skauto._files import check_writable, write_whole
from skauto._telling import steady_streams, tell
from skauto._version import __version__
from skauto.inputs._csv import (
    STANDARD_INPUT,
    CsvOptions,
    numeric_where_plain,
    read_csv,
    with_decimal_points,
    without_row_numbers,
)

WIDTH = 100
TRUST = "Load only model files that you trust: loading one runs code stored in it."

# A target of numbers with fractions and more different values than this is a quantity, not a class.
MOST_FRACTIONAL_CLASSES = 20

# The exit status where the saved model is one that stands in for a search which had too little time, and those.
FALLBACK_SAVED, FALLBACKS = 3, ("quick_model", "class_frequencies")


class CommandError(Exception):
    """What the user can mend; its one line goes to stderr."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.command is None:
        _tell(sys.stderr, parser.format_help())
        return 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _warn_once()
            return args.command(args) or 0
    except KeyboardInterrupt:
        return _fail("stopped", 130)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (CommandError, ValueError, ImportError) as error:
        return _fail(str(error))
    finally:
        _settle(sys.stdout)
        _settle(sys.stderr)


@steady_streams()
def fit(args: argparse.Namespace) -> int:
    """`skauto fit DATA.csv --target COL`: search, save the model, show the leaderboard."""
    out = _writable(args.out, but_not={"the data": args.data})
    frame = read_csv(args.data, _csv_options(args, args.target), _note)
    if args.target != frame.columns[0]:
        frame = without_row_numbers(args.data, frame, _note)
    if args.target not in frame.columns:
        raise CommandError(f"{args.data} has no column {args.target!r}{_meant_or_all(args.target, frame.columns)}")
    if frame.shape[1] == 1:
        raise CommandError(f"{args.data} has no column but the target {args.target!r}: nothing to predict it from")
    X, y = numeric_where_plain(frame.drop(columns=args.target)), _labels(frame[args.target], args.decimal)
    model = _auto_classifier(args).fit(X, y)
    saved = _save(model, out)
    _say_leaderboard(model)
    _say_saved(saved)
    return FALLBACK_SAVED if model.model_kind_ in FALLBACKS else 0


def predict(args: argparse.Namespace) -> None:
    """`skauto predict MODEL DATA.csv`: a CSV of predictions and probabilities, row by row."""
    from skauto._persistence import load_model

    if args.out is not None:
        _writable(args.out, but_not={"the model": args.model, "the data": args.data})
    model = load_model(args.model)
    if not all(hasattr(model, name) for name in ("feature_names_in_", "classes_", "predict_proba")):
        raise CommandError(f"{args.model} is not a classifier that was fitted on a table with column names")
    frame = read_csv(args.data, _csv_options(args), _note)
    missing = [name for name in model.feature_names_in_ if name not in frame.columns]
    if missing:
        hint = _meant_or_all(missing[0], frame.columns)
        raise CommandError(f"{args.data} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}{hint}")
    text = _predictions(model, frame[list(model.feature_names_in_)])
    if args.out is None:
        _print_result(text)
    else:
        write_whole(args.out, text.encode())


def _predictions(model, X):
    """The text of a CSV file; labels stand there as they were written in the data of the fit."""
    import pandas as pd

    proba = pd.DataFrame(model.predict_proba(X), columns=[f"probability_{c}" for c in model.classes_])
    answer = proba.map("{:.6g}".format)
    answer.insert(0, "prediction", [str(label) for label in model.predict(X)])
    return answer.to_csv(index=False)


@steady_streams()
def demo(args: argparse.Namespace) -> None:
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
    saved = _save(model, out)
    _say_leaderboard(model)
    _say_held_back(model, X_test, y_test)
    _say_saved(saved)


def _csv_options(args, target=None):
    return CsvOptions(args.encoding, args.delimiter, args.decimal, args.skip, target)


def _labels(y, decimal="."):
    """The target, its labels as they are written.

    What often stands for an empty cell is one among numbers, and among words a class, with a warning.
    """
    import pandas as pd

    from skauto.estimators.tables._table_labels import GAPS, NULLS

    gaps = y.str.strip().str.casefold().isin(GAPS)
    plain = with_decimal_points(y[~gaps]) if decimal == "," else y[~gaps]
    numbers = pd.to_numeric(plain, errors="coerce")
    if numbers.notna().all():
        _refuse_quantity(y.name, numbers)
        return y.mask(gaps) if gaps.any() else y
    for label, count in y[y.isin([*NULLS, "None"])].value_counts().items():
        message = f"{count} rows have {label!r} in the column {y.name!r}, which is taken as the name of a class; "
        warnings.warn(f"{message}leave the cell empty where the label is missing", UserWarning, stacklevel=2)
    return y


def _refuse_quantity(name, numbers):
    """Refuse a target that is measured, not named: skauto classifies."""
    fractional = (numbers % 1 != 0).any()
    if fractional and numbers.nunique() > MOST_FRACTIONAL_CLASSES:
        raise CommandError(
            f"the target {name!r} holds {numbers.nunique()} different numbers with fractions: skauto classifies and "
            "does no regression; put the target into classes first, for example above and below a bound"
        )


def _meant_or_all(name, names):
    from skauto.inputs._closest import did_you_mean

    return did_you_mean(name, names) or f"; it has {', '.join(str(n) for n in names)}"


def _writable(path, but_not=None):
    """The path, after a look whether it can be written and is no input: before the search, not after it."""
    path = Path(path)
    check_writable(path)
    for what, other in (but_not or {}).items():
        if other != STANDARD_INPUT and path.exists() and Path(other).exists() and path.samefile(other):
            raise CommandError(f"--out {path} is {what} itself and would replace it: give another name")
    return path


def _auto_classifier(args):
    from skauto.automl._classifier import AutoClassifier

    return AutoClassifier(
        scoring=args.scoring, time_limit=args.time_limit, n_jobs=args.n_jobs, random_state=args.random_state
    )


def _say_leaderboard(model):
    """The best row of each candidate, since a search tries most of them more than once, and what failed and why."""
    board = model.leaderboard(details=True)
    trials = board[board["trial"] >= 0]
    if board.empty:
        return _say("\nLeaderboard: empty, as no trial ended in time; raise --time-limit")
    tried = ", ".join(f"{count} {status}" for status, count in trials["status"].value_counts().items())
    _say(f"\nLeaderboard: the best row of each candidate ({len(trials)} trials: {tried})\n")
    best = board.drop_duplicates("candidate").assign(candidate=lambda b: b["candidate"].str.ljust(14))
    scores = ["F1"] if best["score"].fillna(0).equals(best["F1"].fillna(0)) else ["score", "F1"]
    columns = ["candidate", *scores, "honest", "low", "high", "AUC", "AP", "seconds", "status"]
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


def _save(model, out):
    from skauto._persistence import save_model

    return save_model(model, out).resolve()


def _say_saved(path):
    _say(f"\nModel saved to {path}\n{TRUST}")


def _say(text, end="\n"):
    """Tell the user on standard output; no work depends on it."""
    _tell(sys.stdout, text + end)


def _note(line):
    """Tell the user on standard error."""
    _tell(sys.stderr, f"skauto: {' '.join(line.split())}\n")


def _warn_once():
    """A function that tells warnings, each once: filters are set anew in a search, and so forget what was said."""
    said = set()

    def warn(message, category, *_):
        if str(message) not in said:
            said.add(str(message))
            _note(str(message))

    return warn


def _fail(message, status=1):
    _note(message)
    return status


def _tell(stream, text):
    if stream is not None:  # None would stand for standard error
        tell(text, stream)


def _print_result(text):
    """Print what the command is for: it has failed where that cannot be written, unless its reader had enough."""
    if sys.stdout is None:
        raise CommandError("standard output is closed, so the predictions cannot be printed; use --out FILE")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        return  # as `head` does
    except OSError as error:
        raise CommandError(f"the predictions cannot be printed: {error.strerror}; use --out FILE") from error


def _settle(stream):
    """Drop what a stream holds and cannot write: the interpreter's last flush would change the exit status."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _parser():
    parser = argparse.ArgumentParser(prog="skauto", description="AutoML for scikit-learn pipelines.")
    parser.add_argument("--version", action="version", version=f"skauto {__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(metavar="COMMAND")

    one = _command(commands, fit, "fit a model to a CSV file and save it")
    one.add_argument("data", metavar="DATA.csv", help="table with a header line, plain or .gz; - is standard input")
    one.add_argument("--target", required=True, metavar="COL", help="column to predict")
    one.add_argument("--out", required=True, metavar="MODEL", help="file to save the model to")
    _search_options(one, time_limit=300)
    _csv_arguments(one)

    one = _command(commands, predict, "predict the rows of a CSV file with a saved model", epilog=TRUST)
    one.add_argument("model", metavar="MODEL", help="file saved by `skauto fit`")
    one.add_argument(
        "data", metavar="DATA.csv", help="table with the columns of the fit, in any order; - is standard input"
    )
    one.add_argument("--out", metavar="FILE", help="CSV file to write (default: print)")
    _csv_arguments(one)

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
    parser.add_argument(
        "--random-state", type=int, default=None, metavar="SEED", help="seed of the search (default: another each time)"
    )


def _csv_arguments(parser):
    group = parser.add_argument_group("how the CSV file is written (default: found from its first lines)")
    group.add_argument("--encoding", metavar="NAME", help="default: UTF-8, or what its mark says, else cp1252")
    group.add_argument("--delimiter", type=_one_character, metavar="CHARACTER", help="between fields; \\t is a tab")
    group.add_argument(
        "--decimal", choices=[".", ","], default=".", help="decimal mark of numbers (default: %(default)s)"
    )
    group.add_argument(
        "--skip", type=_not_negative, default=0, metavar="LINES", help="lines above the header to leave out"
    )


def _one_character(text):
    character = text.replace("\\t", "\t")
    if len(character) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not one character")
    return character


def _not_negative(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines: 0, 1, 2, ...")
    return int(text)
