"""Tests of the overrides: engine, rules, names, and documents that may come."""
