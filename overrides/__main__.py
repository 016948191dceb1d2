"""Run `python -m overrides generate | check | update | api`."""

from __future__ import annotations

import sys

from overrides.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
