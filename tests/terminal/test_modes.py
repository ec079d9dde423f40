"""How a terminal is set, as a server is told (RFC 4254 section 8)."""

from __future__ import annotations

import os
import struct
import sys
from contextlib import closing

import pytest

from hermes_tunnel.terminal.modes import encoded
from tests.terminal.pseudo_terminal import open_pair

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)
import termios


def decoded(modes: bytes) -> dict[int, int]:
    """The numbers by their opcodes; the last byte ends them."""
    assert modes[-1:] == b"\0"
    return dict(struct.iter_unpack(">BI", modes[:-1]))


def test_modes() -> None:
    """Characters, flags and speeds, by the opcodes of the RFC."""
    master, slave = open_pair()
    with closing(os.fdopen(master)), closing(os.fdopen(slave)):
        attributes = termios.tcgetattr(slave)
        attributes[0] |= termios.ICRNL
        attributes[0] &= ~termios.IXON
        attributes[4] = attributes[5] = termios.B9600
        attributes[6][termios.VINTR], attributes[6][termios.VEOL] = b"\x07", b"\0"
        modes = decoded(encoded(attributes))
    interrupt, end_of_line, input_speed, output_speed = 1, 6, 128, 129
    assert (modes[interrupt], modes[end_of_line]) == (7, 255)
    assert modes[input_speed] == modes[output_speed] == 9600
    icrnl, ixon, echo = 36, 38, 53
    assert (modes[icrnl], modes[ixon], modes[echo]) == (1, 0, 1)


def test_no_terminal() -> None:
    """Nothing is said then."""
    assert encoded(None) == b"\0"
