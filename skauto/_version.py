"""The version of skauto: pyproject.toml and the model file read it here."""

__version__ = "0.1.0"
