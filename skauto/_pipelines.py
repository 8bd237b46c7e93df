"""From a configuration to an unfitted Pipeline: clean, prepare, classify; imbalance handling inside the last step.

The classifiers are those of tables; `_sequence_pipelines` and `_image_pipelines` have those of the other kinds.
"""

import math
from dataclasses import dataclass

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skauto._treatments import separated, treated
from skauto.estimators._category_codes import category_codes
from skauto.estimators._magnitude import LARGEST_SCALED, bounded
from skauto.estimators._many_levels import ManyLevelsEncoder
from skauto.estimators._plain_names import plain_names, plain_names_out, same_names_out
from skauto.estimators._safe_folds import SafeFolds
from skauto.estimators._table_cleaner import TableCleaner, category_columns, numeric_columns
from skauto.resample._balanced_bagging import BalancedBaggingClassifier
from skauto.resample._easy_ensemble import EasyEnsembleClassifier
from skauto.resample._priors import PriorCorrectedClassifier
from skauto.resample._rusboost import RUSBoostClassifier
from skauto.search import _deadline

# One-hot columns at most for one categorical column, and quantiles of a rank transform.
MAX_LEVELS, MAX_QUANTILES = 40, 200

# Most columns whose numbers become ranks: that is done column by column, at each predict.
MOST_RANKED = 2_000

# Folds of Platt's calibration.
CALIBRATION_FOLDS = 3

# Rows from which forests must be thrifty.
MANY_ROWS = 12_000

# Steps of the perceptrons, and rows they see in all.
STEPS, MOST_ROWS_SEEN = 160, 100_000

# Perceptrons side by side, and the seconds that each of them must have where its batches are the largest: with small
# ones, whose steps cost what they cost for one, members are all but free. The least seconds of a net.
MEMBERS, MEMBER_SECONDS, LEAST_NET_SECONDS = 4, 0.15, 0.1

# The most rows of a batch of the perceptrons.
LARGEST_BATCH = 512

# The fewest seconds of a trial in which a net is tried beside other candidates: to import PyTorch takes most of them.
NET_START_SECONDS = 4.0

# The quick model of a table: rounds of boosting, or trees where classes are more than these.
FALLBACK_ROUNDS, FALLBACK_TREES, BOOSTED_CLASSES = 30, 20, 5

# Rounds times learning rate at which boosting ends at the latest.
MOST_SHRUNK_ROUNDS = 40


@dataclass(frozen=True)
class Traits:
    """What the portfolio must know of a data set to size its pipelines.

    `shape` is that of a row, `length` the mean number of steps and `n_texts` how many columns hold no numbers.
    `seconds` is what one fit of a trial may take, None without a time limit, and `trial_seconds` what all fits of a
    trial may take together. `alone` says that nothing but networks is tried.
    """

    n_rows: int
    n_columns: int
    n_classes: int
    sparse: bool
    threads: int
    stops: bool
    rare: bool = False
    weighted: bool = False
    refit: bool = False
    kind: str = "table"
    shape: tuple = ()
    length: float = 0.0
    seconds: float | None = None
    trial_seconds: float | None = None
    alone: bool = False
    seed: int = 0
    n_texts: int = 0


def build(candidate, values, traits, seed):
    """The Pipeline of one configuration of a candidate.

    Parameters
    ----------
    candidate : Candidate
    values : dict
        Its parameters, "imbalance" with its settings among them.
    traits : Traits
    seed : int

    Returns
    -------
    pipeline : Pipeline
        Steps "clean" (tables only), "prepare" (not for every candidate) and "classify".
    """
    values, treatment = separated(values)
    prepare = candidate.prepare(values, traits)
    classifier = candidate.build(values, traits, seed)
    clean = [("clean", TableCleaner())] if traits.kind == "table" else []
    steps = [("prepare", prepare)] if prepare is not None else []
    return Pipeline([*clean, *steps, ("classify", treated(classifier, treatment, seed))])


def fallback(traits):
    """A small model for tables: linear for sparse ones, trees of all classes at once where classes are many."""
    if traits.sparse:
        return Pipeline([("clean", TableCleaner()), ("fill", SimpleImputer()), ("classify", LogisticRegression())])
    if traits.n_classes > BOOSTED_CLASSES:
        trees = ExtraTreesClassifier(FALLBACK_TREES, min_samples_leaf=5, random_state=0)
        return Pipeline([("clean", TableCleaner()), ("prepare", codes({}, traits)), ("classify", trees)])
    boosting = HistGradientBoostingClassifier(
        max_iter=FALLBACK_ROUNDS, categorical_features="from_dtype", early_stopping=False, random_state=0
    )
    return Pipeline([("clean", TableCleaner()), ("prepare", ManyLevelsEncoder()), ("classify", boosting)])


