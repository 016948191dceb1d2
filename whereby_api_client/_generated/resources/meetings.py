"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..._runtime import arguments as arg
from ..._runtime.resource import Call, Resource, nothing
from ...pagination import Paginator
from ...types import UNSET, Unset
from ..models.meeting import Meeting
from ..models.meeting_page import MeetingPage

if TYPE_CHECKING:
    from ..models.meeting_field import MeetingField
    from ..models.meeting_live_transcription import MeetingLiveTranscription
    from ..models.meeting_recording import MeetingRecording
    from ..models.meeting_streaming import MeetingStreaming
    from ..models.room_mode import RoomMode
    from ..models.room_name_pattern import RoomNamePattern
    from ..models.template_type import TemplateType


class Meetings(Resource):
    """The operations on meetings: create, list, get, delete."""

    __slots__ = ()

    async def create(
        self,
        *,
        end_date: datetime,
        start_date: datetime | Unset = UNSET,
        is_locked: bool | Unset = UNSET,
        room_mode: RoomMode | str | Unset = UNSET,
        room_name_prefix: str | Unset = UNSET,
        room_name_pattern: RoomNamePattern | str | Unset = UNSET,
        template_type: TemplateType | str | Unset = UNSET,
        recording: MeetingRecording | Mapping[str, Any] | Unset = UNSET,
        live_transcription: MeetingLiveTranscription | Mapping[str, Any] | Unset = UNSET,
        streaming: MeetingStreaming | Mapping[str, Any] | Unset = UNSET,
        fields: Sequence[MeetingField | str] | Unset = UNSET,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Meeting:
        """Create meeting.

        Creates a transient room that is available between creation and an hour after the given end
        date. After this time the room will be automatically deleted. The URL to this room is
        present in the response.

        POST /meetings, 3 points.

        Args:
            end_date: When the meeting ends. By default in UTC but a timezone can be specified,
                e.g. 2025-05-07T17:42:49-05:00. This has to be the same or after the current date.
            start_date: (DEPRECATED - value is ignored) Start time now defaults to time of
                request
            is_locked: The initial lock state of the room. If true, only hosts will be able to
                let in other participants and change lock state.
            room_mode: The mode and size of the created transient room. `normal` is the default
                room mode and should be used for meetings up to 4 participants. `group` should be
                used for meetings that require more than 4 participants.
            room_name_prefix: This will be used as the prefix for the room name. The string
                should be lowercase, and spaces will be automatically removed. 39 character max
            room_name_pattern: The format of the randomly generated room name. `uuid` is the
                default room name pattern and follows the usual 8-4-4-4-12 pattern. `human-short`
                generates a shorter string made up of six distinguishable characters.
            template_type: If provided, the room will be created with the given template type.
                Each template defines a set of properties needed for a particular use-case.
                Currently the only supported template type is "viewerMode". This will set up a room
                with properties that are needed to create a viewer mode room. The room will be
                locked, roomMode set to "group" and fields like hostRoomUrl and viewerRoomUrl will
                be added to the response.
            recording: Options for how a meeting should be recorded.
            live_transcription: A configuration object for Session Transcription
            streaming: A configuration object for live RTMP streaming of the meeting
            fields: Additional fields that should be populated.
                - `hostRoomUrl` - Include hostRoomUrl field in the meeting response.
                - `viewerRoomUrl` - Include viewerRoomUrl field in the meeting response.
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Returns:
            The resource was created successfully.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="meetings.create",
                method="POST",
                path="/meetings",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=arg.body(
                    {
                        "endDate": arg.date_time("end_date", end_date),
                        "startDate": arg.date_time("start_date", start_date),
                        "isLocked": arg.boolean("is_locked", is_locked),
                        "roomMode": arg.choice("room_mode", room_mode),
                        "roomNamePrefix": arg.text("room_name_prefix", room_name_prefix),
                        "roomNamePattern": arg.choice("room_name_pattern", room_name_pattern),
                        "templateType": arg.choice("template_type", template_type),
                        "recording": arg.json_object("recording", recording),
                        "liveTranscription": arg.json_object(
                            "live_transcription", live_transcription
                        ),
                        "streaming": arg.json_object("streaming", streaming),
                        "fields": arg.array("fields", fields, arg.choice),
                    },
                    extra_body,
                ),
                parse=Meeting.from_dict,
                repeatable=False,
            )
        )

    def list(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        fields: Sequence[MeetingField | str] | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Paginator[MeetingPage, Meeting]:
        """Get meetings.

        Returns a list of meetings.

        GET /meetings, 1 point.

        Args:
            cursor: The cursor for paginating through the results. To fetch the next page, set
                the `cursor` to the `cursor` returned by the previous request.
            limit: The limit for the pagination - the maximum number of results that will be
                returned within a single API response.
            fields: Additional fields that should be populated.
                - `hostRoomUrl` - Include hostRoomUrl field in the meeting response.
                - `viewerRoomUrl` - Include viewerRoomUrl field in the meeting response.
            extra_query: Further query parameters.

        Returns:
            A paginator: await it for the first page, or iterate over it with
            `async for`, item by item; `.pages()` goes page by page.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """

        async def fetch(cursor: str | Unset) -> MeetingPage:
            return await self._caller.execute(
                Call(
                    operation="meetings.list",
                    method="GET",
                    path="/meetings",
                    cost=1,
                    query=arg.query(
                        arg.form("cursor", arg.text("cursor", cursor)),
                        arg.form("limit", arg.integer("limit", limit, minimum=1, maximum=100)),
                        arg.comma("fields", arg.array("fields", fields, arg.choice)),
                        extra=extra_query,
                    ),
                    parse=MeetingPage.from_dict,
                    repeatable=True,
                )
            )

        return Paginator(fetch, cursor)

    async def get(
        self,
        meeting_id: str,
        *,
        fields: Sequence[MeetingField | str] | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Meeting:
        """Get meeting.

        Returns the specified meeting.

        GET /meetings/{meetingId}, 1 point.

        Args:
            meeting_id: meeting ID.
            fields: Additional fields that should be populated.
                - `hostRoomUrl` - Include hostRoomUrl field in the meeting response.
                - `viewerRoomUrl` - Include viewerRoomUrl field in the meeting response.
            extra_query: Further query parameters.

        Returns:
            A JSON object representing the meeting.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="meetings.get",
                method="GET",
                path=f"/meetings/{arg.segment('meeting_id', meeting_id)}",
                cost=1,
                query=arg.query(
                    arg.comma("fields", arg.array("fields", fields, arg.choice)),
                    extra=extra_query,
                ),
                parse=Meeting.from_dict,
                repeatable=True,
            )
        )

    async def delete(
        self,
        meeting_id: str,
        *,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Delete meeting.

        Deletes the specified meeting. The endpoint is idempotent, meaning it will return the same
        response even if the meeting has already been deleted.

        DELETE /meetings/{meetingId}, 2 points.

        Args:
            meeting_id: meeting ID.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="meetings.delete",
                method="DELETE",
                path=f"/meetings/{arg.segment('meeting_id', meeting_id)}",
                cost=2,
                query=arg.query(
                    extra=extra_query,
                ),
                parse=nothing,
                empty=True,
                repeatable=True,
            )
        )
