"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class RoomLogoTheme(OpenEnum):
    """Reset room logo to default."""

    DEFAULT = "default"
