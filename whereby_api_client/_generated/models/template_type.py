"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class TemplateType(OpenEnum):
    """If provided, the room will be created with the given template type. Each template defines a
    set of properties needed for a particular use-case. Currently the only supported template type
    is "viewerMode". This will set up a room with properties that are needed to create a viewer
    mode room. The room will be locked, roomMode set to "group" and fields like hostRoomUrl and
    viewerRoomUrl will be added to the response.
    """

    VIEWERMODE = "viewerMode"
