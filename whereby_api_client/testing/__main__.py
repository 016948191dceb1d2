"""Serve a fake Whereby on a real socket, for any language and any tool that speaks HTTP.

The control API under /_fake/ adds data, orders faults, moves the clock and sends webhooks:
docs/testing.md describes it. Stop with Ctrl-C.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from typing import get_args

import anyio

from ..errors import WherebyError
from .fake import TOKEN, FakeWhereby
from .points import AlgorithmName, HeadersSent, ResetForm, RetryAfterForm
from .webhooks import WebhookSender, send_job_events

SECRET_VARIABLE = "WHEREBY_WEBHOOK_SECRET"


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted."""
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    host, port = options.pop("host"), options.pop("port")
    demo, quiet = options.pop("demo"), options.pop("quiet")
    url, secret = options.pop("webhook_url"), options.pop("webhook_secret")
    options["prices"] = dict(options.pop("price"))
    if url and not secret:
        parser.error(f"--webhook-url needs --webhook-secret, or {SECRET_VARIABLE}")
    try:
        sender = WebhookSender(url, secret) if url else None
        fake = FakeWhereby(remote=True, webhooks=sender, **options)
    except (ValueError, WherebyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not quiet:
        logging.basicConfig(format="%(message)s", stream=sys.stderr)
        # the log is about requests, not about what serves them
        logging.getLogger("whereby_api_client.testing").setLevel(logging.INFO)
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
        prog="python -m whereby_api_client.testing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = "(default: %(default)s)"
    add = parser.add_argument_group("address").add_argument
    add("--host", default="127.0.0.1", help=f"address to listen on {default}")
    add("--port", type=_port, default=8080, help=f"0 takes a free one {default}")
    add("--token", default=TOKEN, help=f"the token to accept {default}")

    add = parser.add_argument_group("points").add_argument
    add("--limit", type=_whole, default=1000, help=f"points per period {default}")
    add("--period", type=_seconds, default=60.0, help=f"in seconds {default}")
    algorithms = get_args(AlgorithmName)
    add("--algorithm", choices=algorithms, default="fixed", help=f"how points count {default}")
    add(
        "--price",
        type=_price,
        action="append",
        default=[],
        metavar="OPERATION=POINTS",
        help="what an operation costs, by name or pattern: 'insights.*=10'; may be repeated",
    )
    add(
        "--headers",
        choices=get_args(HeadersSent),
        default="always",
        help=f"which responses report the points {default}",
    )
    add(
        "--reset",
        choices=get_args(ResetForm),
        default="js",
        help=f"form of X-RateLimit-Reset {default}",
    )
    add(
        "--retry-after",
        choices=get_args(RetryAfterForm),
        default="fraction",
        help=f"form of Retry-After {default}",
    )

    add = parser.add_argument_group("webhooks").add_argument
    add("--webhook-url", metavar="URL", help="where to send webhooks; none are sent without it")
    add(
        "--webhook-secret",
        metavar="SECRET",
        default=os.environ.get(SECRET_VARIABLE),
        help=f"what they are signed with (default: the variable {SECRET_VARIABLE})",
    )

    add = parser.add_argument_group("behaviour").add_argument
    add("--strict", action="store_true", help="refuse whatever the OpenAPI document forbids")
    add("--delay", type=_delay, metavar="SECONDS", help="on the way, each way: 0.05, or 0.01-0.09")
    add(
        "--job-time",
        type=_seconds,
        default=0.5,
        metavar="SECONDS",
        help=f"until a transcription or summary is ready {default}",
    )
    add("--seed", type=_whole, help="the same ids every time")
    add("--demo", action="store_true", help="begin with some rooms, recordings and insights")
    add("--quiet", action="store_true", help="do not log requests")
    return parser


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number; got {text!r}") from None


def _port(text: str) -> int:
    port = _whole(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"must be between 0 and 65535; got {port}")
    return port


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number of seconds; got {text!r}") from None
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must not be negative or endless; got {text!r}")
    return seconds


def _delay(text: str) -> float | tuple[float, float]:
    least, dash, most = text.partition("-")
    if not dash:
        return _seconds(text)
    if _seconds(least) > _seconds(most):
        raise argparse.ArgumentTypeError(f"must be LEAST-MOST; got {text!r}")
    return _seconds(least), _seconds(most)


def _price(text: str) -> tuple[str, int]:
    operation, equals, points = text.rpartition("=")
    if not equals or not operation:
        raise argparse.ArgumentTypeError(f"must be OPERATION=POINTS; got {text!r}")
    return operation, _whole(points)


async def _serve(fake: FakeWhereby, host: str, port: int) -> None:
    async with fake.serve(host, port) as url, anyio.create_task_group() as tasks:
        if fake.webhooks is not None:
            tasks.start_soon(send_job_events, fake.state, fake.webhooks)
        # a parent process reads this line to learn the port
        print(f"Whereby (fake) at {url} with the token {fake.token}", flush=True)
        if sys.platform == "win32":  # pragma: no cover
            await anyio.sleep_forever()
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                break
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    sys.exit(main())
