"""A page's address as a QR code (ISO/IEC 18004), to be opened on a phone."""

from __future__ import annotations

from importlib.util import find_spec

from hermes_tunnel.errors import UsageFailure

BLOCKS = "\u2588\u2580\u2584"
_HALVES = ((True, True), (True, False), (False, True), (False, False))  # what BLOCKS and a space show
_BORDER = 2  # modules; the standard asks for 4, and cameras take 2


def check_library(name: str = "segno") -> None:
    """:raises UsageFailure: the library that makes QR codes is not installed"""
    if find_spec(name) is None:
        raise UsageFailure(
            "--qr needs segno, which is not installed",
            "if pipx installed this program: pipx inject hermes-tunnel segno",
        )


def rows(address: str, *, blocks: bool, inverted: bool) -> list[str]:
    """The lines of the code, all equally wide.

    :param address: what the code says
    :param blocks: whether the terminal has half blocks, so that a line shows two rows of modules; otherwise
        a module is two signs of ASCII
    :param inverted: whether a sign that is written is light, as on a dark background
    """
    import segno

    code = segno.make_qr(address, error="l", boost_error=False)
    modules = [[bool(module) is not inverted for module in row] for row in code.matrix_iter(border=_BORDER)]
    if not blocks:
        return ["".join("##" if written else "  " for written in row) for row in modules]
    if len(modules) % 2:
        modules.append([False] * len(modules[0]))  # below the border
    signs = dict(zip(_HALVES, f"{BLOCKS} ", strict=True))
    return [
        "".join(map(signs.__getitem__, zip(*pair, strict=True)))
        for pair in zip(modules[::2], modules[1::2], strict=True)
    ]
