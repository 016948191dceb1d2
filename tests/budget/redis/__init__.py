"""The budget that is shared through Redis, against a real server."""
