"""`python -m benchmarks [cost] [budget] [redis_budget] [prices] [unshared] [options]`, or all."""

from __future__ import annotations

import importlib
import itertools
import sys

NAMES = ("cost", "budget", "redis_budget", "prices", "unshared")

# Names come before options, which may have values that look like names.
named = list(itertools.takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
for name in named or NAMES:
    if name not in NAMES:
        sys.exit(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
    importlib.import_module(f"benchmarks.{name}").main()
