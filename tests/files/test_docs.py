"""Do the examples of the pages about webhooks and files run?"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from whereby_api_client.testing import FakeWhereby

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parent.parent.parent / "docs"


def examples(page: str) -> list[CodeType]:
    """Compile the Python blocks of a page, so that they may await."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return [compile(block, page, "exec", flags=flags) for block in blocks]


@pytest.mark.parametrize("page", ["webhooks.md", "jobs.md", "files.md"])
async def test_examples(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the blocks of a page one after the other, against a fake."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHEREBY_WEBHOOK_SECRET", "secret")
    (tmp_path / "transcripts").mkdir()
    fake = FakeWhereby(job_time=0)
    recording = fake.add_recording(content=b"video")
    async with fake.client() as whereby:
        names: dict[str, Any] = {
            "__name__": "page",
            "whereby": whereby,
            "recording_id": recording.recording_id,
            "transcription_id": fake.add_transcription().transcription_id,
        }
        for code in examples(page):
            result = eval(code, names)
            if inspect.isawaitable(result):
                await result
    if page == "files.md":
        assert (tmp_path / "meeting.mp4").read_bytes() == b"video"
        assert len(list((tmp_path / "transcripts").iterdir())) == 1
        assert len(names["paths"]) == 1
