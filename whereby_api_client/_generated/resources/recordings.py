"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._runtime import arguments as arg
from ..._runtime.resource import Call, Resource, nothing
from ...files.downloads import Downloadable
from ...pagination import Paginator
from ...types import UNSET, Unset
from ..models.access_link import AccessLink
from ..models.recording import Recording
from ..models.recording_page import RecordingPage

if TYPE_CHECKING:
    pass


class Recordings(Downloadable[Recording], Resource):
    """The operations on recordings: list, bulk_delete, get, delete, get_access_link."""

    __slots__ = ()

    _id_name = "recording_id"

    def list(
        self,
        *,
        room_name: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        sort_by: str | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Paginator[RecordingPage, Recording]:
        """Get recordings.

        Returns the recordings.

        GET /recordings, 1 point.

        Args:
            room_name: The name of the room
            cursor: The cursor for paginating through the results. To fetch the next page, set
                the `cursor` to the `cursor` returned by the previous request.
            limit: The limit for the pagination - the maximum number of results that will be
                returned within a single API response.
            sort_by: Sort results by a field. Accepted fields are: `roomName`, `startDate`,
                `duration` and `sizeInMegaBytes`. Accepted sort values are 'asc' and 'desc'.
            extra_query: Further query parameters.

        Returns:
            A paginator: await it for the first page, or iterate over it with
            `async for`, item by item; `.pages()` goes page by page.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """

        async def fetch(cursor: str | Unset) -> RecordingPage:
            return await self._caller.execute(
                Call(
                    operation="recordings.list",
                    method="GET",
                    path="/recordings",
                    cost=1,
                    query=arg.query(
                        arg.form("roomName", arg.room_name("room_name", room_name)),
                        arg.form("cursor", arg.text("cursor", cursor)),
                        arg.form("limit", arg.integer("limit", limit, minimum=1, maximum=100)),
                        arg.form("sortBy", arg.text("sort_by", sort_by)),
                        extra=extra_query,
                    ),
                    parse=RecordingPage.from_dict,
                    repeatable=True,
                )
            )

        return Paginator(fetch, cursor)

    async def bulk_delete(
        self,
        *,
        recording_ids: Sequence[str],
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Bulk delete recordings.

        Deletes multiple recordings at once. This is an asynchronous operation. The endpoint returns
        immediately, and schedules a background job to delete the recordings. The endpoint is
        idempotent, meaning it will return the same response even if the recordings have already
        been deleted, or the recordings doesn't exist.

        POST /recordings/bulk-delete, 3 points.

        Args:
            recording_ids: The recording ID to delete.
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="recordings.bulk_delete",
                method="POST",
                path="/recordings/bulk-delete",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=arg.body(
                    {
                        "recordingIds": arg.array("recording_ids", recording_ids, arg.text),
                    },
                    extra_body,
                ),
                parse=nothing,
                empty=True,
                repeatable=True,
            )
        )

    async def get(
        self,
        recording_id: str,
        *,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Recording:
        """Get recording.

        Returns the specified recording metadata.

        GET /recordings/{recordingId}, 1 point.

        Args:
            recording_id: Recording ID.
            extra_query: Further query parameters.

        Returns:
            A JSON object representing the recording.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="recordings.get",
                method="GET",
                path=f"/recordings/{arg.segment('recording_id', recording_id)}",
                cost=1,
                query=arg.query(
                    extra=extra_query,
                ),
                parse=Recording.from_dict,
                repeatable=True,
            )
        )

    async def delete(
        self,
        recording_id: str,
        *,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Delete recording.

        Deletes the specified recording. The endpoint is idempotent, meaning it will return the same
        response even if the recording has already been deleted.

        DELETE /recordings/{recordingId}, 2 points.

        Args:
            recording_id: Recording ID.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="recordings.delete",
                method="DELETE",
                path=f"/recordings/{arg.segment('recording_id', recording_id)}",
                cost=2,
                query=arg.query(
                    extra=extra_query,
                ),
                parse=nothing,
                empty=True,
                repeatable=True,
            )
        )

    async def get_access_link(
        self,
        recording_id: str,
        *,
        valid_for_seconds: int | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> AccessLink:
        """Get recording access link.

        Returns the access link for the specified recording. **Available for Whereby-hosted
        recordings only**

        GET /recordings/{recordingId}/access-link, 1 point.

        Args:
            recording_id: Recording ID.
            valid_for_seconds: The number of seconds the access link is valid for.
            extra_query: Further query parameters.

        Returns:
            A JSON object representing the access link.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="recordings.get_access_link",
                method="GET",
                path=f"/recordings/{arg.segment('recording_id', recording_id)}/access-link",
                cost=1,
                query=arg.query(
                    arg.form(
                        "validForSeconds",
                        arg.integer(
                            "valid_for_seconds", valid_for_seconds, minimum=1, maximum=43200
                        ),
                    ),
                    extra=extra_query,
                ),
                parse=AccessLink.from_dict,
                repeatable=True,
            )
        )
