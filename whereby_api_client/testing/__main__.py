"""`python -m whereby_api_client.testing`: the fake on a real socket, for whoever speaks HTTP."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from typing import get_args

import anyio

from .fake import TOKEN, FakeWhereby
from .points import AlgorithmName, ResetForm, RetryAfterForm


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted."""
    options = vars(_parser().parse_args(arguments))
    host, port = options.pop("host"), options.pop("port")
    demo, quiet = options.pop("demo"), options.pop("quiet")
    if not quiet:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        # the log is about requests, not about what serves them
        logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        fake = FakeWhereby(remote=True, **options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if demo:
        fake.seed_demo()
    try:
        anyio.run(_serve, fake, host, port)
    except OSError as error:
        print(f"error: cannot serve on {host}:{port}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m whereby_api_client.testing", description=__doc__
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8080, help="0 takes a free one (default: %(default)s)")
    add("--token", default=TOKEN, help="the token to accept (default: %(default)s)")
    add("--limit", type=int, default=1000, help="points per period (default: %(default)s)")
    add("--period", type=float, default=60.0, help="in seconds (default: %(default)s)")
    add("--algorithm", choices=get_args(AlgorithmName), default="fixed", help="how points count")
    add(
        "--headers",
        choices=("always", "limited", "never"),
        default="always",
        help="which answers tell of points",
    )
    add("--reset", choices=get_args(ResetForm), default="js", help="form of X-RateLimit-Reset")
    add(
        "--retry-after",
        choices=get_args(RetryAfterForm),
        default="fraction",
        help="form of Retry-After",
    )
    add("--delay", type=_delay, metavar="SECONDS", help="on the way, each way: 0.05, or 0.01-0.09")
    add("--job-time", type=float, default=0.5, help="seconds until a transcription is ready")
    add("--seed", type=int, help="the same ids every time")
    add("--demo", action="store_true", help="begin with some rooms, recordings and insights")
    add("--quiet", action="store_true", help="do not log requests")
    return parser


def _delay(text: str) -> float | tuple[float, float]:
    least, dash, most = text.partition("-")
    return (float(least), float(most)) if dash else float(least)


async def _serve(fake: FakeWhereby, host: str, port: int) -> None:
    async with fake.serve(host, port) as url:
        # a parent process reads this line to learn the port
        print(f"Whereby (fake) at {url} with the token {fake.token}", flush=True)
        if sys.platform == "win32":  # pragma: no cover
            await anyio.sleep_forever()
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                return


if __name__ == "__main__":
    sys.exit(main())
