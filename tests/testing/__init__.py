"""Tests of the fake Whereby, through plain HTTP."""
