"""The overrides: one module per kind of defect in the published OpenAPI document.

A new one is a new module here; the engine finds it (`overrides/engine.py` says what a module has to
hold). Its `AFTER` and `BEFORE` name the overrides that it needs to run after or before; else the
order is that of the names. CONTRIBUTING.md shows how to write one.
"""
