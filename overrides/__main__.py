"""The commands behind `make generate`, `make check` and `make update-spec`."""

from __future__ import annotations

import signal

# While the heavy imports below run, Ctrl-C shall end the command without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys  # noqa: E402

from overrides.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
