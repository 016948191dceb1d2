#!/usr/bin/env python3
"""Run the tests on other ground: .ci/matrix.py [names] [-- pytest arguments].

Each in an environment of its own under .matrix/. Without names: all that there is a Python for.

3.x     that version of Python, dependencies as they come
lowest  the oldest Python and the lowest versions of the dependencies that pyproject.toml allows
newest  the newest Python that is there, and the newest versions, pre-releases of dependencies too
httpx2  httpx2 in the place of httpx, by its own alias
arq     the recipe for arq, which needs a redis older than 6
random  the tests in random order; the seed is in the output
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
FAST = ["-m", "not slow", "-n", "auto"]
# The update of the document is work of maintainers, whose tools are pinned. anyio before 4.16
# leaves the socket of a cancelled connect to the garbage collector, which warns in a later test.
LOWEST = [
    *(*FAST, "--ignore", "tests/overrides"),
    *("-W", "ignore::pytest.PytestUnraisableExceptionWarning", "-W", "ignore::ResourceWarning"),
]
TESTS = {"lowest": LOWEST, "arq": ["tests/docs/test_recipes.py"]}
# What goes with the lowest versions: h11 0.14 with httpcore up to 1.0.8, and all of OpenTelemetry
# is of one version.
BESIDE_LOWEST = [
    "httpcore==1.0.8",
    "opentelemetry-sdk==1.30.0",
    "opentelemetry-semantic-conventions==0.51b0",
    "deprecated",
    "importlib-metadata==8.5.0",
    "wrapt<2",
    "zipp",
    "commonmark",
]
# What an environment has besides the tests' own dependencies
EXTRAS = {"arq": ["arq"], "httpx2": ["httpx2>=2,<3"], "random": ["pytest-randomly"]}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def find_python(version: str) -> str | None:
    """Return the path of a Python of that version: on the PATH, or of pyenv."""
    candidates = [shutil.which(f"python{version}")]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for path in filter(None, candidates):
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        ran = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        if ran.stdout.strip() == version:
            return path
    return None


def lower_bounds() -> list[str]:
    """Return the lowest allowed version of each dependency, with those of the extras."""
    requirements = [*PROJECT["dependencies"]]
    for extra in PROJECT["optional-dependencies"].values():
        requirements += extra
    bounds = [re.match(r"([\w-]+)[^>]*>=([\d.]+)", requirement) for requirement in requirements]
    return [f"{match[1]}=={match[2]}" for match in bounds if match]


def prepare(name: str, python: str) -> Path:
    """Make the environment, and return its Python."""
    folder = ROOT / ".matrix" / name
    inside = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    install = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--upgrade", "pip>=25.1"], check=True)
    options: list[str] = []
    if name == "newest":
        options = ["--upgrade", "--upgrade-strategy", "eager"]
    package = ["--editable", ".[otel,progress,redis,testing]"]
    subprocess.run([*install, "--group", "test", *package, *options], check=True, cwd=ROOT)
    if name == "lowest":
        # Afterwards, and without asking the tools of the tests, some of which want newer ones.
        versions = [*lower_bounds(), *BESIDE_LOWEST]
        subprocess.run([*install, "--no-deps", *versions], check=True)
    if name in EXTRAS:
        subprocess.run([*install, *EXTRAS[name]], check=True)
    if name == "httpx2":
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = subprocess.run([inside, "-c", code], capture_output=True, text=True, check=True)
        # run at the start of every process of this environment, before anything imports httpx
        alias = Path(packages.stdout.strip()) / "alias_httpx.pth"
        alias.write_text("import httpx2; httpx2.alias_httpx()\n")
    return inside


def run(name: str, python: str, arguments: list[str]) -> bool:
    """Run the tests in one environment; return whether they pass."""
    print(f"--- {name}: {python}", flush=True)
    inside = prepare(name, python)
    if name == "httpx2":  # its alias imports anyio before pytest could rewrite the asserts
        arguments = ["-W", "ignore::pytest.PytestAssertRewriteWarning", *arguments]
    if name == "random":
        arguments = [f"--randomly-seed={int(time.time())}", *arguments]
        print(*arguments, flush=True)  # with -q the plugin does not say it
    ran = subprocess.run([inside, "-m", "pytest", "-q", *arguments], cwd=ROOT, check=False)
    return ran.returncode == 0


def main() -> None:
    """Run what is asked for, and report the outcome."""
    dashes = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    names, arguments = sys.argv[1:dashes], sys.argv[dashes + 1 :]
    pythons = {version: find_python(version) for version in VERSIONS}
    there = [version for version, path in pythons.items() if path]
    environments = {version: version for version in there}
    environments |= {"lowest": there[0], "newest": there[-1], **dict.fromkeys(EXTRAS, there[0])}
    wanted = names or list(environments)
    if missing := [name for name in wanted if name not in environments]:
        sys.exit(f"no Python for {', '.join(missing)}; there are {', '.join(there)}")
    results = {}
    for name in wanted:
        began = time.monotonic()
        passed = run(
            name,
            pythons[environments[name]] or sys.executable,
            arguments or TESTS.get(name, FAST),
        )
        results[name] = f"{'passed' if passed else 'FAILED'} in {time.monotonic() - began:.0f} s"
    print("\n".join(f"{name:8}{result}" for name, result in results.items()))
    sys.exit(any("FAILED" in result for result in results.values()))


if __name__ == "__main__":
    main()
