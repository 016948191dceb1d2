"""The page on the client, run."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from whereby_api_client.testing import FakeWhereby

from ..helpers.pages import python_blocks, run_block, served

PAGE = Path(__file__).parents[2] / "docs" / "client.md"


@pytest.mark.anyio
@pytest.mark.parametrize("block", python_blocks(PAGE), ids=lambda block: block.split("\n")[0])
async def test_blocks(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block runs as it stands, in a folder with nothing but the certificates that it names."""
    monkeypatch.chdir(tmp_path)
    authority = trustme.CA()
    authority.cert_pem.write_to_path("company-ca.pem")
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path("client.pem")
    fake = FakeWhereby()
    async with served(fake, monkeypatch) as whereby:
        await run_block(block, {"whereby": whereby})
    assert {request.status for request in fake.requests} <= {200, 404}
    if "print" in block:
        assert "/v1/meetings/no-such-meeting" in capsys.readouterr().out
