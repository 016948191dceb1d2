"""Tests of the overrides: engine, cures, names, and documents that may come."""
