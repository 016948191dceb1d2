"""Read a command line, run the command, tell what came of it; never a traceback."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from . import check, forks
from .errors import Stopped
from .generate import generate
from .openapi.fetch import PUBLISHED_AT
from .paths import PACKAGE, ROOT, SNAPSHOT, write
from .staging import StepFailed, abandon, room
from .update import api_snapshot as surface
from .update import verify
from .update.api_diff import compare
from .update.report import Report
from .update.update import UpdateStopped, update


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status: 0, or 1 for any failure."""
    given = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        status: int = given.run(given)
        sys.stdout.flush()
        return status
    except UpdateStopped as stopped:
        _show(stopped.report, given.report)
        return _failed(given, f"stopped: {stopped}")
    except Stopped as stopped:
        return _failed(given, f"stopped: {stopped}")
    except StepFailed as failed:
        return _failed(given, f"the tree could not be changed: {failed}")
    except BrokenPipeError:  # the reader of our output has left, and the work is done
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # no space, no permission
        return _failed(given, f"stopped: {error.filename or ROOT}: {error.strerror or error}")
    except Exception as error:
        return _failed(given, _unexpected(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m overrides", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("generate", help="openapi/whereby.json + overrides/ → the package")
    made.add_argument("--retire", action="append", default=[], metavar="NAME")
    made.set_defaults(run=_generate)
    commands.add_parser("check", help="is everything committed?").set_defaults(run=_check)
    new = commands.add_parser("update", help="take a new document in")
    new.add_argument("spec", nargs="?", default=PUBLISHED_AT, metavar="path-or-URL")
    new.add_argument("--rename", action="store_true", help="accept new names of methods")
    new.add_argument("--report", type=Path, metavar="FILE", help="write the Markdown here, too")
    new.set_defaults(run=_update)
    api = commands.add_parser("api", help="write the snapshot of the public API")
    api.set_defaults(run=_api)
    templates = commands.add_parser("templates", help="accept the generator's templates as known")
    templates.set_defaults(run=_templates)
    return parser


def _generate(given: argparse.Namespace) -> int:
    print("\n".join(generate(ROOT, retire=given.retire)))
    return 0


def _check(given: argparse.Namespace) -> int:
    problems = check.problems(ROOT)
    if not problems:
        print("generated code is up to date, overrides are honest")
        return 0
    return _failed(given, "\n".join(problems))


def _update(given: argparse.Namespace) -> int:
    _show(update(given.spec, ROOT, rename=given.rename), given.report)
    return 0


def _api(given: argparse.Namespace) -> int:
    with room(ROOT) as made:
        facts = surface.public_api(ROOT / PACKAGE)
        kept = ROOT / SNAPSHOT
        old = surface.read(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        write(made.new / SNAPSHOT, surface.written(facts))
        made.replace([SNAPSHOT])
    changes = compare(old, facts)
    print("\n".join(map(str, changes)) or "the public API is as the snapshot says")
    return 0


def _templates(given: argparse.Namespace) -> int:
    print("\n".join(f"known: {name}" for name in forks.accept()))
    return 0


def _show(report: Report, path: Path | None) -> None:
    width = max(60, min(120, shutil.get_terminal_size((100, 24)).columns))
    print(report.terminal(width=width, colour=sys.stdout.isatty()))
    if path is not None:
        try:
            write(path, report.markdown())
        except OSError as error:
            print(f"the report could not be written: {path}: {error.strerror}", file=sys.stderr)


def _failed(given: argparse.Namespace, said: str) -> int:
    sys.stdout.flush()
    print(f"overrides {given.command}: {said}", file=sys.stderr)
    return 1


def _unexpected(error: Exception) -> str:
    """Tell an error that nobody foresaw, with the place in our code where somebody has to look."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(__file__).parent in Path(frame.filename).parents]
    where = ours[-1] if ours else frames[-1]
    path = Path(where.filename)
    if path.is_relative_to(ROOT):
        path = path.relative_to(ROOT)
    place = f"{path.as_posix()}, line {where.lineno}, in {where.name}"
    said = str(error).splitlines()[0] if str(error) else ""
    return (
        f"a mistake of ours, or a document that nobody foresaw: {type(error).__name__}: {said} "
        f"({place})"
    )


def _leave(number: int, frame: object) -> None:
    """End at once. No exception: that could come up anywhere, and be swallowed or show itself."""
    verify.stop()
    done = "the tree is the new one" if abandon() else "the tree is as it was"
    os.write(2, f"overrides: interrupted; {done}\n".encode())
    os._exit(128 + number)
