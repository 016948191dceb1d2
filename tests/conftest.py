"""Tests that are marked with `anyio` run on asyncio and on trio."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from .helpers.lost_names import expected_failure, mentioned_in

# What a machine happens to have set is not for the tests, nor for the processes that they start.
_OF_THE_MACHINE = re.compile(
    "WHEREBY_(API_KEY|WEBHOOK_SECRET|LOG)|(.+_)?REDIS_URL|SSL_CERT_(FILE|DIR)|SSLKEYLOGFILE"
    "|PYTHON(WARNINGS|DEVMODE|SAFEPATH|OPTIMIZE)|PYTEST_ADDOPTS|COLUMNS|(FORCE|NO|PY)_COLORS?"
    "|(?i:.+_PROXY)"
)
for name in filter(_OF_THE_MACHINE.fullmatch, list(os.environ)):
    del os.environ[name]

# The same examples in every run, on a machine of any speed; HYPOTHESIS_PROFILE=search looks for new
# ones, as the long runs do.
settings.register_profile(
    "same",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("search", settings.get_profile("same"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Name the event loop of a test."""
    return str(request.param)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let the garbage collections of the tests pass over the half a million objects that stay."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Start one worker more than there are cores: tests wait for processes and servers."""
    workers = yield
    return workers + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Expect a test to fail that uses what the live API has lost."""
    report = yield
    if report.failed and call.excinfo is not None:
        output = "\n".join(content for _, content in report.sections)
        if name := expected_failure(item, call.excinfo.value, output):
            report.outcome = "skipped"
            report.wasxfail = f"the API has {name} no more, or in another way"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip a module that cannot be imported because of what the live API has lost."""
    report = yield
    if report.failed and (name := mentioned_in(collector.path, str(report.longrepr))):
        report.outcome = "skipped"
        reason = f"Skipped: the API has {name} no more, or in another way"
        report.longrepr = (str(collector.path), 0, reason)
    return report
