"""What peers.py prints: figures of each system per table, as mean and as mean rank, and what failed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

SCORES = {"f1": 1, "ap": 1, "auc": 1, "balanced_accuracy": 1, "log_loss": -1}
# Costs: seconds over the limit, milliseconds of one row and seconds of 10,000, MB of memory and of the saved model.
COSTS = ("used", "row_ms", "10000_s", "peak_mb", "model_mb")
SPLIT = ["table", "seed"]
NOTE = (
    "Mean ranks are over the systems of this table; a failed fit ranks last, its scores are those of a constant "
    "prediction (the most frequent class, the classes' shares), and it has no costs."
)


@dataclass(frozen=True)
class Entry:
    """A line of a table: a system at a limit (None: it has none), of one version or of the last in the file."""

    system: str
    time_limit: float | None
    version: str | None = None

    @classmethod
    def read(cls, text):
        """An entry from `system@limit@version`, of which only the system must stand."""
        system, limit, version = [*text.split("@"), "", ""][:3]
        return cls(system, float(limit) if limit else None, version or None)

    @property
    def name(self):
        """How the line is called."""
        limit = "" if self.time_limit is None else f" {self.time_limit:g} s"
        return self.system + limit + (f" {self.version}" if self.version else "")

    def has(self, row):
        """Whether a row is of this entry."""
        same = (row["system"], row["time_limit"]) == (self.system, self.time_limit)
        return same and self.version in {None, row["version"]}


def report(rows, args):
    """Everything that `peers.py show` was asked for."""
    rows = [row for row in rows if matches(row, args)]
    limits = sorted({row["time_limit"] for row in rows} - {None})
    if args.entries:
        parts = [section(rows, args.entries, args.markdown)]
    else:
        parts = [section(rows, entries_at(rows, limit), args.markdown) for limit in limits]
    return "\n\n".join(parts)


def matches(row, args):
    """Whether a row is among what is to be shown."""
    by_limit = args.limits is None or row["time_limit"] in {None, *args.limits}
    by_table = args.tables is None or row["table"] in args.tables
    by_seed = args.seeds is None or row["seed"] in args.seeds
    return by_limit and by_table and by_seed and (args.systems is None or row["system"] in args.systems)


def entries_at(rows, limit):
    """An entry for each system at a limit, and for those without one."""
    systems = dict.fromkeys((row["system"], row["time_limit"]) for row in rows)
    return [Entry(*key) for key in systems if key[1] in {limit, None}]


def frame_of(rows, entries):
    """A line for each entry and split, of the splits that every entry has; of rows of one fit the last counts."""
    lines = {}
    for entry in entries:
        for row in filter(entry.has, rows):
            lines[entry.name, row["table"], row["seed"]] = line_of(entry, row)
    frame = pd.DataFrame(list(lines.values()))
    if frame.empty:
        return frame
    n_entries = frame.groupby(SPLIT)["entry"].transform("nunique")
    return frame[n_entries == len(entries)].reset_index(drop=True)


def line_of(entry, row):
    """What is shown of one row: of a failed one the scores of a constant prediction, and no costs."""
    failed = "error" in row
    known = row["constant"] if failed else row
    line = {"entry": entry.name, "table": row["table"], "seed": row["seed"], "version": row["version"]}
    line |= {score: known[score] for score in SCORES} | dict.fromkeys(COSTS, np.nan)
    line |= {"failed": failed, "error": row.get("error")}
    if failed:
        return line
    limit = row["time_limit"] or np.nan
    costs = (row["fit_seconds"] / limit, row["predict_1_s"] * 1e3, row["predict_10000_s"])
    return line | dict(zip(COSTS, (*costs, row["peak_mb"], row["model_mb"]), strict=True))


def ranks(frame, score):
    """The rank of each line among those of its split, 1 is best; equal ones share the mean, failed ones are last."""
    value = (frame[score] * SCORES[score]).where(~frame["failed"], -np.inf)
    return value.groupby([frame[name] for name in SPLIT]).rank(ascending=False)


def mean_over_tables(frame, columns):
    """Means over the splits of each table, then over the tables; each table counts the same."""
    return frame.groupby(["entry", "table"])[columns].mean().groupby("entry").mean()


def summary(frame):
    """Two tables: mean scores with mean ranks, and mean costs with the number of failures."""
    ranked = frame.assign(**{f"rank_{score}": ranks(frame, score) for score in SCORES})
    columns = [*SCORES, *(f"rank_{score}" for score in SCORES)]
    quality = mean_over_tables(ranked, columns).sort_values("rank_f1")
    costs = mean_over_tables(frame, list(COSTS))
    used = frame.groupby("entry")["used"]
    costs.insert(1, "used_p95", used.quantile(0.95))
    costs.insert(2, "used_worst", used.max())
    costs["failed"] = frame.groupby("entry")["failed"].sum()
    return quality, costs.loc[quality.index]


def section(rows, entries, as_markdown):
    """The tables of some entries: means and mean ranks, costs, each measure per table, failures."""
    frame = frame_of(rows, entries)
    names = ", ".join(entry.name for entry in entries)
    if frame.empty:
        return f"No split has rows of all of: {names}."
    draw = as_page if as_markdown else as_text
    versions = frame.groupby("entry")["version"].unique().map(", ".join)
    parts = [
        f"{names}: means over {frame['table'].nunique()} tables, {len(frame[SPLIT].drop_duplicates())} splits that "
        f"each has. Versions: {'; '.join(f'{name}: {version}' for name, version in versions.items())}. {NOTE}"
    ]
    parts += [draw(table) for table in summary(frame)]
    for measure in (*SCORES, *COSTS):
        per_table = frame.groupby(["table", "entry"])[measure].mean().unstack("entry")
        parts += [f"{measure} per table:", draw(per_table[[entry.name for entry in entries]])]
    parts += failures(frame)
    return "\n\n".join(parts)


def as_page(table):
    """A table in markdown."""
    lines = [[table.index.name or "", *table.columns], ["---"] * (table.shape[1] + 1)]
    lines += [[name, *map(cell, row)] for name, row in zip(table.index, table.to_numpy(dtype=float), strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(value):
    """A number to three decimals, from 10 on to one, a whole one as it is; what is not known is a dash."""
    if np.isnan(value):
        return "-"
    if value == round(value):
        return str(round(value))
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def as_text(table):
    """A table for the screen."""
    return table.round(3).to_string(na_rep="-")


def failures(frame):
    """What failed, with the reason."""
    failed = frame[frame["failed"]]
    lines = [f"- {line.entry}, {line.table}, seed {line.seed}: {line.error}" for line in failed.itertuples()]
    return ["Failed:", "\n".join(lines)] if lines else []
