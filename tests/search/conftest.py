"""Property tests without a deadline: on a busy machine the first example of a test is slow."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
