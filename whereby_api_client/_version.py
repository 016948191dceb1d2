"""The version of the package: its only place (hatch reads it from here)."""

__version__ = "0.1.0"
