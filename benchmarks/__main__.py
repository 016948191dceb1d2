"""`python -m benchmarks [cost] [budget] [redis_budget]`: run the named benchmarks, or all."""

from __future__ import annotations

import importlib
import sys

NAMES = ("cost", "budget", "redis_budget", "prices")

named = [word for word in sys.argv[1:] if not word.startswith("-")]
for name in named or NAMES:
    if name not in NAMES:
        sys.exit(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
    importlib.import_module(f"benchmarks.{name}").main()
