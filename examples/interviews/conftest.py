"""What the service reads from the environment when it is imported."""

from __future__ import annotations

import os

SECRET = "made-up"
os.environ["WHEREBY_WEBHOOK_SECRET"] = SECRET
