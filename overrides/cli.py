"""The command line: run a command, print its result, and never a traceback unasked."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from .check import check
from .engine import left_out
from .errors import OverridesError
from .generate import generate
from .openapi.fetch import PUBLISHED_AT
from .paths import CHANGE_LIST, PACKAGE, ROOT, SNAPSHOT, read_change_list, write
from .staging import stage
from .update import api_snapshot
from .update.api_diff import diff_apis, dotted
from .update.report import Report
from .update.type_check import check_types
from .update.update import UpdateError, update


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status: 0, or 1 for any failure."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _failed(options, "interrupted")
    except BrokenPipeError:  # the reader of our output has left, and the work is done
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if options.traceback:
            traceback.print_exc()
        if isinstance(error, UpdateError):
            _show(error.report, options.report)
        if isinstance(error, OverridesError):
            return _failed(options, str(error))
        if isinstance(error, OSError):  # no space, no permission
            return _failed(options, f"{error.filename or ROOT}: {error.strerror or error}")
        return _failed(options, _unexpected(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m overrides",
        description="The commands behind `make generate`, `make check` and `make update-spec`.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--traceback", action="store_true", help="show where an error came from")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    sub = command("generate", "write what follows from openapi/whereby.json and overrides/")
    sub.add_argument("--retire", action="append", default=[], metavar="NAME")
    sub.set_defaults(run=_generate)
    sub = command("check", "check that everything is committed and up to date")
    sub.set_defaults(run=_check)
    sub = command("types", "run mypy and pyright; what uses what updates took away may fail")
    sub.set_defaults(run=_types)
    sub = command("update", "take in a new document")
    sub.add_argument("spec", nargs="?", default=PUBLISHED_AT, metavar="path-or-URL")
    sub.add_argument("--rename", action="store_true", help="accept new names of methods")
    sub.add_argument("--anyway", action="store_true", help="take in an earlier document again")
    sub.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="'POST /x'",
        help="leave an operation out, now and later",
    )
    sub.add_argument(
        "--with",
        action="append",
        default=[],
        metavar="'POST /x'",
        dest="again",
        help="take in an operation that was left out",
    )
    sub.add_argument(
        "--release", action="store_true", help="set the version and write the CHANGELOG entry, too"
    )
    sub.add_argument("--report", type=Path, metavar="FILE", help="write the report here, too")
    sub.set_defaults(run=_update)
    sub = command("api", "write the snapshot of the public API")
    sub.set_defaults(run=_api)
    return parser


def _generate(options: argparse.Namespace) -> int:
    print("\n".join(generate(ROOT, retire=options.retire)))
    return 0


def _check(options: argparse.Namespace) -> int:
    if errors := check(ROOT):
        return _failed(options, "\n".join(errors))
    print("generated code is up to date, every override fits the document")
    if calls := left_out(read_change_list(ROOT / CHANGE_LIST)):
        print(f"left out with `update --without`: {', '.join(calls)}")
    return 0


def _types(options: argparse.Namespace) -> int:
    errors, expected = check_types(ROOT)
    for name, known in expected.items():
        files = ", ".join(sorted({error.path for error in known}))
        print(f"{dotted(name)} is gone; expected type errors, {len(known)} in {files}")
    if errors:
        return _failed(options, "\n".join(map(str, errors)))
    print(f"mypy and pyright find no {'other ' if expected else ''}error")
    return 0


def _update(options: argparse.Namespace) -> int:
    report = update(
        options.spec,
        ROOT,
        rename=options.rename,
        anyway=options.anyway,
        without=options.without,
        again=options.again,
        release=options.release,
    )
    _show(report, options.report)
    return 0


def _api(options: argparse.Namespace) -> int:
    with stage(ROOT) as staged:
        facts = api_snapshot.public_api(ROOT / PACKAGE)
        path = ROOT / SNAPSHOT
        old = api_snapshot.read(path.read_text(encoding="utf-8")) if path.exists() else {}
        write(staged.new / SNAPSHOT, api_snapshot.written(facts))
        staged.swap([SNAPSHOT])
    changes = diff_apis(old, facts)
    print("\n".join(map(str, changes)) or "the public API is as in the snapshot")
    return 0


def _show(report: Report, path: Path | None) -> None:
    width = max(60, min(120, shutil.get_terminal_size((100, 24)).columns))
    print(report.terminal(width=width))
    if path is not None:
        try:
            if path.exists() and not path.is_file():
                raise OSError(errno.EINVAL, "not a regular file")
            write(path, report.markdown())
        except OSError as error:
            print(f"the report could not be written: {path}: {error.strerror}", file=sys.stderr)


def _failed(options: argparse.Namespace, message: str) -> int:
    sys.stdout.flush()
    print(f"overrides {options.command}: {message}", file=sys.stderr)
    return 1


def _unexpected(error: Exception) -> str:
    """Describe an error that nobody foresaw, with the place in our code where it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(__file__).parent in Path(frame.filename).parents]
    frame = ours[-1] if ours else frames[-1]
    path = Path(frame.filename)
    if path.is_relative_to(ROOT):
        path = path.relative_to(ROOT)
    text = str(error).splitlines()[0] if str(error) else ""
    return (
        f"a mistake of ours, or a document that nobody foresaw: {type(error).__name__}: {text} "
        f"({path.as_posix()}, line {frame.lineno}, in {frame.name}); --traceback shows all of it"
    )
