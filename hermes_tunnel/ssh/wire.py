"""Values as SSH packs them (RFC 4251 section 5), in packets, keys, certificates and agent messages."""

from __future__ import annotations

import struct


def packed(*values: bytes) -> bytes:
    """Each value as a ``string``."""
    return b"".join(struct.pack(">I", len(value)) + value for value in values)


def mpint(number: int) -> bytes:
    """A positive number as the content of an ``mpint``."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


class Reader:
    """Reads one value after another.

    All methods raise ValueError if the data ends too early.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._read = 0

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self._read == len(self._data)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        begin, end = self._read, self._read + count
        if end > len(self._data):
            raise ValueError("it ends too early")
        self._read = end
        return self._data[begin:end]

    def number(self, size: int = 4) -> int:
        """A ``uint32``, or one of another size."""
        return int.from_bytes(self.take(size), "big")

    def string(self) -> bytes:
        """A ``string``, or the content of an ``mpint``."""
        return self.take(self.number())