def net_seconds(traits):
    """Seconds after which a net must stop: its part of what the task has left, None where nothing limits it.

    Without a limit of the task a trial has what the plan says, and a refit all the time it needs.
    """
    if traits.seconds is None:
        return None
    seconds = _deadline.part()
    if math.isfinite(seconds):
        return max(seconds, LEAST_NET_SECONDS)
    return None if traits.refit else traits.seconds


def mlp_affords(values, traits):
    """Why there is no time for perceptrons, an empty line if there is."""
    enough = traits.trial_seconds is None or traits.trial_seconds >= NET_START_SECONDS
    return "" if enough else f"a trial has {traits.trial_seconds:.3g} s, less than PyTorch takes to begin"


def epochs_within(traits, row_seconds, most):
    """Epochs that one fit has time for, if a row takes so many seconds an epoch; all of them without a time limit."""
    return most if traits.seconds is None else int(min(traits.seconds / (row_seconds * traits.n_rows), most))


def whole_or_part(estimator, fidelity, least=0.0):
    """An estimator and its share of the rows for a share of the effort.

    Nets are given all rows and fewer epochs, all others that share of the rows, or `least` where that is more.
    """
    last = estimator.steps[-1][1]
    while hasattr(last, "estimator"):
        last = last.estimator
    if fidelity >= 1 or not hasattr(last, "max_epochs"):
        return estimator, max(fidelity, least)
    last.set_params(max_epochs=max(1, round(fidelity * last.max_epochs)))
    return estimator, 1.0


def native(values, traits):
    """Boosting takes cleaned tables as they are, missing values included, but categories of not too many levels."""
    return ManyLevelsEncoder()


def named(values, traits):
    """LightGBM takes cleaned tables too, but not every character in the names of columns."""
    return None if traits.sparse else FunctionTransformer(plain_names, feature_names_out=plain_names_out)


def codes(values, traits):
    """Forests take numbers and missing values; categories become integer codes, of many levels target means."""
    if traits.sparse:
        return SimpleImputer()
    coded = ColumnTransformer([("category", _codes(), category_columns)], remainder="passthrough")
    return make_pipeline(ManyLevelsEncoder(), coded)


def scaled(values, traits):
    """Distances and linear models take imputed, scaled numbers and encoded categories."""
    scaler, encode = values.pop("scaler"), values.pop("encode")
    splines = values.pop("splines", None)
    if traits.sparse:
        return make_pipeline(SimpleImputer(), MaxAbsScaler(), _bounds())
    numbers = [SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)]
    plain = scaler == "standard" or traits.n_columns > MOST_RANKED
    numbers += [StandardScaler(), _bounds()] if plain else [_ranks(traits)]
    if splines:
        numbers += [SplineTransformer(n_knots=splines, knots="uniform", extrapolation="linear"), StandardScaler()]
    columns = [("number", make_pipeline(*numbers), numeric_columns), ("category", _encoder(encode), category_columns)]
    return make_pipeline(ManyLevelsEncoder(), ColumnTransformer(columns, sparse_threshold=0))


def _bounds():
    """Of later rows: a number far outside of a column that hardly varied at fit must not overflow."""
    return FunctionTransformer(bounded, kw_args={"bound": LARGEST_SCALED}, feature_names_out=same_names_out)


