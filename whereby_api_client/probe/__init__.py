"""Ask the real API: where does it differ from its OpenAPI document, from the facts, from the fake?

    WHEREBY_API_KEY=… python -m whereby_api_client.probe

It reads what can be read, within a few points, and writes a report without values: no name, URL, id
or token of your organization is in it. `--write` also creates and deletes one meeting.
docs/testing.md describes the report.
"""
