"""Reports of the probe as fixtures: what an API showed is what the fake shows.

`reports/fake.json` is the fake's own. A report of the real API goes beside it: where the fake shows
something else, this test fails, and either the fake is brought to do the same, or the difference
stands in `KNOWN` with its reason. `python -m tests.probe.test_reports` writes the fake's anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from whereby_api_client.probe._calls import ABSENT
from whereby_api_client.probe._report import as_json
from whereby_api_client.testing.document import published

from .test_probe import ask, furnished

FOLDER = Path(__file__).with_name("reports")
REPORTS = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.json"))}

KNOWN: dict[str, str] = {}
"""`report: call: what`, with the reason why the fake does something else."""


async def shown_by_the_fake() -> dict[str, Any]:
    """Return the report of the probe on the plain fake."""
    fake = await furnished()
    return as_json(await ask(fake.transport(), fake.token), 100)


def differences(name: str, expected: dict[str, Any], report: dict[str, Any]) -> list[str]:
    """Return where one report shows something else than another, call by call."""
    calls = {call["name"]: call for call in report["calls"]}
    lines: list[str] = []
    operations = {operation.name for operation in published().operations}
    for call in expected["calls"]:
        if call["operation"] not in operations:
            continue
        other = calls.get(call["name"])
        if other is None and any(reason.endswith(ABSENT) for reason in report["skipped"]):
            continue  # it needed a call that the document does not have any more
        if other is None:
            lines.append(f"{name}: {call['name']}: not made")
            continue
        for key in ("status", "price", "headers"):
            # a price that was not to be seen says nothing
            if call[key] is not None and call[key] != other[key]:
                lines.append(f"{name}: {call['name']}: {key}")
    both = [finding for finding in expected["findings"] if finding not in report["findings"]]
    lines += [f"{name}: {f['operation']}: {f['kind']} {f['where']}" for f in both]
    return [line for line in lines if line not in KNOWN]


@pytest.mark.anyio
@pytest.mark.parametrize("name", REPORTS)
async def test_the_fake_does_what_was_seen(name: str) -> None:
    """Show the same statuses, prices, headers and differences as the API of the report."""
    expected = json.loads(REPORTS[name])
    assert expected["format"] == 1
    assert not differences(name, expected, await shown_by_the_fake())


@pytest.mark.anyio
async def test_differences_are_seen() -> None:
    """Fail for a report that shows another status, price, header, or difference."""
    report = await shown_by_the_fake()
    expected = json.loads(json.dumps(report))
    expected["calls"][0]["status"] = 202
    expected["calls"][1]["price"] = 4
    expected["calls"][2]["headers"]["x-ratelimit-reset"] = "epoch seconds"
    finding = {"kind": "enum-value", "operation": "transcriptions.list", "where": "body.x"}
    expected["findings"].append(finding)
    assert differences("real", expected, report) == [
        "real: first response: status",
        "real: meetings: price",
        "real: a meeting: headers",
        "real: transcriptions.list: enum-value body.x",
    ]


if __name__ == "__main__":
    report = anyio.run(shown_by_the_fake)
    report.pop("version")
    (FOLDER / "fake.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
