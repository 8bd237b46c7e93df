"""The stages after a search, one after the other, on what a test hands them."""

from skauto.automl.selection._decide import conclude
from skauto.automl.selection._fallback import _quick_model
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._interrupts import Interrupts
from skauto.automl.selection._models import refit
from skauto.automl.selection._shortlist import select


class Finish:
    """The end of a fit, as AutoClassifier.fit runs it."""

    def __init__(self, plan, classes, pos_label, pool, phases, progress, here=True):
        self.plan, self.classes, self.pos_label = plan, classes, pos_label
        self.pool, self.phases, self.progress, self.here = pool, phases, progress, here
        self.interrupts = Interrupts()

    def after(self, history):
        """What the stages share."""
        return Finishing(
            self.plan, history, self.classes, self.pos_label, self.pool, self.phases, self.progress,
            here=self.here, interrupts=self.interrupts,
        )  # fmt: skip

    def run(self, history, use_ensemble, interrupted=False):
        """The final model; `interrupted` says that Ctrl-C ended the search."""
        self.interrupts.seen = interrupted
        after = self.after(history)
        selection = select(after, use_ensemble)
        return conclude(after, selection, refit(after, selection))

    def quick_model(self, history):
        """The quick model that a fallback takes."""
        return _quick_model(self.after(history))
