"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class TranscriptionType(OpenEnum):
    """The type of the transcription
    - `LIVE_TRANSCRIPTION` - Session Transcription
    - `RECORDING_TRANSCRIPTION` - generated based on a recording
    """

    LIVE_TRANSCRIPTION = "LIVE_TRANSCRIPTION"
    RECORDING_TRANSCRIPTION = "RECORDING_TRANSCRIPTION"