def _ranks(traits):
    quantiles = max(min(MAX_QUANTILES, traits.n_rows // 2), 2)
    return QuantileTransformer(n_quantiles=quantiles, output_distribution="normal", subsample=20_000, random_state=0)


def _encoder(encode):
    if encode == "onehot":
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=3, max_categories=MAX_LEVELS, sparse_output=False
        )
        return make_pipeline(_codes(), encoder)
    return make_pipeline(_codes(), TargetEncoder(cv=KFold(5, shuffle=True, random_state=0)), StandardScaler())


def _codes():
    return FunctionTransformer(category_codes, feature_names_out=same_names_out)


def lightgbm(values, traits, seed):
    """LightGBM, silent and the same on every run; where it stops early the rounds are only an upper bound."""
    from lightgbm import LGBMClassifier

    if traits.stops:
        values["n_estimators"] = int(min(max(MOST_SHRUNK_ROUNDS / values["learning_rate"], 100), 1_500))
    quiet = {"subsample_freq": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}
    return LGBMClassifier(**values, **quiet, random_state=seed, n_jobs=traits.threads)


def hist_boosting(values, traits, seed):
    """Histogram boosting with a fixed number of rounds: its own early stopping would hold rows back."""
    return HistGradientBoostingClassifier(
        **values, categorical_features="from_dtype", early_stopping=False, random_state=seed
    )


def extra_trees(values, traits, seed):
    """Extremely randomised trees."""
    return ExtraTreesClassifier(**values, **_forest(traits), random_state=seed)


def random_forest(values, traits, seed):
    """A random forest."""
    return RandomForestClassifier(**values, **_forest(traits), random_state=seed)


def _forest(traits):
    """Fewer trees on part of the rows each where rows are many; the refit can afford more trees than the folds."""
    many = {"n_estimators": 80, "bootstrap": True, "max_samples": 0.4}
    few = {"n_estimators": 400 if traits.refit else 150}
    return {**(many if traits.n_rows > MANY_ROWS else few), "n_jobs": traits.threads}


def logistic(values, traits, seed):
    """Logistic regression with a ridge penalty; Newton steps where columns are few, for they need the fewest."""
    if traits.sparse or traits.n_columns * traits.n_classes > 400:
        return LogisticRegression(**values, max_iter=200)
    return LogisticRegression(**values, solver="newton-cholesky", max_iter=50)


def svm(values, traits, seed):
    """RBF support vectors with Platt's probabilities; numbers for gamma are in units of one over the columns.

    Of many classes each has a machine of its own, whose distances say more than the votes of pairs; not with weights,
    which scikit-learn's one-vs-rest does not hand on.
    """
    gamma = values.pop("gamma")
    gamma = gamma if gamma == "scale" else gamma / traits.n_columns
    machine = SVC(**values, gamma=gamma, random_state=seed)
    if traits.n_classes > 2 and not traits.weighted:
        machine = OneVsRestClassifier(machine)
    # Calibration of one machine needs every row predicted once, which rows of rare classes cannot be.
    return CalibratedClassifierCV(machine, cv=SafeFolds(CALIBRATION_FOLDS, seed), ensemble=traits.rare)


def nearest_neighbors(values, traits, seed):
    """k nearest neighbours."""
    values["n_neighbors"] = min(values["n_neighbors"], max(traits.n_rows - 1, 1))
    return KNeighborsClassifier(**values, n_jobs=traits.threads)


def naive_bayes(values, traits, seed):
    """Gaussian naive Bayes."""
    return GaussianNB(**values)


def mlp(values, traits, seed):
    """Multi-layer perceptrons on PyTorch, with as many steps on few rows as on many."""
    from skauto.estimators._mlp import MLPClassifier

    batch = min(max(traits.n_rows // 20, 16), LARGEST_BATCH)
    epochs = min(STEPS * batch, MOST_ROWS_SEEN) // max(traits.n_rows, 1)
    limit = net_seconds(traits) if traits.trial_seconds is not None else None
    return MLPClassifier(
        **values,
        n_members=MEMBERS if limit is None else _members_within(limit, batch),
        batch_size=batch,
        max_epochs=min(max(epochs, 5), 50),
        time_limit=limit,
        device="cpu",
        random_state=seed,
    )


def _members_within(limit, batch):
    """How many perceptrons have enough of some seconds."""
    return int(np.clip(limit / (MEMBER_SECONDS * batch / LARGEST_BATCH), 1, MEMBERS))


def balanced_bagging(values, traits, seed):
    """Trees, each on a balanced draw of its own."""
    n_estimators = values.pop("n_estimators")
    return BalancedBaggingClassifier(DecisionTreeClassifier(**values), n_estimators, random_state=seed)


def easy_ensemble(values, traits, seed):
    """Balanced bags of histogram boosting."""
    booster = HistGradientBoostingClassifier(
        **{name: values.pop(name) for name in ("learning_rate", "max_iter", "max_leaf_nodes")},
        categorical_features="from_dtype",
        early_stopping=False,
    )
    return EasyEnsembleClassifier(booster, **values, random_state=seed)


def rusboost(values, traits, seed):
    """Boosting on balanced draws, calibrated: its own probabilities are too sure."""
    tree = DecisionTreeClassifier(max_depth=values.pop("max_depth"), min_samples_leaf=values.pop("min_samples_leaf"))
    boosted = RUSBoostClassifier(tree, **values, random_state=seed)
    return CalibratedClassifierCV(boosted, cv=SafeFolds(CALIBRATION_FOLDS, seed), ensemble=traits.rare)


def balanced_forest(values, traits, seed):
    """A forest of balanced draws, its probabilities moved back to the natural shares."""
    from imblearn.ensemble import BalancedRandomForestClassifier  # most searches never ask for it

    few = 400 if traits.refit else 150
    forest = BalancedRandomForestClassifier(few, **values, n_jobs=traits.threads, random_state=seed)
    return PriorCorrectedClassifier(forest)
