"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class RoomTokensPreset(OpenEnum):
    """Use the given primary or secondary colors when `custom`. Use organization defaults when
    `default` or not defined.
    """

    CUSTOM = "custom"
    DEFAULT = "default"
