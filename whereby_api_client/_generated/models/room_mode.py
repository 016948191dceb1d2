"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class RoomMode(OpenEnum):
    """The mode and size of the created transient room. `normal` is the default room mode and should
    be used for meetings up to 4 participants. `group` should be used for meetings that require
    more than 4 participants.
    """

    GROUP = "group"
    NORMAL = "normal"
