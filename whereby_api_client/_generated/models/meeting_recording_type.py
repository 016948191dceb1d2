"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingRecordingType(OpenEnum):
    """The type of recording that should take place. "none" - Recording should be disabled "local" -
    Recording should happen in the browser "cloud" - Recording should happen in the cloud
    """

    NONE = "none"
    LOCAL = "local"
    CLOUD = "cloud"
