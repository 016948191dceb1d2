"""Replace several files and folders of the tree in one step, whatever interrupts it.

No file system renames six paths at once, so a step is a journal:

1. Everything new is built in a folder beside the tree (`room`), on the same file system, with the
   list of the paths to replace (PLAN). Until here an interruption leaves the tree as it was; the
   next command sweeps the folder away.
2. One atomic rename turns the room into a STEP. From here on the step is decided.
3. A process of its own, in a session of its own, moves each path into place. It is out of reach of
   Ctrl-C and of a SIGKILL to whoever started it, and takes milliseconds.
4. Should that process die too (a power cut), the next command finds the STEP and completes it
   first: what has been moved is no longer in it, so doing it again does no harm.

A lock on the tree's folder keeps two commands apart. The finishing process inherits it, so that a
command that follows at once waits for it. This file is also that process: it imports nothing but
the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOM = ".overrides-room"
STEP = ".overrides-step"
PLAN = "plan.json"

_SHIELDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


# the room that this process is in, for a signal handler that has to leave it
_entered: list[Room] = []


class StepFailed(Exception):
    """The step could not be done; what it had moved was put back."""


class Room:
    """A folder beside the tree in which its next state is built."""

    def __init__(self, root: Path, lock: int) -> None:
        self.root = root
        self.path = root / ROOM
        self.new = self.path / "new"
        self._lock = lock
        self.replaced = False

    def replace(self, paths: Iterable[Path]) -> None:
        """Put `new/<path>` in the place of `<root>/<path>` for all paths at once.

        Raises:
            StepFailed: the file system refused; the tree is as it was.
        """
        plan = [path.as_posix() for path in paths]
        for path in plan:
            if not (self.new / path).exists():
                raise FileNotFoundError(self.new / path)
            _sync(self.new / path)
        marker = self.path / PLAN
        marker.write_text(json.dumps(plan), encoding="utf-8")
        _sync(marker)
        # A signal that arrives from here on is delivered when the step is done.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SHIELDED)
        try:
            os.rename(self.path, self.root / STEP)
            self.replaced = True
            _sync_folder(self.root)
            self._finish_elsewhere()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _finish_elsewhere(self) -> None:
        done = subprocess.run(
            [sys.executable, "-I", __file__, str(self.root)],
            start_new_session=True,
            pass_fds=[self._lock],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            self.replaced = False
            raise StepFailed(done.stderr.strip())


@contextlib.contextmanager
def room(root: Path) -> Iterator[Room]:
    """Give a command its room, with nobody else at work on the tree; clean up after it."""
    lock = os.open(root, os.O_RDONLY)
    try:
        _wait_for(lock)
        recover(root)
        made = Room(root, lock)
        _entered.append(made)
        made.new.mkdir(parents=True)
        # whoever looks at the tree meanwhile, or after a SIGKILL, is not bothered by it
        (made.path / ".gitignore").write_text("*\n", encoding="utf-8")
        try:
            yield made
        finally:
            shutil.rmtree(made.path, ignore_errors=True)
            _entered.remove(made)
    finally:
        os.close(lock)


def abandon() -> bool:
    """Clean up, for a process that ends at once; tell whether the tree is the new one already."""
    for made in _entered:
        shutil.rmtree(made.path, ignore_errors=True)
    return any(made.replaced for made in _entered)


def recover(root: Path) -> None:
    """Complete a step that was decided and not done; sweep away what was never decided."""
    finish(root)
    shutil.rmtree(root / ROOM, ignore_errors=True)


def finish(root: Path) -> None:
    """Move everything that a decided step still holds into its place; put all back if one fails.

    Raises:
        StepFailed: the file system refused.
    """
    step = root / STEP
    try:
        plan: list[str] = json.loads((step / PLAN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        # without a plan there is nothing left to move: the plan goes when all is in place
        shutil.rmtree(step, ignore_errors=True)
        return
    try:
        for path in plan:
            _move_in(step, root, path)
    except OSError as error:
        for path in reversed(plan):
            _move_back(step, root, path)
        shutil.rmtree(step, ignore_errors=True)
        raise StepFailed(f"{error.filename or root}: {error.strerror or error}") from None
    _sync_folder(root)
    (step / PLAN).unlink()
    shutil.rmtree(step, ignore_errors=True)


def _move_in(step: Path, root: Path, path: str) -> None:
    new, old, target = step / "new" / path, step / "old" / path, root / path
    if not new.exists():
        return  # moved by whoever was interrupted
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        # only an empty folder can be replaced by a rename; `move` copies where an overlay file
        # system refuses to rename a folder
        _remove(old)
        old.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(target, old)
        os.rename(new, target)
    else:
        if target.exists():
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(target, old)
        os.replace(new, target)
    _sync_folder(target.parent)


def _move_back(step: Path, root: Path, path: str) -> None:
    new, old, target = step / "new" / path, step / "old" / path, root / path
    if old.exists():
        _remove(target)
        shutil.move(old, target)
    elif not new.exists():
        _remove(target)  # there was none before


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _wait_for(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another overrides command to end", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _sync(path: Path) -> None:
    """Make sure that a file, or all of a folder, survives a power cut."""
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with open(file, "rb") as opened:
                os.fsync(opened.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if __name__ == "__main__":
    try:
        finish(Path(sys.argv[1]))
    except StepFailed as failed:
        sys.exit(str(failed))
