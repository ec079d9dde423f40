"""The keys that edit a line, for one that the terminal does not edit itself because it is hidden."""

from __future__ import annotations


def edited(before: bytes, typed: bytes) -> tuple[bytes, bool]:
    """What a terminal makes of keys, for a line that comes as it is typed: Backspace, Ctrl-U, Ctrl-D, Enter.

    :return: what stands there, and whether the input has ended: by Ctrl-D where there is no line to end
    """
    ended, stands = not typed, bytearray(before)
    line_begins = stands.rfind(b"\n") + 1
    for key in typed:
        if key in b"\x7f\b":
            while len(stands) > line_begins and stands.pop() & 0xC0 == 0x80:
                pass  # what follows the first byte of a character
        elif key in b"\x15":
            del stands[line_begins:]
        elif key in b"\x04" and line_begins == len(stands):
            ended = not stands
        elif key in b"\r\n\x04":
            stands += b"\n"
            line_begins = len(stands)
        else:
            stands.append(key)
    return bytes(stands), ended
