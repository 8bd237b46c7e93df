"""Builder: makes the estimator of a configuration, in a worker."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skauto._seeds import seeded_where_open
from skauto.automl._candidate import Build, Candidate, Prepare
from skauto.automl._data_profile import DataProfile
from skauto.automl._epoch_planning import apply_fidelity
from skauto.automl._imbalance import (
    NONE,
    separated,
    with_imbalance_strategy,
    with_labels,
)
from skauto.automl._types import Estimator, Values


@dataclass(frozen=True)
class Builder:
    """Makes the estimator of a configuration.

    Parameters
    ----------
    candidates : dict of str to Candidate
    profile : DataProfile
    labels : ndarray of shape (n_classes,)
        What the candidates of the user learn in the place of codes.
    """

    candidates: dict[str, Candidate]
    profile: DataProfile
    labels: np.ndarray

    @property
    def nets(self) -> set[str]:
        """Names of the candidates that are networks."""
        return {
            name
            for name, candidate in self.candidates.items()
            if candidate.extra == "deep"
        }

    def keeps(self, values: Values) -> bool:
        """Whether the model of a trial is the final one, if it was trained on one fold alone.

        Networks of images are, and where one part of the rows is held back all that is built in.
        """
        if self.profile.holds_out and not self.is_own(values):
            return True
        return self.keeps_network(values)

    def keeps_network(self, values: Values) -> bool:
        """Whether the model of a trial is the final one as it is a network, which may have all the time."""
        return self.profile.kind.effort.keeps_networks and self.is_network(values)

    def is_network(self, values: Values) -> bool:
        """Whether a configuration is one of a network."""
        return values["candidate"] in self.nets

    def is_safe(self, values: Values) -> bool:
        """Whether a configuration may be fitted in the user's process: one of scikit-learn's or LightGBM's own."""
        candidate = self.candidates[values["candidate"]]
        # Code of others may hang or exhaust the memory, and a network cannot be ended in this process.
        if candidate.is_own or candidate.extra is not None:
            return False
        return cast(Build, candidate.build).__module__.startswith("skauto.")

    def is_own(self, values: Values) -> bool:
        """Whether a configuration is one of the user's candidates, which are fitted and asked as they are."""
        return self.candidates[values["candidate"]].is_own

    def has_own(self) -> bool:
        """Whether any candidate is the user's."""
        return any(candidate.is_own for candidate in self.candidates.values())

    def at_fidelity(
        self, values: Values, pipeline: Pipeline, fidelity: float, least: float
    ) -> tuple[Pipeline, float]:
        """A pipeline with less effort, and its fraction of the rows; `least` is the smallest one of rows."""
        candidate = self.candidates[values["candidate"]]
        own = candidate.own_fidelity() if candidate.is_own else None
        if own is None:
            return apply_fidelity(pipeline, fidelity, least)
        if own.parameter is None:
            n_rows = self.profile.n_rows
            return pipeline, max(own.amount(fidelity, n_rows) / n_rows, least)
        _classifier_of(pipeline, values).set_params(**own.values(fidelity))
        return pipeline, 1.0

    def plan_training(self, values: Values, pipeline: Pipeline) -> Pipeline:
        """The pipeline, its network with as many epochs and seconds as it has time for; in the worker.

        Raises
        ------
        TimeoutError
            Where it has less time than the fewest epochs take.
        """
        plan = self.candidates[values["candidate"]].plan_training
        if plan is not None:
            plan(_classifier_of(pipeline, values), values, self.profile)
        return pipeline

    def for_refit(self) -> "Builder":
        """The builder of the final models, for which there is more time than for a fold."""
        return replace(self, profile=replace(self.profile, refit=True))

    def fallback(self) -> Pipeline:
        """A small model of the data's kind."""
        return self.profile.kind.fallback(self.profile)

    def __call__(self, values: Values, seed: int) -> Pipeline:
        rest = {name: value for name, value in values.items() if name != "candidate"}
        if self.is_own(values):  # it learns the labels of the user
            rest = with_labels(rest, self.labels)
        return build_pipeline(
            self.candidates[values["candidate"]], rest, self.profile, seed
        )


def _classifier_of(pipeline: Pipeline, values: Values) -> Estimator:
    """The classifier of a candidate in its pipeline, inside of an imbalance strategy."""
    last = pipeline.steps[-1][1]
    return last if values.get("imbalance", NONE) == NONE else last.estimator


def build_pipeline(
    candidate: Candidate, values: Values, profile: DataProfile, seed: int
) -> Pipeline:
    """The Pipeline of one configuration of a candidate.

    Parameters
    ----------
    candidate : Candidate
    values : dict
        Its parameters, "imbalance" with its settings among them.
    profile : DataProfile
    seed : int

    Returns
    -------
    pipeline : Pipeline
        Steps "clean" (tables only), "prepare" (not for every candidate) and "classify"; of a user's candidate the last
        one is its estimator, which sees X as it was given, by a step "as_given" where that is not how X was read.
    """
    values, strategy = separated(values)
    steps: list[tuple[str, Estimator]] = []
    if candidate.prepare:
        steps += profile.kind.first_steps()
    elif profile.as_given is not None:
        steps.append(("as_given", clone(profile.as_given)))
    if candidate.is_own:
        # The full effort unless a trial has less: it is judged by that, and the final model has it too.
        values = {**values, **candidate.at_fidelity(1.0)}
        classifier = seeded_where_open(candidate.estimator, seed).set_params(**values)
    else:
        prepare = cast(Prepare, candidate.prepare)(values, profile)
        classifier = cast(Build, candidate.build)(values, profile, seed)
        steps += [("prepare", prepare)] if prepare is not None else []
    return Pipeline(
        [*steps, ("classify", with_imbalance_strategy(classifier, strategy, seed))]
    )
