"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class RoomPalette(OpenEnum):
    """Background color name. ['default', 'grey', 'purple', 'burgund']"""

    DEFAULT = "default"
    GREY = "grey"
    PURPLE = "purple"
    BURGUND = "burgund"
