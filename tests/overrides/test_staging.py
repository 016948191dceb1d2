"""Several paths replaced in one step: whatever happens, all are old or all are new."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from overrides.paths import ROOT
from overrides.staging import PLAN, ROOM, STEP, StepFailed, finish, recover, room

from ..helpers.staging_runs import PATHS, put

LEFT = (ROOM, STEP)

# Makes the step in a process that kills itself, or is told something, at the n-th thing it does to
# the file system (Python announces each to audit hooks).
PROCESS = """
import os, signal, sys
from pathlib import Path
from overrides import staging as step
from tests.helpers.staging_runs import PATHS, put
root, number, at = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
count = 0
def hook(event, args):
    global count
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.move", "shutil.rmtree",
                 "shutil.copyfile", "subprocess.Popen", "open"):
        count += 1
        if count == at:
            os.kill(os.getpid(), number)
if sys.argv[4] == "whole":
    with step.room(root) as made:
        put(made.new, "new")
        sys.addaudithook(hook)
        made.replace(PATHS)
else:
    sys.addaudithook(hook)
    step.finish(root)
print("done", count)
"""


def look(root: Path) -> str:
    """Tell what the tree is."""
    files = [p for p in root.rglob("*") if p.is_file() and not set(p.parts) & set(LEFT)]
    found = {str(p.relative_to(root)): p.read_text() for p in files}
    kept = found.pop("code/by_hand.py")
    assert kept == "by hand"
    if found == dict.fromkeys(["a.json", "code/data.json", "code/gen/deep/x.py"], "old"):
        return "old"
    names = ["a.json", "code/data.json", "code/gen/deep/x.py", "code/fresh/new.txt"]
    return "new" if found == dict.fromkeys(names, "new") else f"mixed: {found}"


def settled(root: Path) -> None:
    """Wait until nobody is at work on the tree any more."""
    lock = os.open(root, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.close(lock)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an old tree."""
    put(tmp_path, "old")
    (tmp_path / "code/by_hand.py").write_text("by hand")
    return tmp_path


def run(root: Path, number: int, at: int, what: str) -> subprocess.CompletedProcess[str]:
    """Make the step in a process of its own."""
    command = [sys.executable, "-c", PROCESS, str(root), str(int(number)), str(at), what]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_everything_is_replaced(root: Path) -> None:
    """Replace files and folders, add what is new, keep the rest, leave nothing behind."""
    with room(root) as made:
        put(made.new, "new")
        assert look(root) == "old"
        made.replace(PATHS)
        assert look(root) == "new"
    assert not any((root / name).exists() for name in LEFT)


def make(root: Path, what: str, error: type[Exception] | None = None) -> None:
    """Make the step, or fail before it."""
    with room(root) as made:
        put(made.new, what)
        if error is not None:
            raise error
        made.replace(PATHS)


def test_an_error_changes_nothing(root: Path) -> None:
    """Leave the tree alone when the command fails before the step."""
    with pytest.raises(ZeroDivisionError):
        make(root, "new", ZeroDivisionError)
    assert look(root) == "old"
    assert not any((root / name).exists() for name in LEFT)


def test_something_missing_changes_nothing(root: Path) -> None:
    """Refuse a step that could not be completed."""
    with pytest.raises(FileNotFoundError, match="fresh"):
        make(root, "old")
    assert look(root) == "old"


def test_a_refusing_file_system_changes_nothing(root: Path) -> None:
    """Put back what was moved when a later path cannot be."""
    (root / "code/fresh").write_text("a file where a folder has to be")
    with pytest.raises(StepFailed, match=r"code/fresh: (File exists|Not a directory)"):
        make(root, "new")
    (root / "code/fresh").unlink()
    assert look(root) == "old"
    assert not any((root / name).exists() for name in LEFT)


def test_git_does_not_see_the_room(root: Path) -> None:
    """Let nobody commit what is being built, or what a SIGKILL left of it."""
    with room(root) as made:
        assert (made.path / ".gitignore").read_text() == "*\n"


def test_killed_at_every_moment(root: Path) -> None:
    """SIGKILL the command at everything it does: the tree is old or new, at once."""
    seen = []
    for at in range(1, 1000):
        done = run(root, signal.SIGKILL, at, "whole")
        settled(root)
        seen.append(look(root))
        with room(root):  # the next command, whatever it is
            assert look(root) in ("old", "new")
        assert not any((root / name).exists() for name in LEFT)
        if done.returncode == 0:
            break
        put(root, "old")
        (root / PATHS[-1]).unlink(missing_ok=True)
    assert set(seen) == {"old", "new"}
    assert len(seen) > 10


def test_the_finishing_process_killed_at_every_moment(root: Path) -> None:
    """SIGKILL the process that moves things, which only a power cut does: it is completed."""
    moments = 0
    for at in range(1, 1000):
        put(root / ROOM / "new", "new")
        (root / ROOM / PLAN).write_text(json.dumps([str(path) for path in PATHS]))
        (root / ROOM).rename(root / STEP)
        done = run(root, signal.SIGKILL, at, "finish")
        recover(root)
        assert look(root) == "new"
        assert not any((root / name).exists() for name in LEFT)
        if done.returncode == 0:
            break
        moments += 1
        put(root, "old")
        (root / PATHS[-1]).unlink(missing_ok=True)
    assert moments > 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_wait_for_the_end_of_the_step(root: Path, number: signal.Signals) -> None:
    """Deliver what arrives during the step when all is in place."""
    ended = []
    for at in range(1, 100, 1 if number == signal.SIGINT else 6):
        done = run(root, number, at, "whole")
        settled(root)
        ended.append((look(root), done.returncode))
        if done.returncode == 0:
            break
        put(root, "old")
        (root / PATHS[-1]).unlink(missing_ok=True)
    assert {what for what, _ in ended} == {"old", "new"}
    assert {status for _, status in ended[:-1]} == {-number}


def test_a_finished_step_is_finished_once(root: Path) -> None:
    """Do nothing when there is nothing to finish."""
    finish(root)
    recover(root)
    assert look(root) == "old"


def test_commands_wait_for_each_other(root: Path) -> None:
    """Keep a second command out until the first has left."""
    with room(root):
        script = "import sys; from pathlib import Path; from overrides.staging import room\n"
        script += "with room(Path(sys.argv[1])): print('in', flush=True)"
        second = subprocess.Popen(
            [sys.executable, "-c", script, str(root)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        assert second.stderr.readline() == "waiting for another overrides command to end\n"
        assert second.poll() is None
    assert second.communicate(timeout=30) == ("in\n", "")
