"""What is understood of a credential's place."""

from __future__ import annotations

import pytest

from hermes_tunnel.remote.landing import Landing, read_landing

LANDED = "hermes-tunnel:n:landed:"


def test_landing() -> None:
    """The line is found among a start-up file's talk; the age is by the remote's own clock."""
    answer = f"motd\nnoise {LANDED}me:600:100:160:/home/me/a:b.json\r\nmore\n"
    landing = read_landing(answer, "n")
    assert landing == Landing("/home/me/a:b.json", "me", "600", 60)
    assert str(landing) == "/home/me/a:b.json (owner me, mode 600)"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "hermes-tunnel:other:landed:me:600:1:2:/a",
        f"{LANDED}me:600:1:/a",
        f"{LANDED}me:600:x:2:/a",
        f"{LANDED}me:600:\N{SUPERSCRIPT TWO}:2:/a",
        f"{LANDED}me:600:{'9' * 5000}:2:/a",
        f"{LANDED}me:600:-1:2:/a",
        f"{LANDED}me:rw-:1:2:/a",
        f"{LANDED}me:600:1:2:",
    ],
)
def test_nothing_learned(answer: str) -> None:
    """Anything else is no landing, and no fault of ours."""
    assert read_landing(answer, "n") is None


def test_scrubbed() -> None:
    """Escape sequences in the answer are not passed on."""
    landing = read_landing(f"{LANDED}\x1b[31mme:600:1:2:/\x1b]0;x\x07a", "n")
    assert landing == Landing("/a", "me", "600", 1)
