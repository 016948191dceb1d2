"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class RoomNamePattern(OpenEnum):
    """The format of the randomly generated room name. `uuid` is the default room name pattern and
    follows the usual 8-4-4-4-12 pattern. `human-short` generates a shorter string made up of six
    distinguishable characters.
    """

    UUID = "uuid"
    HUMAN_SHORT = "human-short"
