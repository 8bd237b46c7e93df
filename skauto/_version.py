"""The version of skauto: pyproject.toml and the model file read it here."""

__version__ = "0.2.0"
