"""Generation: reproducible, offline, and the committed output is what it gives."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from overrides import generate
from overrides.check import check
from overrides.errors import OverridesError
from overrides.generator.render import render
from overrides.paths import CHANGE_LIST, DOCUMENT, FINGERPRINT, OUTPUTS, ROOT, files

from ...helpers.documents import DOCUMENT as PATCHED

WITHOUT_NETWORK = """
import socket
def refuse(*args, **kwargs):
    raise OSError("no network in this test")
socket.socket.connect = socket.create_connection = refuse
from pathlib import Path
from overrides.generate import generate
generate(Path({into!r}))
"""


def outputs(root: Path) -> dict[str, bytes]:
    """Read all outputs below a folder."""
    return files(root, OUTPUTS)


@pytest.mark.parametrize(
    ("seed", "locale", "zone"), [("0", "C", "UTC"), ("4242", "C.UTF-8", "Asia/Kathmandu")]
)
def test_byte_identical(tmp_path: Path, seed: str, locale: str, zone: str) -> None:
    """Hash seed, locale, time zone, working directory and a missing network change no byte."""
    into = tmp_path / "out"
    shutil.copytree(ROOT / "openapi", into / "openapi")
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone}
    subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK.format(into=str(into))],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    assert outputs(into) == outputs(ROOT)


def test_generated_folder_comes_back(tmp_path: Path) -> None:
    """Deleting the outputs and generating, twice, gives the same bytes each time."""
    shutil.copytree(ROOT / "openapi", tmp_path / "openapi")
    before = outputs(ROOT)
    for _ in range(2):
        for output in set(OUTPUTS) - {CHANGE_LIST}:  # it knows since when overrides sleep
            target = tmp_path / output
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
        generate.generate(tmp_path)
        assert outputs(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_check_names_what_differs(tmp_path: Path) -> None:
    """A generated file edited by hand, deleted or left over is named."""
    for folder in ("openapi", "whereby_api_client"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    models = tmp_path / "whereby_api_client/_generated/models"
    (models / "meeting.py").write_text("# edited\n" + (models / "meeting.py").read_text())
    (models / "throttle_error.py").unlink()
    (models / "left_over.py").touch()
    differing = [line.split(" ")[:2] for line in check(tmp_path) if "/models/" in line]
    assert differing == [
        ["whereby_api_client/_generated/models/left_over.py", "is"],
        ["whereby_api_client/_generated/models/meeting.py", "differs"],
        ["whereby_api_client/_generated/models/throttle_error.py", "is"],
    ]


def test_patched_document_is_valid() -> None:
    """The patched document passes openapi-spec-validator."""
    assert list(OpenAPIV30SpecValidator(PATCHED).iter_errors()) == []


def test_published_document_is_untouched() -> None:
    """The published document is what the last update took in, byte for byte."""
    digest, _, name = (ROOT / FINGERPRINT).read_text().strip().partition("  ")
    assert name == DOCUMENT.name
    assert hashlib.sha256((ROOT / DOCUMENT).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "must be UTF-8"),
        (b"{\xff}", "must be UTF-8"),
        (b"[]", "not an OpenAPI document"),
    ],
)
def test_unreadable_document(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """A document that cannot be read stops generation with the reason and changes nothing."""
    (tmp_path / "openapi").mkdir()
    if content is not None:
        (tmp_path / DOCUMENT).write_bytes(content)
    with pytest.raises(OverridesError, match=reason):
        generate.generate(tmp_path)
    assert not (tmp_path / "whereby_api_client").exists()


def test_a_fixed_document_is_generated(tmp_path: Path) -> None:
    """An override that is not needed sleeps; generation goes on."""
    shutil.copytree(ROOT / "openapi", tmp_path / "openapi")
    published = tmp_path / DOCUMENT
    published.write_text(re.sub(r'"([\w-]+),"', r'"\1"', published.read_text()))
    messages = generate.generate(tmp_path)
    assert "enum_trailing_comma: sleeping, no place has the defect in this document" in messages


def test_unsupported_document_says_so(tmp_path: Path) -> None:
    """What the templates cannot express is refused by name, not dropped in silence."""
    document: dict[str, Any] = json.loads(json.dumps(PATCHED))
    operation = document["paths"]["/meetings"]["get"]
    operation["parameters"].append({"name": "page", "in": "cookie", "schema": {"type": "string"}})
    with pytest.raises(OverridesError, match="GET /meetings: a cookie parameter"):
        render(document, tmp_path / "out")


def test_every_method_is_documented_and_async() -> None:
    """Each operation has a method whose docstring tells path, points, arguments and errors."""
    methods = {}
    for path in (ROOT / "whereby_api_client/_generated/resources").glob("[a-z]*.py"):
        (resource,) = (n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef))
        for method in resource.body:
            if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                methods[f"{path.stem}.{method.name}"] = method
    for convenience in [name for name in methods if name.endswith("_and_wait")]:
        del methods[convenience]  # stands on operations, is none itself
    expected = {o["operationId"]: (p, o) for p, i in PATCHED["paths"].items() for o in i.values()}
    assert methods.keys() == expected.keys()
    for name, method in methods.items():
        doc = ast.get_docstring(method) or ""
        path, operation = expected[name]
        assert f"{path}, {operation['x-points']} point" in doc
        for argument in [*method.args.args[1:], *method.args.kwonlyargs]:
            assert f"\n    {argument.arg}: " in doc, (name, argument.arg)
        assert "Raises:\n    InvalidArgumentError" in doc
        assert isinstance(method, ast.AsyncFunctionDef) or method.name.startswith("list")
