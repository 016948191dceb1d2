"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class TranscriptionStorageType(OpenEnum):
    """The storage type of the transcription
    - `WHEREBY_HOSTED` - files kept with Whereby
    - `SELF_HOSTED` - files stored in external location
    """

    WHEREBY_HOSTED = "WHEREBY_HOSTED"
    SELF_HOSTED = "SELF_HOSTED"
