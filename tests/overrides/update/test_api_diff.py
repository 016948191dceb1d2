"""What a change of the public API means for callers, told from two snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest

from overrides.errors import OverridesError
from overrides.paths import ROOT
from overrides.update.api_diff import covers, diff_apis
from overrides.update.api_snapshot import public_api, read, written
from whereby_api_client import models

from ...helpers.documents import operations

ROOM = "WherebyClient.rooms.open"
OLD = {
    "WherebyClient.rooms": "property",
    ROOM: "async def -> Room",
    f"{ROOM}(name)": "positional 1 str",
    f"{ROOM}(mode)": "keyword Mode | str | Unset = UNSET",
    f"{ROOM}(extra_body)": "keyword Mapping[str, Any] | None = None",
    f"{ROOM}(theme)": "keyword Theme | Unset = UNSET",
    "models.Mode": "class(OpenEnum)",
    "models.Mode.GROUP": "member 'group'",
    "models.Room": "class(Model)",
    "models.Room.url": "field str",
    "models.Room.ends": "field datetime | Unset = UNSET",
    "models.Theme": "class(Model)",
    "models.Theme.colors": "field Colors",
    "models.Colors": "class(Model)",
    "models.Colors.focus": "field str | Unset = UNSET",
    "NotFoundError": "class(APIStatusError)",
    "connect": "def -> int",
}


@pytest.mark.parametrize(
    ("change", "text", "breaking"),
    [
        # methods
        ({ROOM: None}, "method `whereby.rooms.open` is gone", True),
        (
            {"WherebyClient.rooms.shut": "async def -> None"},
            "new method `whereby.rooms.shut`",
            False,
        ),
        ({ROOM: "def -> Room"}, "`whereby.rooms.open`: async def -> Room → def -> Room", True),
        ({ROOM: "async def -> Room | None"}, "`whereby.rooms.open`: async def -> Room → ", True),
        ({"connect": "def -> float"}, "`connect`: def -> int → def -> float", True),
        ({"connect": "def -> bool"}, "`connect`: def -> int → def -> bool", False),
        # arguments
        ({f"{ROOM}(mode)": None}, "`whereby.rooms.open`: the argument `mode` is gone", True),
        ({f"{ROOM}(q)": "keyword int = 1"}, "`whereby.rooms.open`: new argument `q`", False),
        ({f"{ROOM}(q)": "keyword int"}, "`whereby.rooms.open`: new required argument `q`", True),
        ({f"{ROOM}(*more)": "rest str"}, "`whereby.rooms.open`: new argument `*more`", False),
        (
            {f"{ROOM}(mode)": "keyword Mode | str"},
            "`whereby.rooms.open`: argument `mode` is required now",
            True,
        ),
        (
            {f"{ROOM}(name)": "positional 1 str = ''"},
            "`whereby.rooms.open`: argument `name` is optional now",
            False,
        ),
        (
            {f"{ROOM}(name)": "positional 2 str"},
            "`whereby.rooms.open`: argument `name`: positional 1 str → positional 2 str",
            True,
        ),
        (
            {f"{ROOM}(name)": "positional 1 str | int"},
            "`whereby.rooms.open`: argument `name` takes more: str → str | int",
            False,
        ),
        (
            {f"{ROOM}(mode)": "keyword str | Unset = UNSET"},
            "`whereby.rooms.open`: argument `mode` takes less or something else: Mode | str",
            True,
        ),
        (
            {f"{ROOM}(extra_body)": "keyword Mapping[str, Any] | None = {}"},
            "`whereby.rooms.open`: argument `extra_body`: the default is {} now, it was None",
            True,
        ),
        # fields of a response
        ({"models.Room.url": None}, "field `models.Room.url` is gone", True),
        ({"models.Room.name": "field str"}, "new field `models.Room.name`", False),
        (
            {"models.Room.url": "field str | None"},
            "field `models.Room.url`: str → str | None",
            True,
        ),
        (
            {"models.Room.ends": "field datetime"},
            "field `models.Room.ends`: datetime | Unset",
            False,
        ),
        # fields of what callers make, directly or inside something else
        ({"models.Theme.name": "field str"}, "new required field `models.Theme.name` in a", True),
        (
            {"models.Theme.name": "field str | Unset = UNSET"},
            "new field `models.Theme.name`",
            False,
        ),
        ({"models.Colors.focus": "field str"}, "field `models.Colors.focus`: str | Unset", True),
        (
            {"models.Colors.focus": "field str | None | Unset = UNSET"},
            "field `models.Colors",
            False,
        ),
        # enums and classes
        ({"models.Mode.GROUP": None}, "enum member `models.Mode.GROUP` is gone", True),
        ({"models.Mode.WEB": "member 'web'"}, "new enum member `models.Mode.WEB`", False),
        ({"models.Mode.GROUP": "member 'g'"}, "`models.Mode.GROUP`: member 'group' → member", True),
        ({"NotFoundError": "class(WherebyError)"}, "class `NotFoundError`: class(APIStatus", True),
        ({"NotFoundError": "class(APIStatusError, LookupError)"}, "class `NotFoundError`", False),
        ({"NotFoundError": None}, "class `NotFoundError` is gone", True),
    ],
)
def test_a_change(change: dict[str, str | None], text: str, breaking: bool) -> None:
    """Tell one change once, in callers' words, and whether their code still runs and checks."""
    new = {name: fact for name, fact in (OLD | change).items() if fact is not None}
    (difference,) = diff_apis(OLD, new)
    assert difference.text.startswith(text)
    assert difference.breaking is breaking
    assert str(difference).startswith("BREAKING ") is breaking


