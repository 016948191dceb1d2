"""Async-first Python client for the Whereby REST API."""
