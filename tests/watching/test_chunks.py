"""What is seen does not depend on how the output was cut."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.watching.watched import bytewise, seen

REQUEST = (
    "https://id.example/authorize?client_id=a&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcb&state=abc1"
)
PIECES = [
    *(REQUEST, REQUEST[:40], REQUEST[40:80], REQUEST[80:], "https://a.b/device", "https://", "/x?y=1"),
    *("code: ", "Enter this code:", "ABCD-EFGH", "WXYZ-1234.", "PRIVATE", "Paste it here: ", "Open "),
    *("Waiting...", " ", "  ", ".", ",", "|", "\u2502", "| ", " |", "+----+", "\u754c", "e\u0301", "\u200b"),
    *("\r\n", "\n", "\r", "\r\n\r\n", "\t", "\b", "\a", "\x1b[31m", "\x1b[0m", "\x1b[K", "\x1b[2K", "\x1b[J"),
    *(
        "\x1b[2J",
        "\x1b[H",
        "\x1b[3;5H",
        "\x1b[A",
        "\x1b[2B",
        "\x1b[5C",
        "\x1b[3D",
        "\x1b[1G",
        "\x1b[L",
        "\x1b[M",
    ),
    *("\x1b[4P", "\x1b[3@", "\x1b[2X", "\x1b[S", "\x1b[T", "\x1b7", "\x1b8", "\x1bM", "\x1bD", "\x1bc"),
    *("\x1b[?1049h", "\x1b[?1049l", "\x1b[?25l", "\x1b[2;5r", "\x1b[r", "\x1b]", "\x1b[", "\x1b", "\x9b1"),
    *("\x1b]8;;https://link.example/a\x1b\\", "\x1b]8;;\x07", "\x1b]0;title\x07", "\x1bP1$r", "\x1b\\"),
    "\x1b]9008;hermes-tunnel;https://only.example/b\x07",
]
outputs = st.lists(st.sampled_from(PIECES), max_size=14).map(lambda pieces: "".join(pieces).encode())


@settings(deadline=None)
@given(outputs, st.data(), st.sampled_from([(80, 24), (40, 10), (20, 30)]))
def test_any_chunking(output: bytes, data: st.DataObject, size: tuple[int, int]) -> None:
    """Output shows the same however it is cut."""
    columns, rows = size
    cuts = sorted(data.draw(st.lists(st.integers(0, len(output)), max_size=6)))
    pieces = [output[a:b] for a, b in zip([0, *cuts], [*cuts, len(output)], strict=True)]
    whole = set(seen(output, columns=columns, rows=rows))
    assert set(seen(*pieces, columns=columns, rows=rows)) == whole
    assert set(seen(*bytewise(output), columns=columns, rows=rows)) == whole


@settings(deadline=None)
@given(st.binary(max_size=400), st.data())
@example(b"\x1b[9999;9999r\x1b[9999S\x1b[9999b\x1b[7J\x1b[3K\x1b[?1;2;3h\x1b(0lqk", None)
def test_anything_can_be_printed(noise: bytes, data: object) -> None:
    """No bytes make the reader stumble, and a request that follows on a screen of its own is seen."""
    for size in ((80, 24), (1, 1), (3, 2)):
        found = seen(
            noise + b"\x1b\\\x18\x1bc\x1b[?7h\x1b[4l\r\n" + f"{REQUEST}\r\n".encode(),
            columns=size[0],
            rows=size[1],
        )
        assert size[0] < 80 or REQUEST in [getattr(one, "url", "") for one in found]
