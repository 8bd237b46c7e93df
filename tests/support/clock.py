"""A simulated clock."""


class Clock:
    """A clock that goes on only when told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now
