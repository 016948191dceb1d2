"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class RoomTheme(OpenEnum):
    """Background image. ['default', 'mountains', 'characters', 'rocks']"""

    DEFAULT = "default"
    MOUNTAINS = "mountains"
    CHARACTERS = "characters"
    ROCKS = "rocks"
