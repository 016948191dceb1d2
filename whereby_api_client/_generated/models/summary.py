"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define

from ..._runtime.codec import (
    date_time,
    explain,
    object_in,
    wrong,
)
from ..._runtime.model import Model

_new = object.__new__
_fromisoformat = datetime.fromisoformat


@define(kw_only=True)
class Summary(Model):
    """A Summary as the API gives it."""

    summary_id: str
    transcription_id: str
    summary: dict[str, Any]
    room_session_id: str
    room_name: str
    start_date: datetime
    end_date: datetime
    state: str
    created_at: datetime
    modified_at: datetime
    template: str

    _wire_names: ClassVar[Mapping[str, str]] = {
        "summary_id": "summaryId",
        "transcription_id": "transcriptionId",
        "summary": "summary",
        "room_session_id": "roomSessionId",
        "room_name": "roomName",
        "start_date": "startDate",
        "end_date": "endDate",
        "state": "state",
        "created_at": "createdAt",
        "modified_at": "modifiedAt",
        "template": "template",
    }

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read the model from the API's JSON.

        Raises:
            DecodeError: a required field is missing, or a value is of another type.
        """
        d = src_dict if type(src_dict) is dict else object_in(cls, src_dict)
        get = d.get
        self = _new(cls)
        try:
            v = d["summaryId"]
            self.summary_id = v if type(v) is str else wrong(cls, "summaryId", "a string", v)
            v = d["transcriptionId"]
            self.transcription_id = (
                v if type(v) is str else wrong(cls, "transcriptionId", "a string", v)
            )
            v = d["summary"]
            self.summary = v if type(v) is dict else wrong(cls, "summary", "an object", v)
            v = d["roomSessionId"]
            self.room_session_id = (
                v if type(v) is str else wrong(cls, "roomSessionId", "a string", v)
            )
            v = d["roomName"]
            self.room_name = v if type(v) is str else wrong(cls, "roomName", "a string", v)
            v = d["startDate"]
            self.start_date = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "startDate", v)
            )
            v = d["endDate"]
            self.end_date = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "endDate", v)
            )
            v = d["state"]
            self.state = v if type(v) is str else wrong(cls, "state", "a string", v)
            v = d["createdAt"]
            self.created_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "createdAt", v)
            )
            v = d["modifiedAt"]
            self.modified_at = (
                _fromisoformat(v)
                if type(v) is str and v[-1:] == "Z"
                else date_time(cls, "modifiedAt", v)
            )
            v = d["template"]
            self.template = v if type(v) is str else wrong(cls, "template", "a string", v)
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(
                    "startDate",
                    "endDate",
                    "createdAt",
                    "modifiedAt",
                ),
                choices=(),
            ) from None
        self._extra = None
        self._source = d
        return self
