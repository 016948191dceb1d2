"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..._runtime import arguments as arg
from ..._runtime.resource import Call, Resource, nothing
from ...types import UNSET, ImageInput, Unset

if TYPE_CHECKING:
    from ..models.room_logo_theme import RoomLogoTheme
    from ..models.room_palette import RoomPalette
    from ..models.room_theme import RoomTheme
    from ..models.room_tokens import RoomTokens
    from ..models.room_tokens_preset import RoomTokensPreset


class Rooms(Resource):
    """The operations on rooms: set_logo, set_background, set_knock_page_background, set_colors."""

    __slots__ = ()

    async def set_logo(
        self,
        room_name: str,
        *,
        image: ImageInput | Unset = UNSET,
        theme: RoomLogoTheme | str | Unset = UNSET,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Set room logo.

        Upload room logo.

        PUT /rooms/{roomName}/theme/logo, 3 points.

        Args:
            room_name: Room name.
            image: The logo image. We recommend PNG images at least 400px wide.
            theme: Reset room logo to default.
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        arg.upload_or_fields("image", image, theme=theme, extra_body=extra_body)
        json: Any = UNSET
        files = None
        if image is UNSET:
            json = arg.body(
                {
                    "theme": arg.choice("theme", theme),
                },
                extra_body,
            )
        else:
            files = {"image": await arg.image("image", image)}
        return await self._caller.execute(
            Call(
                operation="rooms.set_logo",
                method="PUT",
                path=f"/rooms/{arg.room_segment('room_name', room_name)}/theme/logo",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=json,
                files=files,
                parse=nothing,
                empty=True,
                repeatable=True,
            )
        )

    async def set_background(
        self,
        room_name: str,
        *,
        image: ImageInput | Unset = UNSET,
        palette: RoomPalette | str | Unset = UNSET,
        theme: RoomTheme | str | Unset = UNSET,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Set room background.

        Use [FormData](https://developer.mozilla.org/en-US/docs/Web/API/FormData/append) to upload a
        custom background image. JSON objects can be used to set Whereby provided defaults.

        PUT /rooms/{roomName}/theme/room-background, 3 points.

        Args:
            room_name: Room name.
            image: The background image. We recommend PNG images at least 1400px wide (max 600
                kb).
            palette: Background color name. ['default', 'grey', 'purple', 'burgund']
            theme: Background image. ['default', 'mountains', 'characters', 'rocks']
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        arg.upload_or_fields("image", image, palette=palette, theme=theme, extra_body=extra_body)
        json: Any = UNSET
        files = None
        if image is UNSET:
            json = arg.body(
                {
                    "palette": arg.choice("palette", palette),
                    "theme": arg.choice("theme", theme),
                },
                extra_body,
            )
        else:
            files = {"image": await arg.image("image", image)}
        return await self._caller.execute(
            Call(
                operation="rooms.set_background",
                method="PUT",
                path=f"/rooms/{arg.room_segment('room_name', room_name)}/theme/room-background",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=json,
                files=files,
                parse=nothing,
                empty=True,
                repeatable=True,
            )
        )

    async def set_knock_page_background(
        self,
        room_name: str,
        *,
        image: ImageInput | Unset = UNSET,
        palette: RoomPalette | str | Unset = UNSET,
        theme: RoomTheme | str | Unset = UNSET,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Set room knock page background.

        Use [FormData](https://developer.mozilla.org/en-US/docs/Web/API/FormData/append) to upload a
        custom knock background image. JSON objects can be used to set Whereby provided defaults.

        PUT /rooms/{roomName}/theme/room-knock-page-background, 3 points.

        Args:
            room_name: Room name.
            image: The knock page background image. We recommend PNG images at least 1400px wide
                (max 600 kb).
            palette: Background color name. ['default', 'grey', 'purple', 'burgund']
            theme: Background image. ['default', 'mountains', 'characters', 'rocks']
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        arg.upload_or_fields("image", image, palette=palette, theme=theme, extra_body=extra_body)
        json: Any = UNSET
        files = None
        if image is UNSET:
            json = arg.body(
                {
                    "palette": arg.choice("palette", palette),
                    "theme": arg.choice("theme", theme),
                },
                extra_body,
            )
        else:
            files = {"image": await arg.image("image", image)}
        return await self._caller.execute(
            Call(
                operation="rooms.set_knock_page_background",
                method="PUT",
                path=f"/rooms/{arg.room_segment('room_name', room_name)}/theme/room-knock-page-background",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=json,
                files=files,
                parse=nothing,
                empty=True,
                repeatable=True,
            )
        )

    async def set_colors(
        self,
        room_name: str,
        *,
        tokens: RoomTokens | Mapping[str, Any] | Unset = UNSET,
        tokens_preset: RoomTokensPreset | str | Unset = UNSET,
        extra_body: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> None:
        """Set room colors.

        Set primary, secondary and focus room colors.

        PUT /rooms/{roomName}/theme/tokens, 3 points.

        Args:
            room_name: Room name.
            tokens: Room colors defined in an object.
            tokens_preset: Use the given primary or secondary colors when `custom`. Use
                organization defaults when `default` or not defined.
            extra_body: Further JSON fields, sent as they are.
            extra_query: Further query parameters.

        Raises:
            InvalidArgumentError: an argument was refused; nothing was sent.
            APIStatusError: the API answered with an error status.
            WherebyError: anything else that went wrong (connection, timeout, budget, answer).
        """
        return await self._caller.execute(
            Call(
                operation="rooms.set_colors",
                method="PUT",
                path=f"/rooms/{arg.room_segment('room_name', room_name)}/theme/tokens",
                cost=3,
                query=arg.query(
                    extra=extra_query,
                ),
                json=arg.body(
                    {
                        "tokens": arg.json_object("tokens", tokens),
                        "tokensPreset": arg.choice("tokens_preset", tokens_preset),
                    },
                    extra_body,
                ),
                parse=nothing,
                empty=True,
                repeatable=True,
            )
        )
