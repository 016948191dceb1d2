"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingField(OpenEnum):
    """The values of MeetingField."""

    HOSTROOMURL = "hostRoomUrl"
    VIEWERROOMURL = "viewerRoomUrl"
