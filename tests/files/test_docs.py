"""Do the examples of the pages about webhooks and files run?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.pages import python_blocks, run_block
from whereby_api_client.testing import FakeWhereby

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("page", ["webhooks.md", "jobs.md", "files.md"])
async def test_examples(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the blocks of a page one after the other, against a fake."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", "secret")
    fake = FakeWhereby(job_time=0)
    recording = fake.add_recording(content=b"video")
    async with fake.client() as whereby:
        names: dict[str, Any] = {
            "__name__": "page",
            "whereby": whereby,
            "recording_id": recording.recording_id,
            "transcription_id": fake.add_transcription().transcription_id,
        }
        for block in python_blocks(DOCS / page):
            await run_block(block, names)
    if page == "files.md":
        assert (tmp_path / "meeting.mp4").read_bytes() == b"video"
        assert len(list((tmp_path / "transcripts").iterdir())) == 1
        assert len(names["paths"]) == 1
