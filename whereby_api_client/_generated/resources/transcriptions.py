"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._runtime import arguments as arg
from ..._runtime.resource import Call, Resource, nothing
from ...files.downloads import Downloadable
from ...jobs import DEFAULT_TIMEOUT, Waitable
from ...pagination import Paginator
from ...types import UNSET, Unset
from ..models.access_link import AccessLink
from ..models.created_transcription import CreatedTranscription
from ..models.transcription import Transcription
from ..models.transcription_page import TranscriptionPage

if TYPE_CHECKING:
    from ...webhooks import Webhooks


class Transcriptions(Waitable[Transcription], Downloadable[Transcription], Resource):
    """The operations on transcriptions: create, list, bulk_delete, get, delete, get_access_link."""

    __slots__ = ()

    _id_name = "transcription_id"

    async def create(
        self,
        *,
        recording_id: str,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> CreatedTranscription:
        """Create transcription.

        Creates a new transcription for the specified recording.

        POST /transcriptions, 3 points.

        Args:
            recording_id: The recording ID for which the transcription should be created.
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Returns:
            The transcription job was scheduled successfully.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="transcriptions.create",
                method="POST",
                path="/transcriptions",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=arg.body(
                    {
                        "recordingId": arg.text("recording_id", recording_id),
                    },
                    extra_body,
                ),
                parse=CreatedTranscription.from_dict,
                repeatable=False,
            )
        )

    def list(
        self,
        *,
        room_name: str | Unset = UNSET,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        sort_by: str | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Paginator[TranscriptionPage, Transcription]:
        """Get transcriptions.

        Returns a list of transcriptions

        GET /transcriptions, 1 point.

        Args:
            room_name: The name of the room
            cursor: The cursor for paginating through the results. To fetch the next page, set
                the `cursor` to the `cursor` returned by the previous request.
            limit: The limit for the pagination - the maximum number of results that will be
                returned within a single API response.
            sort_by: Sort results by a field. Accepted fields are: `roomName`, `startDate` and
                `durationInSeconds`. Accepted sort values are 'asc' and 'desc'.
            extra_query: Further query parameters.

        Returns:
            A paginator: await it for the first page, or iterate over it with
            `async for`, item by item; `.pages()` goes page by page.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """

        async def fetch(cursor: str | Unset) -> TranscriptionPage:
            return await self._caller.execute(
                Call(
                    operation="transcriptions.list",
                    method="GET",
                    path="/transcriptions",
                    cost=1,
                    query=arg.query(
                        arg.form("roomName", arg.room_name("room_name", room_name)),
                        arg.form("cursor", arg.text("cursor", cursor)),
                        arg.form("limit", arg.integer("limit", limit, minimum=1, maximum=100)),
                        arg.form("sortBy", arg.text("sort_by", sort_by)),
                        extra=extra_query,
                    ),
                    parse=TranscriptionPage.from_dict,
                    repeatable=True,
                )
            )

        return Paginator(fetch, cursor)

    async def bulk_delete(
        self,
        *,
        transcription_ids: Sequence[str],
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Bulk delete transcriptions.

        Deletes multiple transcriptions at once. This is an asynchronous operation. The endpoint
        returns immediately, and schedules a background job to delete the transcriptions. The
        endpoint is idempotent, meaning it will return the same response even if the transcriptions
        have already been deleted, or the transcriptions doesn't exist.

        POST /transcriptions/bulk-delete, 3 points.

        Args:
            transcription_ids: The transcription ID to delete.
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="transcriptions.bulk_delete",
                method="POST",
                path="/transcriptions/bulk-delete",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=arg.body(
                    {
                        "transcriptionIds": arg.array(
                            "transcription_ids", transcription_ids, arg.text
                        ),
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
        transcription_id: str,
        *,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Transcription:
        """Get transcription.

        Returns the specified transcription metadata.

        GET /transcriptions/{transcriptionId}, 1 point.

        Args:
            transcription_id: Transcription ID.
            extra_query: Further query parameters.

        Returns:
            A JSON object representing the transcription.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="transcriptions.get",
                method="GET",
                path=f"/transcriptions/{arg.segment('transcription_id', transcription_id)}",
                cost=1,
                query=arg.query(
                    extra=extra_query,
                ),
                parse=Transcription.from_dict,
                repeatable=True,
            )
        )

    async def delete(
        self,
        transcription_id: str,
        *,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Delete transcription.

        Deletes the specified transcription. The endpoint is idempotent, meaning it will return the
        same response even if the transcription has already been deleted.

        DELETE /transcriptions/{transcriptionId}, 2 points.

        Args:
            transcription_id: Transcription ID.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="transcriptions.delete",
                method="DELETE",
                path=f"/transcriptions/{arg.segment('transcription_id', transcription_id)}",
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
        transcription_id: str,
        *,
        valid_for_seconds: int | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> AccessLink:
        """Get transcription access link.

        Returns a URL that can be used to download the specified transcription. **Available for
        Whereby-hosted transcriptions only**.

        GET /transcriptions/{transcriptionId}/access-link, 1 point.

        Args:
            transcription_id: Transcription ID.
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
                operation="transcriptions.get_access_link",
                method="GET",
                path=f"/transcriptions/{arg.segment('transcription_id', transcription_id)}/access-link",
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

    async def create_and_wait(
        self,
        *,
        recording_id: str,
        timeout: float | None = DEFAULT_TIMEOUT,
        webhooks: Webhooks | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Transcription:
        """Create as `create` does, then wait until it is done, as `wait` does.

        When it fails or the time is over, the error's `job_id` is the id of what was created.

        Args:
            recording_id: as for `create`.
            timeout: as for `wait`: seconds to wait after it was created; None: for ever.
            webhooks: as for `wait`: where this process receives Whereby's events.
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Raises:
            JobFailedError: it has failed; the text and `reason` say why.
            JobTimeoutError: the time is over.
            WherebyError: what `create` raises.
        """
        created = await self.create(
            recording_id=recording_id,
            extra_body=extra_body,
            extra_query=extra_query,
        )
        return await self.wait(created.transcription_id, timeout=timeout, webhooks=webhooks)
