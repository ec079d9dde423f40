"""The keys that edit a line: for a hidden one, which the terminal hands over key by key."""

from __future__ import annotations


def edit(stands: bytearray, typed: bytes) -> bool:
    """Apply keys to a line as a terminal does: Backspace, Ctrl-U, Ctrl-D, Enter.

    :param stands: what has been typed so far, perhaps several lines; edited in place
    :return: whether the input has ended: by Ctrl-D with nothing before it
    """
    ended = not typed
    line_begins = stands.rfind(b"\n") + 1
    for key in typed:
        if key in b"\x7f\b":
            while len(stands) > line_begins and stands.pop() & 0xC0 == 0x80:
                pass  # the other bytes of a character
        elif key in b"\x15":
            del stands[line_begins:]
        elif key in b"\x04" and line_begins == len(stands):
            ended = not stands
        elif key in b"\r\n\x04":
            stands += b"\n"
            line_begins = len(stands)
        else:
            stands.append(key)
    return ended
