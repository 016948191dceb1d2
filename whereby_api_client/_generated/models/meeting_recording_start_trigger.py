"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingRecordingStartTrigger(OpenEnum):
    """What type of trigger should happen in the meeting when all the information required to start a
    recording has been provided. This only has effect when recording.type is set to `"cloud"`
    - `null` - The value should be taken from the organization settings
    - `"none"` - A user should manually start the recording using the UI in the meeting
    - `"prompt"` - A prompt to start the recording will be shown to the first user with permission
      to start the recording.
    - `"automatic"` - The recording will be automatically started as soon as the first participant
      joins the meeting.
    - `"automatic-2nd-participant"` - The recording will be automatically started as soon as the
      second participant joins the meeting.
    """

    NONE = "none"
    PROMPT = "prompt"
    AUTOMATIC = "automatic"
    AUTOMATIC_2ND_PARTICIPANT = "automatic-2nd-participant"
