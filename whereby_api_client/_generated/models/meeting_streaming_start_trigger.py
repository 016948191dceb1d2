"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingStreamingStartTrigger(OpenEnum):
    """Specify the condition when live streaming should be started.- `null` - Should be passed when
    this is not required or should be inherited from the organization preferences
    - `none` - The meeting host is able to manually start and stop the stream.
    - `prompt` - The meeting host will be prompted to start the stream once joined.
    - `automatic` - The stream will be automatically started as soon as the first participant
      joins the meeting.
    """

    NONE = "none"
    PROMPT = "prompt"
    AUTOMATIC = "automatic"
