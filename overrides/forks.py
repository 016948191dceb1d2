"""Our templates that stand in the place of one of the generator's, and what it looked like then.

A template of ours with the name of one of openapi-python-client's is a fork: the generator's own
can get better without anybody seeing it. So its hash at the time of the fork is kept.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from .generator.render import TEMPLATES
from .paths import read_json, write_json

GENERATOR = "openapi-python-client"
FORKS = Path(__file__).resolve().parent / "forks.json"


def shadowed(ours: Path = TEMPLATES) -> dict[str, str]:
    """Return the hashes of the generator's templates that ours stand in the place of."""
    theirs = files("openapi_python_client") / "templates"
    found = {}
    for path in sorted(ours.rglob("*.jinja")):
        name = path.relative_to(ours).as_posix()
        original = theirs / name
        if original.is_file():
            found[name] = hashlib.sha256(original.read_bytes()).hexdigest()
    return found


def problems(ours: Path = TEMPLATES, kept: Path = FORKS) -> list[str]:
    """Name our templates whose originals are not what they were when they were forked."""
    known = read_json(kept)
    hashes = known.get("templates")
    hashes = hashes if isinstance(hashes, dict) else {}
    now = shadowed(ours)
    told = f"look at both, then run `python -m overrides templates` to say so in {kept.name}"
    return [
        f"overrides/templates/{name} stands in the place of a template of {GENERATOR} that changed "
        f"since we forked it from {known.get('version')} (now {version(GENERATOR)}): {told}"
        if name in hashes
        else f"overrides/templates/{name} hides a template of {GENERATOR}, unnoticed: {told}"
        for name in sorted(now)
        if hashes.get(name) != now[name]
    ] + [
        f"overrides/templates/{name} is kept as a fork and hides nothing of {GENERATOR} "
        f"{version(GENERATOR)} any more: {told}"
        for name in sorted(hashes.keys() - now.keys())
    ]


def accept(ours: Path = TEMPLATES, kept: Path = FORKS) -> list[str]:
    """Keep the hashes of today; return the names."""
    now = shadowed(ours)
    write_json(kept, {"generator": GENERATOR, "version": version(GENERATOR), "templates": now})
    return list(now)
