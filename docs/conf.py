"""How the documentation is built: `make docs`."""

from __future__ import annotations

import importlib
import inspect
import re
from enum import Enum
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import whereby_api_client

project = "whereby-api-client"
author = "the whereby-api-client developers"
copyright = f"2026, {author}"
version = release = whereby_api_client.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
nitpicky = True
# Without a network there is no inventory of other projects' names: those are text, not links. What
# is ours has to lead somewhere.
nitpick_ignore_regex = [
    ("py:.*", r"(?!whereby_api_client)[\w.\[\]' -]+"),
    ("py:.*", r"whereby_api_client\.([\w.]+\.)?[A-Za-z]*T"),  # type variables
    ("py:.*", r"whereby_api_client\.budget\.(ledger|queue)\.\w+"),  # inside a Grant
    ("py:.*", r"whereby_api_client\.([\w.]+\.)?_\w+(\.\w+)*"),  # private
]
# `Meeting` is a model and a record of the fake: either is a fine place to read on
suppress_warnings = ["ref.python"]

# docstrings write code in single backticks
default_role = "literal"
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
python_display_short_literal_types = True

html_theme = "furo"
html_title = f"whereby-api-client {release}"
html_copy_source = True

# A module that users import from; its names are also the ones that links lead to.
PUBLIC = (
    "whereby_api_client",
    "whereby_api_client.models",
    "whereby_api_client.webhooks",
    "whereby_api_client.observer",
    "whereby_api_client.redis_budget",
    "whereby_api_client.progress",
    "whereby_api_client.testing",
    "whereby_api_client.testing.webhooks",
)


def public_names() -> dict[str, str]:
    """Return where each public thing is defined, and the name that users import it by."""
    names: dict[str, str] = {}
    for module_name in PUBLIC:
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", vars(module)):
            value = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)):
                continue
            if value.__module__.startswith("whereby_api_client"):
                names[f"{value.__module__}.{value.__qualname__}"] = f"{module_name}.{name}"
    return names


NAMES = public_names()


def link_to_public_name(
    app: Sphinx, environment: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Lead a link to a thing's defining module to where users import it from."""
    public = NAMES.get(node.get("reftarget", ""))
    if public is None or node.get("refdomain") != "py":
        return None
    domain = environment.domains.python_domain
    resolved: Any = domain.resolve_xref(
        environment, node["refdoc"], app.builder, "obj", public, node, content
    )
    return resolved


def to_rest(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Give lists and code of a docstring what reST wants: a blank line before, and `::`."""
    written: list[str] = []
    last = ""  # the last line that is not blank
    for line in lines:
        deeper = len(line) - len(line.lstrip()) > len(last) - len(last.lstrip())
        if line.lstrip().startswith("- "):
            if last and not last.lstrip().startswith("- ") and written[-1]:
                written.append("")
        elif deeper and written and not written[-1] and not last.endswith(":"):
            written += [last[: len(last) - len(last.lstrip())] + "::", ""]
        if line.strip():
            last = line
        written.append(line)
    lines[:] = written


def write_llms_txt(app: Sphinx, error: Exception | None) -> None:
    """Write llms.txt: each page with its first sentence, as Markdown where it is."""
    if error is not None or app.builder.name != "html":
        return
    lines = [f"# {project}", "", "> The async Python client for the Whereby REST API.", ""]
    for document in sorted(app.env.found_docs):
        source = Path(app.env.doc2path(document))
        paragraphs = re.split(r"\n\s*\n", source.read_text())
        prose = (p for p in paragraphs if re.match(r"[A-Z`*]", p.strip()))
        first = re.split(r"(?<=[.:])\s", " ".join(next(prose, "").split()))[0]
        title = app.env.titles[document].astext()
        lines.append(f"- [{title}](_sources/{document}.md.txt): {first}")
    (Path(app.outdir) / "llms.txt").write_text("\n".join(lines) + "\n")


def show_enum_members(
    app: Sphinx, what: str, name: str, value: object, skip: bool, options: object
) -> bool | None:
    """Show the members of enums, which need no docstrings."""
    return False if isinstance(value, Enum) else None


def setup(app: Sphinx) -> None:
    """Connect what is ours."""
    app.connect("autodoc-process-docstring", to_rest, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", show_enum_members)
    app.connect("missing-reference", link_to_public_name)
    app.connect("build-finished", write_llms_txt)
