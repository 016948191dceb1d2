"""A Django project of one module of URLs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest


@contextmanager
def django_project(urls: ModuleType) -> Iterator[None]:
    """Run Django with the URLs of a module; its settings can be made only once in a process."""
    django = pytest.importorskip("django")
    from django.conf import settings
    from django.test import override_settings

    if not settings.configured:
        settings.configure(
            SECRET_KEY="made up",
            ALLOWED_HOSTS=["*"],
            # As in a new project, where a POST without a token of the form is refused.
            MIDDLEWARE=[
                "django.middleware.common.CommonMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
            ],
        )
        django.setup()
    sys.modules[urls.__name__] = urls
    with override_settings(ROOT_URLCONF=urls.__name__):
        yield
    del sys.modules[urls.__name__]
