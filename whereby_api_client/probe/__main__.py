"""Ask the Whereby API where it differs from its OpenAPI document, the facts and the fake.

Reads what can be read with the key in WHEREBY_API_KEY and writes a report without values: no name,
URL, id or token is in it, so it can be attached to an issue. See docs/testing.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import anyio

from .._http._httpx import httpx
from .._runtime import checks
from ..errors import InvalidArgumentError
from ..testing.document import published
from ._calls import READ_POINTS, WRITE_POINTS, Probe
from ._report import as_json, as_markdown

BASE_URL = "https://api.whereby.dev/v1"


def main(arguments: list[str] | None = None) -> int:
    """Ask, and write the report. Return 0 whether or not there are differences."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        token = checks.token(None)
    except InvalidArgumentError as error:
        parser.error(str(error))
    if not options.base_url.startswith(("http://", "https://")):
        parser.error(f"--base-url must be http:// or https://; got {options.base_url!r}")
    usual = READ_POINTS + (WRITE_POINTS if options.write else 0)
    print(
        f"About {usual} points by the document's prices, and never more than {options.points}.",
        file=sys.stderr,
    )
    if options.write:
        print("One meeting is created and deleted.", file=sys.stderr)
    probe = anyio.run(ask, options.base_url, token, options.points, options.write)
    report = as_json(probe, options.points)
    written = as_markdown(report)
    print(written, end="")
    if options.output is not None:
        try:
            Path(f"{options.output}.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
            Path(f"{options.output}.md").write_text(written, "utf-8")
        except OSError as error:
            print(f"error: cannot write the report: {error}", file=sys.stderr)
            return 1
    return 0 if probe.observations else 1


async def ask(base_url: str, token: str, points: int, write: bool) -> Probe:
    """Ask the API at a base URL."""
    async with httpx.AsyncClient(base_url=base_url, timeout=30.0) as client:
        probe = Probe(client, token, published(), points)
        await probe.run(write=write)
    return probe


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m whereby_api_client.probe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--write", action="store_true", help="also create and delete one meeting")
    add(
        "--points",
        type=_points,
        default=100,
        help="never spend more, whatever calls really cost (default: %(default)s)",
    )
    add("--output", metavar="NAME", help="write NAME.md and NAME.json")
    add("--base-url", default=BASE_URL, help="another API (default: %(default)s)")
    return parser


def _points(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 10 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"must be between 10 and 1000; got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
