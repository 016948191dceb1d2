"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..._runtime import arguments as arg
from ..._runtime.resource import Call, Resource, nothing
from ...jobs import DEFAULT_TIMEOUT, Waitable
from ...pagination import Paginator
from ...types import UNSET, Unset
from ..models.created_summary import CreatedSummary
from ..models.summary import Summary
from ..models.summary_page import SummaryPage

if TYPE_CHECKING:
    from ...webhooks import Webhooks
    from ..models.summary_template import SummaryTemplate


class Summaries(Waitable[Summary], Resource):
    """The operations on summaries: create, list, get, delete."""

    __slots__ = ()

    _id_name = "summary_id"

    async def create(
        self,
        *,
        transcription_id: str,
        template: SummaryTemplate | str | Unset = UNSET,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> CreatedSummary:
        """Create summary.

        Creates a new summary for the specified transcription.

        Session summaries are currently in Beta and available to selected customers only. Email us
        at embedded@whereby.com to join our pilot program (terms and conditions apply).

        POST /summaries, 3 points.

        Args:
            transcription_id: The transcription ID for which the summary should be created.
            template: The template that the summary should be created from. The following
                summary templates are currently available:
                - `General Bulleted`
                - `General Narrative`
                - `SOAP`
                - `Extended SOAP`
                - `General Narrative`
                - `Educational Lecture`
                - `Educational Tutoring`
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Returns:
            The summary job was scheduled successfully.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="summaries.create",
                method="POST",
                path="/summaries",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=arg.body(
                    {
                        "transcriptionId": arg.text("transcription_id", transcription_id),
                        "template": arg.choice("template", template),
                    },
                    extra_body,
                ),
                parse=CreatedSummary.from_dict,
                repeatable=False,
            )
        )

    def list(
        self,
        *,
        cursor: str | Unset = UNSET,
        limit: int | Unset = UNSET,
        sort_by: str | Unset = UNSET,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Paginator[SummaryPage, Summary]:
        """Get summaries.

        Returns a list of summaries

        Session summaries are currently in Beta and available to selected customers only. Email us
        at embedded@whereby.com to join our pilot program (terms and conditions apply).

        GET /summaries, 1 point.

        Args:
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

        async def fetch(cursor: str | Unset) -> SummaryPage:
            return await self._caller.execute(
                Call(
                    operation="summaries.list",
                    method="GET",
                    path="/summaries",
                    cost=1,
                    query=arg.query(
                        arg.form("cursor", arg.text("cursor", cursor)),
                        arg.form("limit", arg.integer("limit", limit, minimum=1, maximum=100)),
                        arg.form("sortBy", arg.text("sort_by", sort_by)),
                        extra=extra_query,
                    ),
                    parse=SummaryPage.from_dict,
                    repeatable=True,
                )
            )

        return Paginator(fetch, cursor)

    async def get(
        self,
        summary_id: str,
        *,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Summary:
        """Get summary.

        Returns the specified summary.

        Session summaries are currently in Beta and available to selected customers only. Email us
        at embedded@whereby.com to join our pilot program (terms and conditions apply).

        GET /summaries/{summaryId}, 1 point.

        Args:
            summary_id: Summary ID.
            extra_query: Further query parameters.

        Returns:
            A JSON object representing the summary.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="summaries.get",
                method="GET",
                path=f"/summaries/{arg.segment('summary_id', summary_id)}",
                cost=1,
                query=arg.query(
                    extra=extra_query,
                ),
                parse=Summary.from_dict,
                repeatable=True,
            )
        )

    async def delete(
        self,
        summary_id: str,
        *,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Delete summary.

        Deletes the specified summary. The endpoint is idempotent, meaning it will return the same
        response even if the summary has already been deleted.

        Session summaries are currently in Beta and available to selected customers only. Email us
        at embedded@whereby.com to join our pilot program (terms and conditions apply).

        DELETE /summaries/{summaryId}, 2 points.

        Args:
            summary_id: Summary ID.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="summaries.delete",
                method="DELETE",
                path=f"/summaries/{arg.segment('summary_id', summary_id)}",
                cost=2,
                query=arg.query(
                    extra=extra_query,
                ),
                parse=nothing,
                empty=True,
                repeatable=True,
            )
        )

    async def create_and_wait(
        self,
        *,
        transcription_id: str,
        template: SummaryTemplate | str | Unset = UNSET,
        timeout: float | None = DEFAULT_TIMEOUT,
        webhooks: Webhooks | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> Summary:
        """Create as `create` does, then wait until it is done, as `wait` does.

        When it fails or the time is over, the error's `job_id` is the id of what was created.

        Args:
            transcription_id: as for `create`.
            template: as for `create`.
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
            transcription_id=transcription_id,
            template=template,
            extra_body=extra_body,
            extra_query=extra_query,
        )
        return await self.wait(created.summary_id, timeout=timeout, webhooks=webhooks)
