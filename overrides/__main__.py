"""The commands behind `make generate` and `make check`: `python -m overrides generate | check`."""

from __future__ import annotations

import argparse
import sys

from .generate import GenerationStopped, differences, generate


def main() -> int:
    """Run one command; say what happened; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m overrides", description=__doc__)
    parser.add_argument("command", choices=("generate", "check"))
    command = parser.parse_args().command
    try:
        if command == "generate":
            print("\n".join(generate()))
            return 0
        changed = differences()
    except GenerationStopped as stopped:
        print(f"overrides {command}: stopped:\n{stopped}", file=sys.stderr)
        return 1
    if changed:
        print("these are not what generation gives; run `make generate`:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in changed), file=sys.stderr)
        return 1
    print("generated code is up to date, overrides are honest")
    return 0


if __name__ == "__main__":
    sys.exit(main())
