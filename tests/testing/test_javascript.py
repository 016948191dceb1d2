"""JSON as JavaScript writes it, compared with node where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whereby_api_client.testing.javascript import stringify

NODE = shutil.which("node")

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3) | st.integers(0, 2**33).map(str), inner, max_size=4
        ).filter(lambda value: "__proto__" not in value)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1800.0, "1800"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (1.5e-7, "1.5e-7"),
        (0.000001, "0.000001"),
        (-1.25e300, "-1.25e+300"),
        (2**53 + 1, "9007199254740992"),
        (10**400, "null"),
        (float("nan"), "null"),
        (float("inf"), "null"),
        ("é\u2028\ud800\x1f", '"é\u2028\\ud800\\u001f"'),
        ({"b": 1, "10": 2, "9": [None], "01": False}, '{"9":[null],"10":2,"b":1,"01":false}'),
    ],
)  # fmt: skip
def test_known_values(value: Any, text: str) -> None:
    """Write numbers, strings and the order of keys as JSON.stringify does."""
    assert stringify(value) == text


def test_other_values() -> None:
    """Refuse what is not JSON."""
    with pytest.raises(TypeError, match="bytes is not a JSON value"):
        stringify({"a": b""})


@given(VALUES)
def test_python_reads_it(value: Any) -> None:
    """Write what a JSON parser reads as the same value, but for what a double cannot hold."""
    again = json.loads(stringify(value))
    assert stringify(again) == stringify(value)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_node_agrees() -> None:
    """Come back unchanged from JSON.stringify(JSON.parse(…)) in node, whatever the value."""
    assert NODE is not None
    texts: list[str] = []

    @settings(max_examples=100, database=None)
    @given(VALUES)
    def collect(value: Any) -> None:
        texts.append(stringify(value))

    collect()
    script = (
        "const lines = require('fs').readFileSync(0, 'utf8').split('\\n');"
        "for (const line of lines) console.log(JSON.stringify(JSON.parse(line)))"
    )
    done = subprocess.run(
        [NODE, "-e", script], input="\n".join(texts).encode(), capture_output=True, check=True
    )
    assert done.stdout.decode().rstrip("\n").split("\n") == texts
