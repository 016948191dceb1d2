#!/usr/bin/env python3
"""Do everything that comes before a release but the publishing: .ci/release_check.py [tag].

Builds from what git has, twice: both must be the same, byte for byte. Looks at what the archives
hold. Installs each in a clean environment, with the versions that a user gets today, and runs the
README's first script there. With a tag (v1.2.3) the version and the changelog have to be of it.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
NOTHING_ELSE = {"PKG-INFO"}


def step(text: str) -> None:
    """Say what comes next."""
    print(f"--- {text}", flush=True)


def run(*command: object, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a command; stop with its output when it fails."""
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        sys.exit(f"{ran.stdout}{ran.stderr}\nfailed: {' '.join(map(str, command))}")
    return ran.stdout


def check_version(tag: str | None) -> str:
    """Return the version; with a tag, it has to be the tag's, and in the changelog."""
    text = (ROOT / "whereby_api_client" / "_version.py").read_text()
    (version,) = re.findall(r'^__version__(?:: \S+)? = "(.+)"', text, re.MULTILINE)
    if tag is not None:
        if tag != f"v{version}":
            sys.exit(f"the tag is {tag}, but the version is {version}")
        if not re.search(
            rf"^## \[?{re.escape(version)}\]?.*\d{{4}}-\d\d-\d\d", changelog(), re.MULTILINE
        ):
            sys.exit(f"CHANGELOG.md has no section with a date for {version}")
    return str(version)


def changelog() -> str:
    """Return the changelog."""
    return (ROOT / "CHANGELOG.md").read_text()


def checkout(folder: Path) -> Path:
    """Write what git has at HEAD into a folder: nothing that only lies about."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", "HEAD"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def build(source: Path, into: Path) -> dict[str, str]:
    """Build sdist and wheel; return the hashes."""
    run(sys.executable, "-m", "build", "--outdir", into, cwd=source)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in into.iterdir()}


def check_contents(sdist: Path, wheel: Path) -> None:
    """The sdist holds what git has, with tests and docs; the wheel only the package."""
    tracked = set(run("git", "ls-files").splitlines())
    with tarfile.open(sdist) as tar:
        inside = {name.partition("/")[2] for name in tar.getnames()}
    if stray := inside - tracked - NOTHING_ELSE:
        sys.exit(f"the sdist holds what git does not: {sorted(stray)}")
    if missing := {file for file in tracked if not file.startswith(".")} - inside:
        sys.exit(f"the sdist lacks {sorted(missing)}")
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist()}
    if unexpected := {
        f for f in folders if f != "whereby_api_client" and not f.endswith(".dist-info")
    }:
        sys.exit(f"the wheel holds {sorted(unexpected)}")


def try_out(artifact: Path, folder: Path) -> None:
    """Install into a clean environment, and run what the README shows first."""
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", artifact)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    script = folder / "first_script.py"
    script.write_text(next(block for block in blocks if "asyncio.run" in block))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "WHEREBY"))}
    print(run(python, "-W", "error", script, cwd=folder, env=clean), end="")
    for module in ("webhooks", "models", "testing.webhooks"):
        run(
            python,
            "-W",
            "error",
            "-c",
            f"import whereby_api_client.{module}",
            cwd=folder,
            env=clean,
        )


def main() -> None:
    """Check, and leave the archives in dist/."""
    version = check_version(sys.argv[1] if len(sys.argv) > 1 else None)
    if dirty := run("git", "status", "--porcelain"):
        print(f"not committed, so not in the archives:\n{dirty}", end="")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        step(f"build {version}, twice")
        first = build(checkout(folder / "first"), folder / "dist")
        time.sleep(1.1)  # another second: archives hold times in seconds
        second = build(checkout(folder / "second"), folder / "dist-again")
        if first != second:
            sys.exit(f"the builds differ: {first} {second}")
        for file, digest in sorted(first.items()):
            print(f"{digest}  {file}")
        shutil.rmtree(DIST, ignore_errors=True)
        shutil.copytree(folder / "dist", DIST)
        (sdist,) = DIST.glob("*.tar.gz")
        (wheel,) = DIST.glob("*.whl")
        step("metadata and contents")
        print(
            run(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir())), end=""
        )
        print(run(sys.executable, "-m", "check_wheel_contents", wheel), end="")
        check_contents(sdist, wheel)
        for artifact in (wheel, sdist):
            step(f"install {artifact.name} in a clean environment")
            (folder / artifact.name).mkdir()
            try_out(artifact, folder / artifact.name)
    step(f"{version} can be released")


if __name__ == "__main__":
    main()
