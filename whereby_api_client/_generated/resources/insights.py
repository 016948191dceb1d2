"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..._runtime import arguments as arg
from ..._runtime.codec import items
from ..._runtime.resource import Call, Resource
from ...pagination import Paginator
from ...types import UNSET, Unset
from ..models.participant_details import ParticipantDetails
from ..models.participant_insights_page import ParticipantInsightsPage
from ..models.room_insights_page import RoomInsightsPage
from ..models.room_session_insights_page import RoomSessionInsightsPage

if TYPE_CHECKING:
    from ..models.created_at_filter import CreatedAtFilter
    from ..models.participant_insights import ParticipantInsights
    from ..models.room_insights import RoomInsights
    from ..models.room_name_filter import RoomNameFilter
    from ..models.room_session_insights import RoomSessionInsights


class Insights(Resource):
    """The operations on insights: get_participant, list_participants, list_room_sessions, list_rooms."""

    __slots__ = ()

    async def get_participant(
        self,
        *,
        room_session_id: str,
        participant_id: str,
        extra_query: Mapping[str, Any] | None = None,
    ) -> builtins.list[ParticipantDetails]:
        """Get details for a participant in a session.

        Returns session data such as user agent, bandwidth and packet loss for the participant.

        GET /insights/participant, 1 point.

        Args:
            room_session_id: session ID.
            participant_id: participant ID.
            extra_query: Further query parameters.

        Returns:
            Array of sorted sessions participants with insights.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="insights.get_participant",
                method="GET",
                path="/insights/participant",
                cost=1,
                query=arg.query(
                    arg.form("roomSessionId", arg.text("room_session_id", room_session_id)),
                    arg.form("participantId", arg.text("participant_id", participant_id)),
                    extra=extra_query,
                ),
                parse=partial(items, ParticipantDetails.from_dict, "list[ParticipantDetails]", ""),
                repeatable=True,
            )
        )

    def list_participants(
        self,
        *,
        room_session_id: str | Unset = UNSET,
        external_id: str | Unset = UNSET,
        sort_by: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Paginator[ParticipantInsightsPage, ParticipantInsights]:
        """Get participants.

        Gets a list of participants, by either a given session id or external id.

        GET /insights/participants, 1 point.

        Args:
            room_session_id: session ID. Either roomSessionId or externalId is required.
            external_id: an externalId that was originally passed in query params by the
                participant when joining. Either roomSessionId or externalId is required.
            sort_by: Sort results by a field. Accepted values are `joinedAt` and `leftAt`.
                Accepted sort values are `asc` and `desc`.
            cursor: The cursor for paginating through the results. To fetch the next page, set
                the `cursor` to the `cursor` returned by the previous request.
            limit: Limit the number of results.
            extra_query: Further query parameters.

        Returns:
            A paginator: await it for the first page, or iterate over it with
            `async for`, item by item; `.pages()` goes page by page.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        arg.at_least_one(
            room_session_id=room_session_id,
            external_id=external_id,
        )

        async def fetch(cursor: str | Unset) -> ParticipantInsightsPage:
            return await self._caller.execute(
                Call(
                    operation="insights.list_participants",
                    method="GET",
                    path="/insights/participants",
                    cost=1,
                    query=arg.query(
                        arg.form("roomSessionId", arg.text("room_session_id", room_session_id)),
                        arg.form("externalId", arg.text("external_id", external_id)),
                        arg.form("sortBy", arg.text("sort_by", sort_by)),
                        arg.form("cursor", arg.text("cursor", cursor)),
                        arg.form("limit", arg.integer("limit", limit, minimum=1, maximum=100)),
                        extra=extra_query,
                    ),
                    parse=ParticipantInsightsPage.from_dict,
                    repeatable=True,
                )
            )

        return Paginator(fetch, cursor)

    def list_room_sessions(
        self,
        *,
        room_name: str,
        room_session_id: str | Unset = UNSET,
        sort_by: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Paginator[RoomSessionInsightsPage, RoomSessionInsights]:
        """Get room session insights.

        Gets a summary of usage for each session of a given room.

        GET /insights/room-sessions, 1 point.

        Args:
            room_name: Room name.
            room_session_id: Room session identifier.
            sort_by: Sort results by a field.
            cursor: The cursor for paginating through the results. To fetch the next page, set
                the `cursor` to the `cursor` returned by the previous request.
            limit: Limit the number of results.
            extra_query: Further query parameters.

        Returns:
            A paginator: await it for the first page, or iterate over it with
            `async for`, item by item; `.pages()` goes page by page.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """

        async def fetch(cursor: str | Unset) -> RoomSessionInsightsPage:
            return await self._caller.execute(
                Call(
                    operation="insights.list_room_sessions",
                    method="GET",
                    path="/insights/room-sessions",
                    cost=1,
                    query=arg.query(
                        arg.form("roomName", arg.room_name("room_name", room_name)),
                        arg.form("roomSessionId", arg.text("room_session_id", room_session_id)),
                        arg.form("sortBy", arg.text("sort_by", sort_by)),
                        arg.form("cursor", arg.text("cursor", cursor)),
                        arg.form("limit", arg.integer("limit", limit, minimum=1, maximum=100)),
                        extra=extra_query,
                    ),
                    parse=RoomSessionInsightsPage.from_dict,
                    repeatable=True,
                )
            )

        return Paginator(fetch, cursor)

    def list_rooms(
        self,
        *,
        room_name: RoomNameFilter | Mapping[str, Any] | Unset = UNSET,
        created_at: CreatedAtFilter | Mapping[str, Any] | Unset = UNSET,
        sort_by: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Paginator[RoomInsightsPage, RoomInsights]:
        """Get room insights.

        Gets a summary of insights collected for rooms.

        GET /insights/rooms, 1 point.

        Args:
            room_name: Filter results by room name.
            created_at: Filter rooms by the date they were created.
            sort_by: Sort results by a field.
            cursor: The cursor for paginating through the results. To fetch the next page, set
                the `cursor` to the `cursor` returned by the previous request.
            limit: Limit the number of results.
            extra_query: Further query parameters.

        Returns:
            A paginator: await it for the first page, or iterate over it with
            `async for`, item by item; `.pages()` goes page by page.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """

        async def fetch(cursor: str | Unset) -> RoomInsightsPage:
            return await self._caller.execute(
                Call(
                    operation="insights.list_rooms",
                    method="GET",
                    path="/insights/rooms",
                    cost=1,
                    query=arg.query(
                        arg.deep(
                            "roomName",
                            arg.json_object("room_name", room_name),
                            room_names=("exact", "startsWith"),
                        ),
                        arg.deep("createdAt", arg.json_object("created_at", created_at)),
                        arg.form("sortBy", arg.text("sort_by", sort_by)),
                        arg.form("cursor", arg.text("cursor", cursor)),
                        arg.form("limit", arg.integer("limit", limit, minimum=1, maximum=100)),
                        extra=extra_query,
                    ),
                    parse=RoomInsightsPage.from_dict,
                    repeatable=True,
                )
            )

        return Paginator(fetch, cursor)