def test_what_is_gone_is_reported_once() -> None:
    """Say nothing of the arguments of a method that is gone, nor of the members of a class."""
    new = {n: f for n, f in OLD.items() if not n.startswith(("WherebyClient", "models.Theme"))}
    assert [change.text for change in diff_apis(OLD, new)] == [
        "method `whereby.rooms.open` is gone",
        "class `models.Theme` is gone",
    ]
    assert [change.text for change in diff_apis(new, OLD)] == [
        "new method `whereby.rooms.open`",
        "new class `models.Theme`",
    ]
    assert diff_apis(OLD, OLD) == []


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("str | None", "str", True),
        ("str", "str | None", False),
        ("float", "int", True),
        ("int", "float", False),
        ("Any", "dict[str, Any]", True),
        ("Sequence[A | str]", "Sequence[A]", True),
        ("Sequence[A]", "Sequence[A | str]", False),
        ("Mapping[str, Any]", "Mapping[str, int]", True),
        ("list[A]", "Sequence[A]", False),
        ("Callable[[str], int]", "Callable[[str], int]", True),
        ("not a type at", "all", False),
    ],
)
def test_types(wide: str, narrow: str, expected: bool) -> None:
    """Know when a type takes all that another one takes."""
    assert covers(wide, narrow) is expected


PACKAGE = {
    "__init__.py": """
from .client import WherebyClient
from .errors import OurError as OurError
from .types import *
VERSION: str = "1"
__all__ = ["VERSION", "OurError", "WherebyClient", "make"]
def make(a: int, /, b=1, *rest: str, c: "bool" = True, **more) -> "WherebyClient": ...
""",
    "client.py": '''
from ._generated.resources import Resources
class WherebyClient(Resources):
    """Client."""
    limit: int = 3
    def __init__(self, token: str | None = None, *, _hidden: int = 1) -> None:
        self.token = token
        self.count: int = 0
        self._private = 1
    @property
    def budget(self) -> int: ...
    @classmethod
    def of(cls, name: str) -> "WherebyClient": ...
    @staticmethod
    async def later(name: str) -> None: ...
    def __aiter__(self): ...
    def _inner(self) -> None: ...
''',
    "errors.py": '''
from attrs import frozen, field
class _Base(Exception):
    code: int
class OurError(_Base, ValueError):
    """Error."""
''',
    "_generated/__init__.py": "",
    "_generated/resources/__init__.py": """
from functools import cached_property
from .rooms import Rooms
class Resources:
    @cached_property
    def rooms(self) -> Rooms: ...
""",
    "_generated/resources/rooms.py": """
from ...resource import Resource
from ...waiting import Waitable
class Rooms(Waitable[int], Resource):
    async def get(self, room_id: str, *, extra: int | None = None) -> int: ...
""",
    "resource.py": "class Resource:\n    def __init__(self, caller: int) -> None: ...\n",
    "waiting.py": """
class Waitable:
    async def get(self, item_id: str, /) -> int: ...
    async def wait(self, job_id: str) -> int: ...
""",
    "_generated/models/__init__.py": """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from .room import Room as Room, Mode as Mode
__all__ = ["Mode", "Room"]
""",
    "_generated/models/room.py": """
from typing import ClassVar
from attrs import define, field
from ...model import Model, OpenEnum
@define(kw_only=True)
class Room(Model):
    url: str
    secret: str | None = field(default=None, repr=False)
    tags: list[str] = field(factory=list)
    _wire: ClassVar[int] = 1
    known: ClassVar[int] = 1
class Mode(OpenEnum):
    GROUP = "group"
""",
    "model.py": """
from enum import StrEnum
class Model:
    def to_dict(self) -> dict: ...
class OpenEnum(StrEnum): ...
""",
    "testing/__init__.py": '__all__ = ["TOKEN"]\nTOKEN = "t"\n',
    "inner/__init__.py": "SECRET = 1\n",
}

