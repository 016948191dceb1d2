"""Every response model, whole and odd, through what services write and read JSON and text with."""

from __future__ import annotations

import copy
import csv
import io
import json
from typing import Annotated, Any

import attrs
import httpx
import jinja2
import msgspec
import orjson
import pydantic
import pytest
from fastapi import Body, FastAPI

from whereby_api_client import UNSET, models
from whereby_api_client._runtime.codec import DecodeError
from whereby_api_client._runtime.model import Model
from whereby_api_client.models import AccessLink, Meeting, TranscriptionState

from ..helpers.documents import SCHEMAS, example_of

pytestmark = pytest.mark.anyio

CANARY = "https://x.whereby.com/?canary"
# Models that callers make have a TypedDict beside them.
RESPONSES: list[type[Model]] = [
    getattr(models, name)
    for name in models.__all__
    if attrs.has(getattr(models, name)) and not hasattr(models, f"{name}Dict")
]
SECRETS = {model._wire_names[name] for model in RESPONSES for name in model._secrets}
ODD: list[Any] = [None, 5, "odd", [], {}, True]


def example(model: type[Model]) -> dict[str, Any]:
    """Return a whole response, with a secret in the fields that hold one and one unknown field."""
    whole: dict[str, Any] = copy.deepcopy(example_of(SCHEMAS[model.__name__]))
    for name in model._secrets:
        whole[model._wire_names[name]] = CANARY
    return {**whole, "unknownField": [1, {"a": None}]}


def variants(model: type[Model]) -> list[dict[str, Any]]:
    """Return the whole response, and it with each field absent, null and odd, as far as it fits."""
    whole = example(model)
    examples = [whole]
    for key in model._wire_names.values():
        absent = {k: v for k, v in whole.items() if k != key}
        for source in (absent, *({**whole, key: odd} for odd in ODD)):
            try:
                model.from_dict(source)
            except DecodeError as error:
                assert key in str(error)
            else:
                examples.append(source)
    return examples


def public(model: Model) -> Any:
    """Return the JSON of a model without its secrets."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: without(v) for k, v in value.items() if k not in SECRETS}
        return [without(item) for item in value] if isinstance(value, list) else value

    return without(model.to_dict())


every_response = pytest.mark.parametrize("model", RESPONSES, ids=lambda model: model.__name__)


def test_there_are_responses() -> None:
    """The matrix covers what operations return, and their items."""
    names = {model.__name__ for model in RESPONSES}
    assert {"Meeting", "MeetingPage", "ParticipantDetails", "ThrottleError"} <= names
    assert "MeetingRecording" not in names
    assert {"accessLink", "hostRoomUrl", "viewerRoomUrl"} == SECRETS


@every_response
def test_json(model: type[Model]) -> None:
    """The usual encoders write `to_dict()` as it came."""
    for source in variants(model):
        wire = model.from_dict(source).to_dict()
        assert json.loads(json.dumps(wire)) == source
        assert orjson.loads(orjson.dumps(wire)) == source
        assert msgspec.json.decode(msgspec.json.encode(wire)) == source


@every_response
def test_text(model: type[Model]) -> None:
    """CSV, f-strings and templates write no internal word, and a model's text has no secret."""
    template = jinja2.Template(
        "{{ model }} {% for name in names %}{{ model[name] or '' }};{% endfor %}"
    )
    for source in variants(model):
        read = model.from_dict(source)
        names = list(model._wire_names)
        buffer = io.StringIO()
        csv.DictWriter(buffer, ["additional_properties", *names]).writerow(attrs.asdict(read))
        values = " ".join(f"{getattr(read, name)}" for name in names)
        written = buffer.getvalue() + values + template.render(model=read, names=names)
        assert "unset" not in written.lower()
        assert "canary" not in f"{read} {read!r} {attrs.asdict(read)}"


@every_response
def test_pydantic(model: type[Model]) -> None:
    """pydantic reads the JSON and the model, and writes the same without its secrets."""
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(model)
    for source in variants(model):
        read = model.from_dict(source)
        assert adapter.validate_python(read) is read
        assert adapter.validate_json(json.dumps(source)) == adapter.validate_python(source) == read
        assert json.loads(adapter.dump_json(read)) == adapter.dump_python(read) == public(read)
        dumped = adapter.dump_python(read, mode="json", context={"secrets": True})
        assert dumped == source
    schema = adapter.json_schema(mode="serialization")
    assert schema["title"] == model.__name__
    assert list(schema["properties"]) == list(model._wire_names.values())
    hidden = {name for name, about in schema["properties"].items() if about.get("writeOnly")}
    assert hidden == {model._wire_names[name] for name in model._secrets}
    assert set(schema.get("required", ())) <= set(SCHEMAS[model.__name__].get("required", ()))


@every_response
async def test_fastapi(model: type[Model]) -> None:
    """FastAPI takes a model as a body and as its response model."""
    app = FastAPI()

    async def echo(body: Any) -> Any:
        return body

    # FastAPI takes what is no pydantic model for a query parameter, unless one says Body
    echo.__annotations__ = {"body": Annotated[model, Body()], "return": model}
    app.post("/", response_model=model)(echo)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        for source in variants(model):
            response = await http.post("/", json=source)
            assert response.status_code == 200, response.text
            assert response.json() == public(model.from_dict(source))
        assert (await http.post("/", json=[])).status_code == 422
    assert model.__name__ in app.openapi()["components"]["schemas"]


def test_pydantic_fields() -> None:
    """Models and enums are fields of pydantic models; unknown enum values stay."""

    class Booking(pydantic.BaseModel):
        meeting: Meeting
        links: list[AccessLink] = []
        state: TranscriptionState | None = None

    source = example(Meeting)
    booking = Booking.model_validate({"meeting": source, "state": "archived"})
    assert booking.meeting.host_room_url == CANARY
    assert booking.state == "archived"
    assert "canary" not in booking.model_dump_json()
    assert Booking.model_validate_json(booking.model_dump_json()).meeting.host_room_url is None
    assert Booking.model_json_schema()["$defs"]["Meeting"]["required"] == [
        "meetingId",
        "roomUrl",
        "endDate",
    ]
    properties = Booking.model_json_schema()["$defs"]["Meeting"]["properties"]
    assert properties["startDate"]["anyOf"][-1] == {"type": "null"}
    with pytest.raises(pydantic.ValidationError, match=r"Meeting\.endDate: expected a date-time"):
        Booking.model_validate({"meeting": {**source, "endDate": "{soon}"}})


def test_pydantic_refuses_unset() -> None:
    """UNSET is no value of a field, and no type of one."""

    class Room(pydantic.BaseModel):
        name: str | None = None
        size: int | None = None

    with pytest.raises(pydantic.ValidationError):
        Room.model_validate({"name": UNSET})
    with pytest.raises(pydantic.ValidationError):
        Room.model_validate({"size": UNSET})
    with pytest.raises(TypeError, match="UNSET is no value of a field"):
        pydantic.TypeAdapter(type(UNSET))
    for dump in (orjson.dumps, msgspec.json.encode):
        with pytest.raises(TypeError):
            dump({"name": UNSET})


def test_a_secret_is_still_a_string() -> None:
    """What a service hands to its user is the secret itself."""
    url = Meeting.from_dict(example(Meeting)).host_room_url
    assert url is not None
    for written in (json.dumps(url).encode(), orjson.dumps(url), msgspec.json.encode(url)):
        assert json.loads(written) == CANARY
    assert f"{url}" == str(url) == "".join([url]) == CANARY
    assert {CANARY: 1}[url] == 1
