"""Interviews by video: a FastAPI service that books rooms and keeps track of the meetings.

    POST   /interviews        {"candidate": "Ada"} → an address for each side
    GET    /interviews/{id}   state and times
    DELETE /interviews/{id}   call it off
    POST   /webhooks          set this address up in Whereby's dashboard

    WHEREBY_API_KEY=… WHEREBY_WEBHOOK_SECRET=… uvicorn interviews:app

Interviews are kept in memory, to keep the example small: put your database there. Who may book is
not checked: put that in front of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field
from starlette.routing import Route

from whereby_api_client import BudgetTimeoutError, NotFoundError, WherebyClient
from whereby_api_client.webhooks import RoomSessionEnded, RoomSessionStarted, Webhooks


class Booking(BaseModel):
    """What a caller asks for."""

    candidate: str = Field(min_length=1, max_length=30)
    minutes: int = Field(default=45, gt=0, le=480)


class Interview(BaseModel):
    """An interview, as the service shows it."""

    id: str
    candidate: str
    candidate_url: str
    interviewer_url: str
    ends: datetime
    state: Literal["booked", "running", "over"] = "booked"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the client when the service starts, and close it when it ends."""
    async with WherebyClient(max_wait=2) as whereby:
        app.state.whereby = whereby
        yield


app = FastAPI(title="Interviews", lifespan=lifespan)
hooks = Webhooks()
app.routes.append(Route("/webhooks", hooks, methods=["POST"]))
interviews: dict[str, Interview] = {}
rooms: dict[str, str] = {}
"""Which interview a room is for: webhooks name the room."""


def get_whereby(request: Request) -> WherebyClient:
    """Return the service's client; tests put theirs in its place."""
    whereby: WherebyClient = request.app.state.whereby
    return whereby


Whereby = Annotated[WherebyClient, Depends(get_whereby)]


def find(interview_id: str) -> Interview:
    """Return an interview, or say that there is none."""
    if interview_id not in interviews:
        raise HTTPException(404, "no such interview")
    return interviews[interview_id]


@app.post("/interviews", status_code=201)
async def book(booking: Booking, whereby: Whereby) -> Interview:
    """Book a room; 503 at once when it would take too long to get the points for it."""
    try:
        meeting = await whereby.meetings.create(
            end_date=datetime.now(UTC) + timedelta(minutes=booking.minutes),
            room_name_prefix="interview-",
            is_locked=True,
            fields=["hostRoomUrl"],
        )
    except BudgetTimeoutError:
        raise HTTPException(503, "busy", headers={"Retry-After": "10"}) from None
    interview = Interview(
        id=meeting.meeting_id,
        candidate=booking.candidate,
        candidate_url=meeting.room_url,
        interviewer_url=str(meeting.host_room_url),
        ends=meeting.end_date,
    )
    interviews[interview.id] = interview
    rooms[str(meeting.room_name)] = interview.id
    return interview


@app.get("/interviews/{interview_id}")
async def show(interview_id: str) -> Interview:
    """Show an interview. Webhooks keep it up to date: this asks nobody."""
    return find(interview_id)


@app.delete("/interviews/{interview_id}", status_code=204)
async def call_off(interview_id: str, whereby: Whereby) -> None:
    """Delete the room. If Whereby has already done so, that is what was wanted."""
    find(interview_id)
    with suppress(NotFoundError):
        await whereby.meetings.delete(interview_id)
    del interviews[interview_id]


@hooks.on(RoomSessionStarted)
async def started(event: RoomSessionStarted) -> None:
    """Note that somebody is there. A late event does not bring an interview back to life."""
    interview = interviews.get(rooms.get(event.data.room_name, ""))
    if interview is not None and interview.state == "booked":
        interview.state = "running"


@hooks.on(RoomSessionEnded)
async def ended(event: RoomSessionEnded) -> None:
    """Note that everybody has left."""
    interview = interviews.get(rooms.get(event.data.room_name, ""))
    if interview is not None:
        interview.state = "over"
