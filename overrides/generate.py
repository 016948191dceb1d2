"""From the published document to the generated package: patch, validate, parse, render."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_spec_validator import OpenAPIV30SpecValidator

from . import views
from .engine import apply_overrides, ledger, messages
from .walk import Json

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = Path(__file__).resolve().parent / "templates"
DOCUMENT = Path("openapi/whereby.json")
PATCHED = Path("openapi/whereby.patched.json")
LEDGER = Path("openapi/overrides.json")
GENERATED = Path("whereby_api_client/_generated")
# the fake Whereby checks requests against the document, and is shipped without openapi/
SHIPPED = Path("whereby_api_client/testing/document.json")
OUTPUTS = (PATCHED, LEDGER, SHIPPED, GENERATED)


class GenerationStopped(Exception):
    """Generation cannot go on; the text says why and where."""


class _Project(Project):
    """The generator's project, laid out our way: models and resource classes, nothing else."""

    def __init__(self, document: Json, data: GeneratorData, config: Config) -> None:
        super().__init__(openapi=data, config=config, custom_template_path=TEMPLATES)
        self.views = views.build(document, data)

    def _create_package(self) -> None:
        self._write("__init__.py", "package_init.py.jinja")

    def _build_models(self) -> None:
        (self.package_dir / "models").mkdir()
        classes = []
        for model in self.views.models:
            types = [t for f in model.fields for t in (f.type, f.type.item) if t is not None]
            self._write(
                f"models/{model.module}.py",
                "model.py.jinja",
                model=model,
                imports=_named(types),
                enum_names=sorted({t.name for t in types if t.kind == "choice"}),
            )
            classes.append({"name": model.class_name, "module": model.module})
        for enum in self.views.enums:
            name, module = str(enum.class_info.name), enum.class_info.module_name
            text = views.text_of(enum.description) or f"The values of {name}."
            self._write(
                f"models/{module}.py",
                "str_enum.py.jinja",
                enum=enum,
                doc=views.docstring(views.wrapped(text, 94)),
            )
            classes.append({"name": name, "module": module})
        classes.sort(key=lambda one: one["name"])
        self._write("models/__init__.py", "models_init.py.jinja", classes=classes)

    def _build_api(self) -> None:
        (self.package_dir / "resources").mkdir()
        for tag in self.views.tags:
            results = [m.result for m in tag.methods if m.result is not None]
            results += [r.item for r in results if r.item is not None]
            others = [m.page_item for m in tag.methods if m.page_item is not None]
            for method in tag.methods:
                fields = [*method.body, *(p.field for p in method.parameters)]
                others += [t for f in fields for t in (f.type, f.type.item) if t is not None]
            needed = _named(results)
            self._write(
                f"resources/{tag.name}.py",
                "resource.py.jinja",
                tag=tag,
                results=needed,
                annotations=[one for one in _named(others) if one not in needed],
            )
        self._write("resources/__init__.py", "resources_init.py.jinja", tags=self.views.tags)

    def _write(self, path: str, template: str, **context: Any) -> None:
        text = self.env.get_template(template).render(**context)
        (self.package_dir / path).write_text(text, encoding="utf-8", newline="\n")


def _named(types: list[views.Type]) -> list[dict[str, str]]:
    """The classes among some types, as the imports they need."""
    found = {(t.module, t.name) for t in types if t.name}
    return [{"module": module, "name": name} for module, name in sorted(found)]


def read_document(path: Path) -> Json:
    """Read a published document.

    Raises:
        GenerationStopped: it is not there, or no JSON object.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise GenerationStopped(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise GenerationStopped(f"{path}: not JSON: {error}") from None
    if not isinstance(document, dict):
        raise GenerationStopped(f"{path}: not an OpenAPI document: not an object")
    return document


def build(document: Json, into: Path) -> list[str]:
    """Write everything that follows from a published document below `into`; return the messages.

    Raises:
        GenerationStopped: an override is obsolete or drifted, the patched document is not valid, or
            the generator complains.
    """
    result = apply_overrides(document)
    if result.stale:
        raise GenerationStopped("\n".join(line for r in result.stale for line in r.messages))
    if invalid := sorted(
        str(e.message) for e in OpenAPIV30SpecValidator(result.document).iter_errors()
    ):
        raise GenerationStopped("the patched document is not valid OpenAPI:\n" + "\n".join(invalid))
    _write_json(into / PATCHED, result.document)
    _write_json(into / LEDGER, ledger(result))
    _write_json(into / SHIPPED, result.document)
    render(result.document, into / GENERATED)
    return messages(result)


def render(document: Json, into: Path) -> None:
    """Generate the package from a patched document.

    Raises:
        GenerationStopped: the generator reports an error or a warning.
    """
    settings = ConfigFile.load_from_path(ROOT / "generator-config.yaml")
    config = Config.from_sources(settings, MetaType.NONE, PATCHED, "utf-8", False, into)
    data = GeneratorData.from_dict(document, config=config)
    if isinstance(data, GeneratorError):
        raise GenerationStopped(f"openapi-python-client: {data.header}: {data.detail}")
    try:
        project = _Project(document, data, config)
    except views.UnsupportedDocument as error:
        raise GenerationStopped(f"the templates cannot express the document: {error}") from None
    # the formatter comes from the environment that runs us, not from the caller's PATH
    with _path_first(Path(sys.executable).parent), contextlib.redirect_stdout(io.StringIO()):
        problems = project.build()
    if problems:
        lines = [f"{p.header}: {p.detail}" for p in problems]
        raise GenerationStopped("openapi-python-client complains:\n" + "\n".join(lines))


def generate(root: Path = ROOT) -> list[str]:
    """Bring everything that follows from `openapi/whereby.json` up to date; return the messages."""
    with tempfile.TemporaryDirectory(dir=root, prefix=".generate-") as room:
        said = build(read_document(root / DOCUMENT), Path(room))
        for output in OUTPUTS:
            target = root / output
            if target.is_dir():
                shutil.rmtree(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(Path(room) / output, target)
    return said


def differences(root: Path = ROOT) -> list[str]:
    """Name the committed outputs that differ from what generation gives now."""
    with tempfile.TemporaryDirectory(dir=root, prefix=".generate-") as room:
        build(read_document(root / DOCUMENT), Path(room))
        fresh, committed = _files(Path(room)), _files(root)
    missing = [f"{name}: missing" for name in fresh.keys() - committed.keys()]
    left = [f"{name}: not generated any more" for name in committed.keys() - fresh.keys()]
    both = fresh.keys() & committed.keys()
    changed = [f"{name}: differs" for name in both if fresh[name] != committed[name]]
    return sorted(missing + left + changed)


def _files(root: Path) -> dict[str, bytes]:
    found = {}
    for output in OUTPUTS:
        top = root / output
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found[path.relative_to(root).as_posix()] = path.read_bytes()
    return found


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


@contextlib.contextmanager
def _path_first(folder: Path) -> Iterator[None]:
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before