FACTS = """\
(Model): class
(Model).to_dict: def -> dict
(OpenEnum): class(StrEnum)
(_Base): class(Exception)
(_Base).code: attribute int
OurError: class(_Base, ValueError)
VERSION: value str = '1'
WherebyClient: class(Resources)
WherebyClient.__aiter__: def
WherebyClient.__init__: def -> None
WherebyClient.__init__(_hidden): keyword int = 1
WherebyClient.__init__(token): positional 1 str | None = None
WherebyClient.budget: property -> int
WherebyClient.count: attribute int
WherebyClient.later: staticmethod async def -> None
WherebyClient.later(name): positional 1 str
WherebyClient.limit: attribute int
WherebyClient.of: classmethod def -> 'WherebyClient'
WherebyClient.of(name): positional 1 str
WherebyClient.rooms: property
WherebyClient.rooms.get: async def -> int
WherebyClient.rooms.get(extra): keyword int | None = None
WherebyClient.rooms.get(room_id): positional 1 str
WherebyClient.rooms.wait: async def -> int
WherebyClient.rooms.wait(job_id): positional 1 str
WherebyClient.token: attribute str | None
make: def -> 'WherebyClient'
make(**more): rest Any
make(*rest): rest str
make(a): positional-only 1 int
make(b): positional 2 Any = 1
make(c): keyword 'bool' = True
models.Mode: class(OpenEnum)
models.Mode.GROUP: member 'group'
models.Room: class(Model)
models.Room.known: attribute ClassVar[int]
models.Room.secret: field str | None = None
models.Room.tags: field list[str] = list
models.Room.url: field str
testing.TOKEN: value 't'
"""


def put(root: Path, package: dict[str, str]) -> Path:
    """Write a package."""
    for name, content in package.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_facts_of_a_package(tmp_path: Path) -> None:
    """Read without importing what callers can use: nothing private, bases in brackets."""
    facts = public_api(put(tmp_path, PACKAGE))
    assert written(facts) == FACTS
    assert read(FACTS) == facts


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("client.py", "class WherebyClient(:", r"client\.py, line 1: invalid syntax"),
        ("client.py", "", "the package: nothing called WherebyClient in it"),
        ("_generated/models/room.py", "", r"_generated\.models: nothing called Mode in it"),
    ],
)
def test_a_broken_package(tmp_path: Path, name: str, content: str, reason: str) -> None:
    """Say what is missing or no Python."""
    with pytest.raises(OverridesError, match=reason):
        public_api(put(tmp_path, PACKAGE | {name: content}))


def test_facts_of_ours() -> None:
    """Know every public name of the package, and every method of every tag."""
    facts = public_api(ROOT / "whereby_api_client")
    for name, _, operation in operations():
        assert "def -> " in facts[f"WherebyClient.{name}"], operation
    assert {f"models.{name}" for name in models.__all__} <= facts.keys()
    assert facts["NotFoundError"] == "class(APIStatusError)"
    assert "testing.FakeWhereby" in facts
    assert list(facts) == sorted(facts)
