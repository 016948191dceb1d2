"""The swap: all paths are replaced, or none is; two commands do not meet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from overrides.paths import ROOT
from overrides.staging import STAGE, stage

# a file, a folder, a file in a folder that stays, and something that was not there before
PATHS = [Path("a.json"), Path("code/gen"), Path("code/data.json"), Path("code/fresh/new.txt")]


def put(root: Path, content: str) -> None:
    """Write all paths with this content; the old repository lacks the last one."""
    for path in PATHS[: 4 if content == "new" else 3]:
        file = root / path / "deep/x.py" if path.name == "gen" else root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def content(root: Path) -> str:
    """Return whether the repository is the old or the new one."""
    files = {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()}
    files = {name: text for name, text in files.items() if not name.startswith(STAGE)}
    assert files.pop("code/by_hand.py") == "by hand"
    if files == dict.fromkeys(["a.json", "code/data.json", "code/gen/deep/x.py"], "old"):
        return "old"
    names = ["a.json", "code/data.json", "code/gen/deep/x.py", "code/fresh/new.txt"]
    return "new" if files == dict.fromkeys(names, "new") else f"mixed: {files}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an old repository."""
    put(tmp_path, "old")
    (tmp_path / "code/by_hand.py").write_text("by hand")
    return tmp_path


def swap(root: Path, what: str, error: type[BaseException] | None = None) -> None:
    """Swap a repository's files, or fail before that."""
    with stage(root) as staged:
        put(staged.new, what)
        if error is not None:
            raise error
        staged.swap(PATHS)


def test_everything_is_replaced(root: Path) -> None:
    """Replace files and folders, add what is new, keep the rest, leave nothing behind."""
    with stage(root) as staged:
        put(staged.new, "new")
        assert content(root) == "old"
        staged.swap(PATHS)
        assert content(root) == "new"
    assert not (root / STAGE).exists()


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_changes_nothing(root: Path, error: type[BaseException]) -> None:
    """Leave the repository alone when the command fails before the swap."""
    with pytest.raises(error):
        swap(root, "new", error)
    assert content(root) == "old"
    assert not (root / STAGE).exists()


def test_something_missing_changes_nothing(root: Path) -> None:
    """Refuse a swap that could not be completed."""
    with pytest.raises(FileNotFoundError, match="fresh"):
        swap(root, "old")
    assert content(root) == "old"


def test_a_refusing_file_system_changes_nothing(root: Path) -> None:
    """Put back what was moved when a later path cannot be."""
    (root / "code/fresh").write_text("a file where a folder has to be")
    with pytest.raises(OSError, match="code/fresh"):
        swap(root, "new")
    (root / "code/fresh").unlink()
    assert content(root) == "old"
    assert not (root / STAGE).exists()


@pytest.mark.parametrize("moment", range(1, 8))
def test_interrupted_at_every_moment(
    root: Path, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put back what was moved when Ctrl-C arrives during the swap."""
    moves = 0

    def move(source: Path, target: Path) -> None:
        nonlocal moves
        moves += 1
        if moves == moment:
            raise KeyboardInterrupt
        source.rename(target)

    monkeypatch.setattr("overrides.staging.shutil.move", move)
    with pytest.raises(KeyboardInterrupt):
        swap(root, "new")
    monkeypatch.undo()
    assert content(root) == "old"


def test_what_a_killed_command_left(root: Path) -> None:
    """Remove it, and let git not see it meanwhile."""
    put(root / STAGE, "left")
    with stage(root) as staged:
        assert sorted(path.name for path in staged.path.iterdir()) == [".gitignore", "new"]
        assert (staged.path / ".gitignore").read_text() == "*\n"
        assert list(staged.new.iterdir()) == []


def test_commands_wait_for_each_other(root: Path) -> None:
    """Keep a second command out until the first has left."""
    with stage(root):
        script = "import sys; from pathlib import Path; from overrides.staging import stage\n"
        script += "with stage(Path(sys.argv[1])): print('in', flush=True)"
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
    assert second.communicate(timeout=60) == ("in\n", "")
