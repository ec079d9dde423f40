"""How a terminal is set, as a server is told of it (RFC 4254 section 8), to set the program's end alike."""

from __future__ import annotations

import struct
import sys
from typing import Any

if sys.platform != "win32":
    import termios
else:
    termios: Any = None

_END, _INPUT_SPEED, _OUTPUT_SPEED = 0, 128, 129
_DISABLED = 255  # as in the RFC; what _POSIX_VDISABLE is differs
_CHARACTERS = {
    "VINTR": 1, "VQUIT": 2, "VERASE": 3, "VKILL": 4, "VEOF": 5, "VEOL": 6, "VEOL2": 7, "VSTART": 8,
    "VSTOP": 9, "VSUSP": 10, "VDSUSP": 11, "VREPRINT": 12, "VWERASE": 13, "VLNEXT": 14, "VSTATUS": 17,
    "VDISCARD": 18,
}  # fmt: skip
_INPUT = {
    "IGNPAR": 30, "PARMRK": 31, "INPCK": 32, "ISTRIP": 33, "INLCR": 34, "IGNCR": 35, "ICRNL": 36, "IUCLC": 37,
    "IXON": 38, "IXANY": 39, "IXOFF": 40, "IMAXBEL": 41, "IUTF8": 42,
}  # fmt: skip
_LOCAL = {
    "ISIG": 50, "ICANON": 51, "XCASE": 52, "ECHO": 53, "ECHOE": 54, "ECHOK": 55, "ECHONL": 56, "NOFLSH": 57,
    "TOSTOP": 58, "IEXTEN": 59, "ECHOCTL": 60, "ECHOKE": 61, "PENDIN": 62,
}  # fmt: skip
_OUTPUT = {"OPOST": 70, "OLCUC": 71, "ONLCR": 72, "OCRNL": 73, "ONOCR": 74, "ONLRET": 75}
_CONTROL = {"CS7": 90, "CS8": 91, "PARENB": 92, "PARODD": 93}
# Python has this name only since 3.13.
_VALUES = {"IUTF8": 0x4000}


def encoded(attributes: list[Any] | None) -> bytes:
    """The modes of a terminal, each an opcode and a number, and the opcode that ends them.

    :param attributes: as ``termios.tcgetattr`` gives them; None if there is no terminal here
    """
    if attributes is None or termios is None:
        return bytes([_END])
    flags_in, flags_out, control, local, speed_in, speed_out, characters = attributes
    modes = [(_OUTPUT_SPEED, _baud(speed_out)), (_INPUT_SPEED, _baud(speed_in))]
    for name, opcode in _CHARACTERS.items():
        if (index := getattr(termios, name, None)) is not None and index < len(characters):
            modes.append((opcode, _character(characters[index])))
    for flags, names in ((flags_in, _INPUT), (local, _LOCAL), (flags_out, _OUTPUT), (control, _CONTROL)):
        for name, opcode in names.items():
            if value := getattr(termios, name, _VALUES.get(name, 0)):
                modes.append((opcode, int(flags & value == value)))
    return b"".join(struct.pack(">BI", *mode) for mode in modes) + bytes([_END])


def _character(value: bytes | int) -> int:
    number = value if isinstance(value, int) else value[0]
    return _DISABLED if number in (0, 0xFF) else number


def _baud(constant: int) -> int:
    """The speed that one of termios' constants stands for, in bits per second."""
    names = (name for name in dir(termios) if name[0] == "B" and name[1:].isdecimal())
    return next((int(name[1:]) for name in names if getattr(termios, name) == constant), constant)
