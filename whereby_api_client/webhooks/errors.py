"""Errors of deliveries."""

from __future__ import annotations

from typing import Literal

from ..errors import WherebyError

SignatureProblem = Literal["missing", "malformed", "mismatch", "expired", "future"]
"""Why a delivery is not trusted."""


class WebhookError(WherebyError):
    """A delivery that cannot be accepted."""


class SignatureError(WebhookError):
    """The delivery is not proven to come from Whereby, or not to come just now.

    Attributes:
        problem: `missing` or `malformed` header, `mismatch` with all secrets, `expired`, or signed
            in the `future`.
    """

    def __init__(self, text: str, problem: SignatureProblem = "mismatch") -> None:
        super().__init__(text)
        self.problem: SignatureProblem = problem


class PayloadError(WebhookError):
    """The body of the delivery is no event that can be read."""
