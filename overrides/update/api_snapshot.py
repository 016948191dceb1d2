"""What callers can use of the package, as facts: `name: fact`, one a line, read without importing.

    WherebyClient.meetings.create: async def -> Meeting
    WherebyClient.meetings.create(end_date): keyword datetime
    models.Meeting.room_url: field str
    models.RoomMode.GROUP: member 'group'

The snapshot in tests/api.txt is this list: a change of the public API is a change of some lines,
which a reviewer sees. `api_diff.py` tells which of them break callers. A base class that is not
public itself stands in round brackets: its members are there for everybody who derives from it.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import OverridesError

Facts = dict[str, str]

# the dunder methods that callers use by some syntax, or by making the object
_PUBLIC_DUNDERS = frozenset(
    f"__{name}__"
    for name in ("init", "aenter", "enter", "await", "aiter", "iter", "call", "getitem", "len")
)
_DATA = ("define", "frozen", "dataclass")
_ENUMS = ("Enum", "IntEnum", "StrEnum", "OpenEnum")


@dataclass
class _Module:
    """A module's names: what it defines, and from where it takes what it imports."""

    name: tuple[str, ...]  # from the package's root: ("_generated", "models", "meeting")
    is_package: bool
    defined: dict[str, ast.stmt] = field(default_factory=dict)
    imported: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    public: list[str] | None = None  # __all__, where it is written out


_Definition = tuple[_Module, ast.stmt]


def public_api(package: Path) -> Facts:
    """Collect the facts of a package, sorted by name.

    Raises:
        OverridesError: a module of the package is no Python, or does not hold what it promises.
    """
    return dict(sorted(_Reader(package).facts().items()))


def written(facts: Facts) -> str:
    """Write facts as the snapshot file."""
    return "".join(f"{name}: {fact}\n" for name, fact in facts.items())


def read(text: str) -> Facts:
    """Read a snapshot file."""
    pairs = (line.partition(": ") for line in text.splitlines() if line)
    return {name: fact for name, _, fact in pairs}


def load(path: Path) -> Facts:
    """Read a snapshot file; no facts when there is none."""
    return read(path.read_text(encoding="utf-8")) if path.exists() else {}


