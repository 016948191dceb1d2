"""The report: JSON to keep, Markdown to read. It is made of findings and observations only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from .._version import __version__
from ._calls import Probe

__all__ = ["as_json", "as_markdown"]


def as_json(probe: Probe, announced: int) -> dict[str, Any]:
    """Return the report as JSON."""
    return {
        "report": "whereby_api_client.probe",
        "format": 1,
        "version": __version__,
        "points": {"announced": announced, "spent": probe.spent},
        "findings": [attrs.asdict(finding) for finding in probe.findings],
        "calls": [attrs.asdict(observation) for observation in probe.observations],
        "skipped": probe.skipped,
    }


def as_markdown(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    points = report["points"]
    lines = [
        "# What the Whereby API really does",
        "",
        f"Made by whereby-api-client {report['version']} with {len(report['calls'])} calls, "
        f"{points['spent']} of at most {points['announced']} points. "
        "It holds no value of a response: only names of the OpenAPI document, statuses, points and "
        "forms.",
        "",
        f"## Differences ({len(report['findings'])})",
        "",
    ]
    if report["findings"]:
        lines += _table(
            ("kind", "operation", "where", "expected", "actual"),
            (
                [f[k] for k in ("kind", "operation", "where", "expected", "actual")]
                for f in report["findings"]
            ),
        )
    else:
        lines.append("None: the API does what the document, docs/api-facts.md and the fake say.")
    lines += ["", "## Calls", ""]
    lines += _table(
        ("call", "operation", "status", "price in the document", "price counted"),
        (
            [c["name"], c["operation"], c["status"], c["document_price"], c["price"]]
            for c in report["calls"]
        ),
    )
    headers = sorted({(n, form) for call in report["calls"] for n, form in call["headers"].items()})
    lines += ["", "## Headers", "", *_table(("header", "form"), headers)]
    if report["skipped"]:
        lines += ["", "## Not asked", "", *(f"- {reason}" for reason in report["skipped"])]
    return "\n".join(lines) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> list[str]:
    cells = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in cells]


def _cell(value: Any) -> str:
    text = "not shown" if value is None else str(value)
    return text.replace("|", "\\|").replace("<", "&lt;")
