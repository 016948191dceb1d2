"""A service around Whereby: it makes meetings, and files recordings with their transcripts.

    POST /meetings      {"minutes": 30, "name": "interview"} → the room's addresses
    POST /webhooks      deliveries of Whereby: set this address up in Whereby's dashboard
    GET  /recordings    what has been filed

Settings come from the environment: WHEREBY_API_KEY, WHEREBY_WEBHOOK_SECRET, ARCHIVE (a folder), and
WHEREBY_BASE_URL for another Whereby than the real one. Run it with

    uvicorn --app-dir examples/service --factory app:from_environment

Who may create meetings is not checked here: put that in front of it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from whereby_api_client import BudgetTimeoutError, WherebyClient, WherebyError
from whereby_api_client.webhooks import RecordingFinished, Webhooks

log = logging.getLogger("service")

# How many recordings are worked on at the same time.
WORKERS = 4


class Archive:
    """A folder for each recording: the file, its transcription's id, and the transcript.

    The folder is made when a recording's webhook arrives, and the transcript comes last.
    So what is left to do can be seen at any time, also after a restart.
    """

    def __init__(self, whereby: WherebyClient, folder: Path, hooks: Webhooks) -> None:
        self._whereby = whereby
        self._top = anyio.Path(folder)
        self._hooks = hooks
        self._workers = anyio.CapacityLimiter(WORKERS)
        self._at_work: set[str] = set()

    async def accept(self, recording_id: str) -> None:
        """Note that a recording is to be filed."""
        if re.fullmatch(r"[\w-]+", recording_id) is None:
            raise ValueError("an id that cannot be the name of a folder")
        await (self._top / recording_id).mkdir(parents=True, exist_ok=True)

    async def unfinished(self) -> list[str]:
        """List the recordings with something left to do."""
        return [name for name, done in (await self.filed()).items() if not done]

    async def filed(self) -> dict[str, bool]:
        """Tell of each recording whether all of it is there."""
        await self._top.mkdir(parents=True, exist_ok=True)
        folders = sorted([folder async for folder in self._top.iterdir()])
        return {folder.name: await (folder / "transcript.md").exists() for folder in folders}

    async def file(self, recording_id: str) -> None:
        """Do what is left to do for a recording."""
        if recording_id in self._at_work:
            return
        self._at_work.add(recording_id)
        try:
            async with self._workers:
                await self._file(recording_id)
            log.info("filed %s", recording_id)
        except (WherebyError, OSError) as error:
            # Whereby keeps it, and so does the folder: the next start tries again
            log.error("could not file %s: %s", recording_id, error)
        finally:
            self._at_work.remove(recording_id)

    async def _file(self, recording_id: str) -> None:
        folder = self._top / recording_id
        recording, transcript = folder / "recording.mp4", folder / "transcript.md"
        if not await recording.exists():
            await self._whereby.recordings.download(recording_id, recording)
        if await transcript.exists():
            return
        # noted before it is waited for: a transcription that was paid for is not asked for twice
        note = folder / "transcription-id"
        if not await note.exists():
            created = await self._whereby.transcriptions.create(recording_id=recording_id)
            await note.write_text(created.transcription_id)
        transcription_id = await note.read_text()
        await self._whereby.transcriptions.wait(transcription_id, webhooks=self._hooks)
        await self._whereby.transcriptions.download(transcription_id, transcript)


async def create_meeting(request: Request) -> JSONResponse:
    """Create a meeting that ends in so many minutes."""
    try:
        fields = await request.json()
        minutes, name = float(fields.get("minutes", 60)), str(fields.get("name", ""))
    except (ValueError, TypeError, AttributeError):
        raise HTTPException(400, "send a JSON object with minutes and name") from None
    if not 0 < minutes <= 24 * 60:
        raise HTTPException(400, "minutes must be more than 0 and at most a day")
    # somebody waits for the response: better to say that there are no points left than to be silent
    whereby: WherebyClient = request.app.state.whereby.with_options(max_wait=5)
    try:
        meeting = await whereby.meetings.create(
            end_date=datetime.now(UTC) + timedelta(minutes=minutes),
            room_name_prefix=name,
            fields=["hostRoomUrl"],
        )
    except BudgetTimeoutError:
        raise HTTPException(503, "too busy", {"Retry-After": "30"}) from None
    body = {
        "meetingId": meeting.meeting_id,
        "roomUrl": meeting.room_url,
        "hostRoomUrl": meeting.host_room_url,
    }
    return JSONResponse(body, 201)


async def list_recordings(request: Request) -> JSONResponse:
    """Tell what has been filed, and what is being worked on."""
    return JSONResponse(await request.app.state.archive.filed())


def make_app(whereby: WherebyClient, hooks: Webhooks, folder: Path) -> Starlette:
    """Put the service together."""
    archive = Archive(whereby, folder, hooks)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with whereby, anyio.create_task_group() as tasks:
            app.state.tasks = tasks
            for recording_id in await archive.unfinished():
                tasks.start_soon(archive.file, recording_id)
            yield
            tasks.cancel_scope.cancel()

    app = Starlette(
        routes=[
            Route("/meetings", create_meeting, methods=["POST"]),
            Route("/recordings", list_recordings),
            Route("/webhooks", hooks),
        ],
        lifespan=lifespan,
    )
    app.state.whereby, app.state.archive = whereby, archive

    @hooks.on(RecordingFinished)
    async def recording_finished(event: RecordingFinished) -> None:
        # Whereby waits five seconds for the response, so the work itself is done afterwards
        await archive.accept(event.data.recording_id)
        app.state.tasks.start_soon(archive.file, event.data.recording_id)

    return app


def from_environment() -> Starlette:
    """Put the service together with the settings of the environment."""
    logging.basicConfig(level=logging.INFO)
    base_url = os.environ.get("WHEREBY_BASE_URL", "https://api.whereby.dev/v1")
    folder = Path(os.environ.get("ARCHIVE", "archive"))
    return make_app(WherebyClient(base_url=base_url), Webhooks(), folder)
