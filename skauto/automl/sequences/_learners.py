"""Classifiers of sequences and what comes before them, from the values of a configuration."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from skauto.automl._data_profile import DataProfile
from skauto.automl._epoch_planning import epochs_within, net_seconds
from skauto.automl._types import Estimator, Values
from skauto.estimators._forests import CompactExtraTreesClassifier
from skauto.estimators.sequences._minirocket import MiniRocketTransformer
from skauto.estimators.sequences._sequence_summary import SequenceSummaryTransformer
from skauto.estimators.sequences._sequences import DifferencesTransformer

# Epochs of a net where there is time, and the fewest with which it is worth trying.
EPOCHS, FEWEST_EPOCHS = 60, 8

# Multiplications and additions a second in training on one thread, with something to spare (10 to 20e9 were measured on
# five sets), and the seconds that a row costs beside them.
FLOPS_A_SECOND, ROW_SECONDS = 12e9, 6e-4


def rocket(values: Values, profile: DataProfile) -> Estimator:
    """MiniRocket's features, of the differences too if asked, on one scale."""
    options = {"n_features": values.pop("n_features"), "random_state": profile.seed}
    features = MiniRocketTransformer(**options)
    if values.pop("differences"):
        changes = make_pipeline(
            DifferencesTransformer(), MiniRocketTransformer(**options)
        )
        features = make_union(features, changes)
    return make_pipeline(features, StandardScaler())


def summary(values: Values, profile: DataProfile) -> Estimator:
    """Summary features of the series."""
    return SequenceSummaryTransformer()


def whole(values: Values, profile: DataProfile) -> None:
    """Nothing: nets take series as they are."""
    return None


def logistic(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """Logistic regression on many features."""
    return LogisticRegression(**values, max_iter=200)


def min_gru(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """minGRU."""
    from skauto.estimators.sequences._recurrent import MinGRUClassifier

    return MinGRUClassifier(
        **values, max_epochs=EPOCHS, device="cpu", random_state=seed
    )


def min_lstm(values: Values, profile: DataProfile, seed: int) -> Estimator:
    """minLSTM."""
    from skauto.estimators.sequences._recurrent import MinLSTMClassifier

    return MinLSTMClassifier(
        **values, max_epochs=EPOCHS, device="cpu", random_state=seed
    )


def plan_net(net: Estimator, values: Values, profile: DataProfile) -> None:
    """Give a net as many epochs as there should be time for; should it turn out slower, it stops in time."""
    limit = net_seconds(profile)
    planned = profile.seconds if limit is None or profile.refit else limit
    most = epochs(values, replace(profile, seconds=planned))
    net.set_params(max_epochs=max(most, 1), time_limit=limit)


def epochs(values: Mapping[str, Any], profile: DataProfile) -> int:
    """Epochs of a net that fit into the time of one fit."""
    width, ways = values["hidden_size"], 2 if values["bidirectional"] else 1
    inner = values["n_layers"] * ways * 4 * width * width  # gates, candidates, and back
    # Forward and twice that backward.
    step_flops = 3 * 2 * (inner + values["conv_size"] * profile.shape[1] * width)
    return epochs_within(
        profile, ROW_SECONDS + profile.length * step_flops / FLOPS_A_SECOND, EPOCHS
    )


def net_time_reason(values: Mapping[str, Any], profile: DataProfile) -> str:
    """Why there is no time for a net, an empty line if there is."""
    if epochs(values, profile) >= FEWEST_EPOCHS:
        return ""
    return f"{FEWEST_EPOCHS} epochs of it do not fit into a fifth of time_limit"


def fallback(profile: DataProfile) -> Pipeline:
    """A small model that is fitted in about a second."""
    return Pipeline(
        [
            ("prepare", SequenceSummaryTransformer()),
            ("classify", CompactExtraTreesClassifier(60, random_state=0)),
        ]
    )
