"""Escapes in what is typed, as ssh(1) has them; each case whole and byte by byte."""

from __future__ import annotations

import pytest

from hermes_tunnel.terminal.escapes import (
    END,
    HELP,
    SUSPEND,
    Echo,
    Escape,
    Escapes,
    Typed,
    escape_character,
)

OWN = {"l": False, "o": True, "k": False}


def received(data: bytes, character: bytes = b"~", *, by_byte: bool) -> tuple[bytes, list[Escape], bytes]:
    """What is for the program, which escapes were typed, and what is shown of them."""
    escapes = Escapes(character, OWN)
    chunks = [data[at : at + 1] for at in range(len(data))] if by_byte else [data]
    found: list[Typed] = [one for chunk in chunks for one in escapes.receive(chunk)]
    return (
        b"".join(one for one in found if isinstance(one, bytes)),
        [one for one in found if isinstance(one, Escape)],
        b"".join(one.shown for one in found if isinstance(one, Echo)),
    )


@pytest.mark.parametrize("by_byte", [False, True])
@pytest.mark.parametrize(
    ("typed", "program", "escapes"),
    [
        (b"ls ~/x\r", b"ls ~/x\r", []),
        (b"~.", b"", [Escape(END)]),
        (b"\r~.", b"\r", [Escape(END)]),
        (b"\n~.", b"\n", [Escape(END)]),
        (b"x~.", b"x~.", []),
        (b"x\r~\x1a", b"x\r", [Escape(SUSPEND)]),
        (b"~?~?", b"", [Escape(HELP), Escape(HELP)]),
        (b"~~.", b"~.", []),
        (b"~~\r~.", b"~\r", [Escape(END)]),
        (b"~x", b"~x", []),
        (b"~\r~.", b"~\r", [Escape(END)]),
        (b"~", b"", []),
        (b"~l", b"", [Escape("l")]),
        (b"~o 2\rx", b"x", [Escape("o", "2")]),
        (b"~o13\x7f\x7f2\rx", b"x", [Escape("o", "2")]),
        (b"~o\x7f\r", b"", [Escape("o")]),
        (b"~o2\x03x", b"x", []),
        (b"~o\xc3\xa92\r", b"", [Escape("o", "2")]),
        (b"~o2\r~.", b"", [Escape("o", "2"), Escape(END)]),
        (b"a\r~l\r~k", b"a\r\r", [Escape("l"), Escape("k")]),
    ],
)
def test_escapes(typed: bytes, program: bytes, escapes: list[Escape], by_byte: bool) -> None:
    """Only after a line's end, or at first; what is unknown goes to the program, both characters of it."""
    assert received(typed, by_byte=by_byte)[:2] == (program, escapes)


@pytest.mark.parametrize("by_byte", [False, True])
def test_what_the_program_does_not_see_is_shown(by_byte: bool) -> None:
    """An escape as ssh shows it; its argument as it is typed, and what is taken back of it."""
    assert received(b"~?", by_byte=by_byte)[2] == b"~?\r\n"
    assert received(b"~\x1a", by_byte=by_byte)[2] == b"~^Z\r\n"
    assert received(b"~o23\x7f\r", by_byte=by_byte)[2] == b"~o 23\b \b\r\n"
    assert received(b"~o 2\r", by_byte=by_byte)[2] == b"~o 2\r\n"


def test_an_arrow_key_gives_an_argument_up() -> None:
    """Nothing of the key's sequence is left for the program."""
    assert received(b"~o2\x1b[A", by_byte=False)[:2] == (b"", [])


def test_an_argument_has_an_end() -> None:
    """A cat on the keyboard fills no memory."""
    _, (escape,), _ = received(b"~o" + b"1" * 5000 + b"\r", by_byte=False)
    assert len(escape.argument) == 64


def test_without_a_character_there_are_none() -> None:
    """EscapeChar none, or no terminal: every byte is the program's."""
    assert received(b"~.\r~.", b"", by_byte=False) == (b"~.\r~.", [], b"")


def test_a_long_text_is_passed_on_at_once() -> None:
    """What is pasted is not looked at byte by byte, and stays one piece."""
    text = b"~ and ~ again\r\n" * 5000
    assert Escapes(b"\x18").receive(text) == [text]
    assert received(b" " + text.replace(b"\n~", b"\n ~"), by_byte=False)[:2] == (
        b" " + text.replace(b"\n~", b"\n ~"),
        [],
    )


@pytest.mark.parametrize(
    ("value", "character"),
    [
        ("~", b"~"),
        ("none", b""),
        ("%", b"%"),
        ("^X", b"\x18"),
        ("^x", b"\x18"),
        ("^]", b"\x1d"),
        ("\\^X", b"\x18"),
        ("\\", b"\\"),
    ],
)
def test_escape_character(value: str, character: bytes) -> None:
    """EscapeChar as ssh_config(5) has it, and as ``ssh -G`` prints it."""
    assert escape_character(value) == character
