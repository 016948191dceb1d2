"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..._runtime.resource import Caller

if TYPE_CHECKING:
    from .insights import Insights
    from .meetings import Meetings
    from .recordings import Recordings
    from .rooms import Rooms
    from .summaries import Summaries
    from .transcriptions import Transcriptions


class Resources(Caller):
    """One attribute for each tag of the document, loaded when it is first used."""

    @cached_property
    def insights(self) -> Insights:
        """The operations on insights: get_participant, list_participants, list_room_sessions, list_rooms."""
        from .insights import Insights

        return Insights(self)

    @cached_property
    def meetings(self) -> Meetings:
        """The operations on meetings: create, list, get, delete."""
        from .meetings import Meetings

        return Meetings(self)

    @cached_property
    def recordings(self) -> Recordings:
        """The operations on recordings: list, bulk_delete, get, delete, get_access_link."""
        from .recordings import Recordings

        return Recordings(self)

    @cached_property
    def rooms(self) -> Rooms:
        """The operations on rooms: set_logo, set_background, set_knock_page_background, set_colors."""
        from .rooms import Rooms

        return Rooms(self)

    @cached_property
    def summaries(self) -> Summaries:
        """The operations on summaries: create, list, get, delete."""
        from .summaries import Summaries

        return Summaries(self)

    @cached_property
    def transcriptions(self) -> Transcriptions:
        """The operations on transcriptions: create, list, bulk_delete, get, delete, get_access_link."""
        from .transcriptions import Transcriptions

        return Transcriptions(self)
