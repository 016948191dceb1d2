"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingRecordingDestinationFileFormat(OpenEnum):
    """The format of the recording. By default the value should be taken from the organization
    settings.
    """

    MKV = "mkv"
    MP4 = "mp4"
