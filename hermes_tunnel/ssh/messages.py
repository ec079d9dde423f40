"""The numbers of SSH's messages (RFC 4250 section 4.1.2)."""

from __future__ import annotations

from enum import IntEnum


class Number(IntEnum):
    """Those sent or heard here; 60 and 61 belong to the authentication method (RFC 4252)."""

    SERVICE_REQUEST = 5
    SERVICE_ACCEPT = 6
    USERAUTH_REQUEST = 50
    USERAUTH_FAILURE = 51
    USERAUTH_SUCCESS = 52
    USERAUTH_BANNER = 53
    USERAUTH_METHOD_SPECIFIC = 60
    USERAUTH_INFO_RESPONSE = 61
    GLOBAL_REQUEST = 80
    CHANNEL_CLOSE = 97
    CHANNEL_REQUEST = 98
    CHANNEL_SUCCESS = 99
    CHANNEL_FAILURE = 100

    @property
    def byte(self) -> bytes:
        """The byte that a message begins with."""
        return bytes([self])
