"""A security key in software, in an agent of its own (OpenSSH's PROTOCOL.u2f, draft-ietf-sshm-ssh-agent)."""

from __future__ import annotations

import base64
import hashlib
import struct
import threading
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.ssh.unix import unix_socket

_KIND, _APPLICATION, _PRESENT = b"sk-ssh-ed25519@openssh.com", b"ssh:", b"\x01"
_FAILURE, _LIST, _LISTED, _SIGN, _SIGNED = b"\x05", 11, b"\x0c", 13, b"\x0e"


class SecurityKey:
    """An ``sk-ssh-ed25519`` key; signs once it is ``touched``, unless it ``refuses`` or its agent ``dies``.

    :param path: where the agent's socket is to be
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.touched = threading.Event()
        self.refuses = self.dies = False
        self._key = Ed25519PrivateKey.generate()
        self._blob = _strings(_KIND, self._key.public_key().public_bytes_raw(), _APPLICATION)
        self._held = self._blob
        self._counter = 0
        self._listener = unix_socket()
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def public_line(self) -> str:
        """The line of authorized_keys."""
        return f"{_KIND.decode()} {base64.b64encode(self._blob).decode()} security key\n"

    def holds(self, certificate: str) -> None:
        """List the certificate of a ``-cert.pub`` file's line in place of the key."""
        self._held = base64.b64decode(certificate.split()[1])

    def close(self) -> None:
        """Take it out."""
        self.touched.set()
        with unix_socket() as last:
            last.connect(self.path)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        asked = True
        while asked:
            client, _ = self._listener.accept()
            asked = False
            with client, client.makefile("rb") as requests:
                while head := requests.read(4):
                    asked = True
                    request = requests.read(int.from_bytes(head, "big"))
                    if self.dies and request[0] == _SIGN:
                        break
                    answer = self._answer(request)
                    with suppress(BrokenPipeError):  # whoever asked may have given up
                        client.sendall(_strings(answer))

    def _answer(self, request: bytes) -> bytes:
        if request[0] == _LIST:
            return _LISTED + struct.pack(">I", 1) + _strings(self._held, b"security key")
        if request[0] != _SIGN:
            return _FAILURE
        self.touched.wait()
        if self.refuses:
            return _FAILURE
        start = 1 + 4 + len(self._held)
        (length,) = struct.unpack_from(">I", request, start)
        message = request[start + 4 : start + 4 + length]
        self._counter += 1
        state = _PRESENT + struct.pack(">I", self._counter)
        signed = hashlib.sha256(_APPLICATION).digest() + state + hashlib.sha256(message).digest()
        return _SIGNED + _strings(_strings(_KIND, self._key.sign(signed)) + state)


def _strings(*values: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(value)) + value for value in values)
