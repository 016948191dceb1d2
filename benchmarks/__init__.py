"""Measurements: ratios within one run, against named alternatives. Nothing here fails a build."""
