"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class TranscriptionState(OpenEnum):
    """The state of the transcription
    - `ready` - The transcription is ready to be downloaded
    - `failed` - The transcription failed to be generated
    - `in_progress` - The transcription is still being generated
    """

    READY = "ready"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
