"""Build the next state of some files and folders in a folder apart, then swap it in.

The swap goes path by path, the published document last. Should a power cut stop it half way, git
and `make check` show what is new and what is old, and the command can be run again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

STAGE = ".overrides-stage"


class Stage:
    """The folder in which the next state of a repository is built."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / STAGE
        self.new = self.path / "new"

    def swap(self, paths: Iterable[Path]) -> None:
        """Replace `<root>/<path>` by `new/<path>` for all paths; if one fails, put all back.

        Raises:
            FileNotFoundError: one of the new paths was not built; nothing was changed.
            OSError: the file system refused; nothing was changed.
        """
        paths = list(paths)
        for path in paths:
            (self.new / path).lstat()
        done: list[Path] = []
        try:
            for path in paths:
                done.append(path)
                self._swap_one(path)
        except BaseException:  # Ctrl-C as well
            for path in reversed(done):
                self._put_back(path)
            raise

    def _swap_one(self, path: Path) -> None:
        old, target = self.path / "old" / path, self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(target, old)
        shutil.move(self.new / path, target)

    def _put_back(self, path: Path) -> None:
        old, target = self.path / "old" / path, self.root / path
        if old.exists():
            _remove(target)
            shutil.move(old, target)
        elif not (self.new / path).exists():
            _remove(target)  # there was none before


@contextlib.contextmanager
def stage(root: Path) -> Iterator[Stage]:
    """Provide a stage that no other command uses at the same time; remove it in the end."""
    lock = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another overrides command to end", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        built = Stage(root)
        shutil.rmtree(built.path, ignore_errors=True)  # of a command that was killed
        built.new.mkdir(parents=True)
        (built.path / ".gitignore").write_text("*\n", encoding="utf-8")
        try:
            yield built
        finally:
            shutil.rmtree(built.path, ignore_errors=True)
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