class _Reader:
    def __init__(self, package: Path) -> None:
        self._package = package
        self._modules: dict[tuple[str, ...], _Module | None] = {}
        self._bases: dict[str, _Definition] = {}
        self._public: set[int] = set()

    def facts(self) -> Facts:
        listed = [
            (prefix, module, name)
            for prefix, module in self._public_modules()
            for name in module.public or ()
        ]
        public = [(prefix + name, self._find(module, name)) for prefix, module, name in listed]
        self._public = {id(node) for _, (_, node) in public}
        facts: Facts = {}
        for name, definition in public:
            facts.update(self._described(name, definition))
        described: set[str] = set()
        while missing := self._bases.keys() - described:
            for name in sorted(missing):
                facts.update(self._described(f"({name})", self._bases[name]))
            described |= missing
        return facts

    def _public_modules(self) -> Iterator[tuple[str, _Module]]:
        """The modules whose names are public: the root, the models, and those with __all__."""
        yield "", self._needed(())
        yield "models.", self._needed(("_generated", "models"))
        for path in sorted(self._package.iterdir()):
            if path.name.startswith("_") or not (path.suffix == ".py" or path.is_dir()):
                continue
            for name in ((path.stem,), (path.stem, "webhooks")):  # of the fake: what tests send
                module = self._load(name)
                if module is not None and module.public is not None:
                    yield f"{'.'.join(name)}.", module

    def _needed(self, name: tuple[str, ...]) -> _Module:
        module = self._load(name)
        if module is None:
            raise OverridesError(f"{self._package.joinpath(*name)}: no such module")
        return module

    def _load(self, name: tuple[str, ...]) -> _Module | None:
        if name not in self._modules:
            folder = self._package.joinpath(*name)
            path = folder / "__init__.py"
            is_package = path.exists()
            if not is_package:
                path = folder.with_name(f"{folder.name}.py")
            self._modules[name] = self._read(path, name, is_package) if path.exists() else None
        return self._modules[name]

    def _read(self, path: Path, name: tuple[str, ...], is_package: bool) -> _Module:
        try:
            body = _parsed(path.read_bytes())
        except SyntaxError as error:
            raise OverridesError(f"{path}, line {error.lineno}: {error.msg}") from None
        module = _Module(name, is_package)
        for node in _statements(body):
            if isinstance(node, ast.ImportFrom) and node.level:
                # one dot is the package that the module is in, or is
                holder = name[: len(name) + is_package - node.level]
                source = (*holder, *filter(None, (node.module or "").split(".")))
                for alias in node.names:
                    module.imported[alias.asname or alias.name] = (source, alias.name)
            elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                module.defined[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        module.defined[target.id] = node
            if isinstance(value := getattr(node, "value", None), ast.List | ast.Tuple):
                targets = getattr(node, "targets", [getattr(node, "target", None)])
                if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
                    added = [str(ast.literal_eval(item)) for item in value.elts]
                    module.public = [*(module.public or []), *added]
        return module

    def _find(self, module: _Module, name: str) -> _Definition:
        target = self._look_up(module, name)
        if target is None:
            raise OverridesError(
                f"{'.'.join(module.name) or 'the package'}: nothing called {name} in it"
            )
        return target

    def _look_up(self, module: _Module, name: str) -> _Definition | None:
        """Follow a name to where it is defined; None if that is outside of the package."""
        if name in module.defined:
            return module, module.defined[name]
        if name not in module.imported:
            return None
        source, original = module.imported[name]
        holder = self._load(source)
        return None if holder is None else self._look_up(holder, original)

    def _described(self, name: str, definition: _Definition) -> Iterator[tuple[str, str]]:
        module, node = definition
        if isinstance(node, ast.ClassDef):
            yield from self._class(name, module, node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _function(name, node)
        elif isinstance(node, ast.AnnAssign):
            yield name, f"value {_typed(node.annotation, node.value)}"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            yield from _typed_dict(name, node.value)
        elif isinstance(node, ast.Assign):
            # a version is no promise, and the rest of it changes with every release
            yield name, "value" if name == "__version__" else f"value {ast.unparse(node.value)}"

    def _class(self, name: str, module: _Module, node: ast.ClassDef) -> Iterator[tuple[str, str]]:
        bases = [ast.unparse(base) for base in node.bases]
        yield name, f"class({', '.join(bases)})" if bases else "class"
        yield from self._members(name, module, node)
        for base in node.bases:
            target = self._look_up(module, _head(base))
            if target is None or not isinstance(target[1], ast.ClassDef):
                continue
            holder, definition = target[0], target[1]
            if holder.name == ("_generated", "resources"):
                yield from self._members(name, holder, definition)
            elif id(definition) not in self._public:
                self._bases[definition.name] = target

    def _members(self, name: str, module: _Module, node: ast.ClassDef) -> Iterator[tuple[str, str]]:
        is_enum = any(_head(base) in _ENUMS for base in node.bases)
        is_data = any(_head(d) in _DATA for d in node.decorator_list) or any(
            _head(base) == "NamedTuple" for base in node.bases
        )
        for inner in _statements(node.body):
            if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                if _is_public(inner.target.id):
                    constant = _head(inner.annotation) in ("ClassVar", "Final")
                    kind = "field" if is_data and not constant else "attribute"
                    value = inner.value if kind == "field" else None
                    yield f"{name}.{inner.target.id}", f"{kind} {_typed(inner.annotation, value)}"
            elif isinstance(inner, ast.Assign):
                for target in inner.targets:
                    if isinstance(target, ast.Name) and _is_public(target.id):
                        fact = f"member {ast.unparse(inner.value)}" if is_enum else "attribute"
                        yield f"{name}.{target.id}", fact
            elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                if _is_public(inner.name) or inner.name in _PUBLIC_DUNDERS:
                    yield from self._method(name, module, inner)
                if inner.name == "__init__":
                    yield from _set_in(name, inner)

    def _method(
        self, name: str, module: _Module, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> Iterator[tuple[str, str]]:
        decorators = [_head(decorator) for decorator in node.decorator_list]
        if "setter" in decorators or "overload" in decorators:
            return
        called = f"{name}.{node.name}"
        if "property" in decorators or "cached_property" in decorators:
            returned = node.returns
            target = self._look_up(module, _head(returned)) if returned is not None else None
            if (
                target is not None
                and isinstance(target[1], ast.ClassDef)
                and _is_resource(target[1])
            ):
                yield called, "property"
                yield from self._resource(called, target[0], target[1])
            else:
                yield called, f"property{_returns(node)}"
            return
        yield from _function(called, node, decorators)

    def _resource(
        self, name: str, module: _Module, node: ast.ClassDef
    ) -> Iterator[tuple[str, str]]:
        """What callers write: `whereby.meetings.create(...)`, and what the class inherits."""
        own = dict(self._members(name, module, node))
        for base in node.bases:
            target = self._look_up(module, _head(base))
            if target is not None and isinstance(target[1], ast.ClassDef):
                for member, fact in self._members(name, target[0], target[1]):
                    method = member.partition("(")[0]
                    if method not in own and not method.endswith(".__init__"):
                        yield member, fact
        yield from own.items()


@functools.cache
def _parsed(source: bytes) -> list[ast.stmt]:
    """Parse a module; most modules of a new package are those of the old one."""
    return ast.parse(source).body


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module or class, also those under `if TYPE_CHECKING`."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _statements(node.body)
            yield from _statements(node.orelse)
        else:
            yield node


def _typed_dict(name: str, call: ast.Call) -> Iterator[tuple[str, str]]:
    """Describe `TypedDict(name, {key: type})` as a class with fields, any other call as a value."""
    keys = call.args[1] if _head(call) == "TypedDict" and len(call.args) > 1 else None
    if not isinstance(keys, ast.Dict):
        yield name, f"value {ast.unparse(call)}"
        return
    yield name, "class(TypedDict)"
    for key, hint in zip(keys.keys, keys.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            required = isinstance(hint, ast.Subscript) and _head(hint) == "Required"
            inner = hint.slice if isinstance(hint, ast.Subscript) and required else hint
            default = "" if required else " = left out"
            yield f"{name}.{key.value}", f"field {ast.unparse(inner)}{default}"


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _is_resource(node: ast.ClassDef) -> bool:
    return any(_head(base) == "Resource" for base in node.bases)


def _head(node: ast.expr) -> str:
    """The last plain name of an expression: of `attrs.define(kw_only=True)`, `define`."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _typed(annotation: ast.expr | None, default: ast.expr | None) -> str:
    fact = "Any" if annotation is None else ast.unparse(annotation)
    if isinstance(default, ast.Call) and _head(default) == "field":
        options = {keyword.arg: keyword.value for keyword in default.keywords}
        default = options.get("default") or options.get("factory") or options.get("default_factory")
    return fact if default is None else f"{fact} = {ast.unparse(default)}"


def _returns(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return "" if node.returns is None else f" -> {ast.unparse(node.returns)}"


def _function(
    name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, decorators: list[str] | None = None
) -> Iterator[tuple[str, str]]:
    kinds = [d for d in decorators or () if d in ("classmethod", "staticmethod")]
    asynchronous = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    yield name, " ".join([*kinds, asynchronous]) + _returns(node)
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = list(zip(positional, defaults, strict=True))
    if decorators is not None and "staticmethod" not in decorators:
        pairs = pairs[1:]  # self or cls
    for at, (argument, default) in enumerate(pairs, 1):
        kind = "positional-only" if argument in arguments.posonlyargs else "positional"
        fact = _typed(argument.annotation, default)
        yield f"{name}({argument.arg})", f"{kind} {at} {fact}"
    for argument, wanted in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield f"{name}({argument.arg})", f"keyword {_typed(argument.annotation, wanted)}"
    for star, rest in (("*", arguments.vararg), ("**", arguments.kwarg)):
        if rest is not None:
            yield f"{name}({star}{rest.arg})", f"rest {_typed(rest.annotation, None)}"


def _set_in(name: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str]]:
    """The public attributes that `__init__` sets, with their types where they are told."""
    arguments = {a.arg: a.annotation for a in [*node.args.args, *node.args.kwonlyargs]}
    for inner in ast.walk(node):
        targets: Sequence[ast.expr] = ()
        annotation = None
        if isinstance(inner, ast.Assign):
            targets = inner.targets
            if isinstance(inner.value, ast.Name):
                annotation = arguments.get(inner.value.id)
        elif isinstance(inner, ast.AnnAssign):
            targets, annotation = [inner.target], inner.annotation
        for target in targets:
            if (
                isinstance(target, ast.Attribute)
                and isinstance(target.value, ast.Name)
                and target.value.id == "self"
                and _is_public(target.attr)
            ):
                fact = f" {ast.unparse(annotation)}" if annotation is not None else ""
                yield f"{name}.{target.attr}", f"attribute{fact}"
