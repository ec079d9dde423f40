"""An sshd that asks for more than a key, by PAM (pam.conf(5))."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.accounts import HERMES_USERS, JUMP_USERS
from tests.lab.lab import Lab
from tests.lab.service import Service

PORT = 2222

CODE = "755224"
"""The first one-time code of everybody; it is good once (RFC 4226, appendix D)."""

_SECRET = b"12345678901234567890".hex()


@contextmanager
def asking(lab: Lab, host: str, *asked: str, **settings: str) -> Iterator[Service]:
    """An sshd on PORT of "hermes" or "jump" that asks everybody for "password", for "code", or for both."""
    codes = lab.directory / host / "codes"
    people = (*HERMES_USERS, *JUMP_USERS)
    codes.write_text("".join(f"HOTP {person.name} - {_SECRET}\n" for person in people))
    modules = {"password": "pam_unix.so nodelay", "code": f"pam_oath.so usersfile={codes} window=1"}
    service = lab.network.hosts[host].etc / "pam.d" / "sshd"
    lines = [f"auth required {modules[each]}" for each in asked]
    lines += [f"{kind} include other" for kind in ("account", "password", "session")]
    service.write_text("\n".join(lines) + "\n")
    settings = {"UsePAM": "yes", "KbdInteractiveAuthentication": "yes", **settings}
    try:
        with lab.sshd(host, PORT, **settings) as sshd:
            yield sshd
    finally:
        service.unlink()
