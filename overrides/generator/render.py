"""From the patched document to the generated package: parse, render, format."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_python_client import Project
from openapi_python_client.config import ClassOverride, Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

from ..errors import Stopped
from ..openapi.document import Json
from ..paths import PATCHED, ROOT
from . import context as views
from .escaping import docstring, quoted, wrapped

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


class _Project(Project):
    """The generator's project, laid out our way: models and resource classes, nothing else."""

    def __init__(self, document: Json, data: GeneratorData, config: Config) -> None:
        super().__init__(openapi=data, config=config, custom_template_path=TEMPLATES)
        self.env.filters["quoted"] = quoted
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
                doc=docstring(wrapped(text, 94)),
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


def render(document: Json, into: Path) -> None:
    """Generate the package from a patched document.

    Raises:
        Stopped: the generator reports an error or a warning.
    """
    settings = ConfigFile.load_from_path(ROOT / "generator-config.yaml")
    settings.class_overrides = {
        name: ClassOverride.model_validate({"class_name": f"{name}Model"})
        for name in views.IMPORTED
    }
    config = Config.from_sources(settings, MetaType.NONE, PATCHED, "utf-8", False, into)
    try:
        data = GeneratorData.from_dict(document, config=config)
    except Exception as error:  # it has mistakes of its own: not every document was foreseen
        problem = f"{type(error).__name__}: {error}"
        raise Stopped(f"openapi-python-client cannot read the document: {problem}") from None
    if isinstance(data, GeneratorError):
        raise Stopped(f"openapi-python-client: {data.header}: {data.detail}")
    try:
        project = _Project(document, data, config)
    except views.UnsupportedDocument as error:
        lines = [f"the templates cannot express the document: {error}", *_complaints(data)]
        raise Stopped("\n".join(lines)) from None
    # the formatter comes from the environment that runs us, not from the caller's PATH
    with _path_first(Path(sys.executable).parent), contextlib.redirect_stdout(io.StringIO()):
        problems = project.build()
    if problems:
        lines = [_told(problem) for problem in problems]
        raise Stopped("\n".join(["openapi-python-client complains:", *lines]))


def _complaints(data: GeneratorData) -> list[str]:
    """What the generator has to say about what it left out."""
    found = [e for c in data.endpoint_collections_by_tag.values() for e in c.parse_errors]
    return [_told(error) for error in (*found, *data.errors)]


def _told(error: GeneratorError) -> str:
    # the generator writes some of the document's texts as objects
    said = re.sub(
        r"<[\w.]+\.UntrustedString object at \w+>", "…", f"{error.header}: {error.detail}"
    )
    return " ".join(said.split())


@contextlib.contextmanager
def _path_first(folder: Path) -> Iterator[None]:
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before
