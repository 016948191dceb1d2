"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingLiveTranscriptionStartTrigger(OpenEnum):
    """What type of trigger should happen in the meeting when all the information required to start a
    Session Transcription has been provided.
    - `null` - The value should be taken from the organization settings
    - `"none"` - Session Transcription will not be available for the meeting
    - `"manual"` - Host can manually start/stop the Session Transcription via the UI in the
      meeting
    - `"automatic"` - The Session Transcription will be automatically started as soon as the first
      participant joins the meeting.
    - `"automatic-2nd-participant"` - The Session Transcription will be automatically started as
      soon as the second participant joins the meeting.
    """

    NONE = "none"
    MANUAL = "manual"
    AUTOMATIC = "automatic"
    AUTOMATIC_2ND_PARTICIPANT = "automatic-2nd-participant"
