"""A real OpenSSH server on 127.0.0.1, as a child of the tests."""

from __future__ import annotations

import base64
import getpass
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

PROGRAM = shutil.which("sshd") or next((p for p in ("/usr/sbin/sshd",) if Path(p).exists()), None)
ME = getpass.getuser()
"""The user who runs the tests: an sshd that is not root's lets nobody else in."""


def _gives_terminals() -> bool:
    """Whether an sshd of ours can: without root it cannot hand a terminal over to the group tty."""
    if sys.platform == "win32":
        return False
    import grp

    with suppress(KeyError):
        master, slave = os.openpty()
        try:
            return os.geteuid() == 0 or os.fstat(slave).st_gid == grp.getgrnam("tty").gr_gid
        finally:
            os.close(master)
            os.close(slave)
    return True


gives_terminals = pytest.mark.skipif(
    not _gives_terminals(),
    reason="an sshd without root cannot give terminals here: they do not belong to the group tty",
)


def keygen(path: Path, *options: str, passphrase: str = "") -> Path:
    """Make a key pair with ssh-keygen; ed25519 unless the options say otherwise."""
    kind = [] if "-t" in options else ["-t", "ed25519"]
    command = [
        "ssh-keygen",
        "-q",
        *kind,
        "-N",
        passphrase,
        "-C",
        path.name,
        "-f",
        str(path),
        "-a",
        "1",
        *options,
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def certify(key: Path, authority: Path, *options: str, user: str = ME, valid: str = "-1h:+1h") -> Path:
    """Have an authority sign a key for a user and a time (ssh-keygen(1)); gives the certificate."""
    command = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", user, "-V", valid, *options]
    subprocess.run([*command, f"{key}.pub"], check=True)
    return Path(f"{key}-cert.pub")


def public(path: Path) -> str:
    """The public half's line."""
    return Path(f"{path}.pub").read_text()


def fingerprint(path: Path) -> str:
    """As ssh-keygen(1) shows it."""
    shown = subprocess.run(["ssh-keygen", "-l", "-f", f"{path}.pub"], check=True, capture_output=True)
    return shown.stdout.split()[1].decode()


def security_key_file(path: Path) -> Path:
    """A key file as ``ssh-keygen -t ed25519-sk`` leaves it: no private half, only a handle on a device."""

    def string(value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + value

    blob = string(b"sk-ssh-ed25519@openssh.com") + string(b"\1" * 32) + string(b"ssh:")
    data = b"openssh-key-v1\0" + string(b"none") * 2 + string(b"") + struct.pack(">I", 1) + string(blob)
    armour = base64.encodebytes(data + string(b"\0" * 64)).decode()
    path.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{armour}-----END OPENSSH PRIVATE KEY-----\n")
    path.chmod(0o600)
    Path(f"{path}.pub").write_text(
        f"sk-ssh-ed25519@openssh.com {base64.b64encode(blob).decode()} {path.name}\n"
    )
    return path


class Sshd:
    """One server, with a host key of its own.

    :param directory: for its files
    :param options: lines of sshd_config; the first of a keyword wins, as in sshd_config(5)
    """

    def __init__(self, directory: Path, *options: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.user = ME
        self.host_key = directory / "host_ed25519"
        if not self.host_key.exists():
            keygen(self.host_key)
        self.authorized_keys = directory / "authorized_keys"
        self.authorized_keys.touch()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        config = directory / "sshd_config"
        config.write_text(
            "\n".join(
                (
                    *options,
                    f"ListenAddress 127.0.0.1:{self.port}",
                    f"HostKey {self.host_key}",
                    f"AuthorizedKeysFile {self.authorized_keys}",
                    "PidFile none",
                    "StrictModes no",
                    "UsePAM no",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "LogLevel VERBOSE",
                    "UseDNS no",
                    "PrintMotd no",
                    "",
                )
            )
        )
        if PROGRAM is None:
            raise FileNotFoundError("sshd")
        self._process = subprocess.Popen(
            [PROGRAM, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for("Server listening")

    def accept(self, key: Path, options: str = "") -> None:
        """Let a key in."""
        with self.authorized_keys.open("a") as file:
            file.write(f"{options} {public(key)}".lstrip())

    def known_hosts_line(self) -> str:
        """The line by which known_hosts knows this server."""
        return f"[127.0.0.1]:{self.port} {public(self.host_key)}"

    @property
    def log(self) -> str:
        """Everything that the server has logged."""
        with self._news:
            return "".join(self._lines)

    def forget(self) -> None:
        """Start the log afresh."""
        with self._news:
            self._lines.clear()

    def wait_for(self, words: str, seconds: float = 10) -> None:
        """Wait until the log has these words."""
        with self._news:
            found = self._news.wait_for(
                lambda: any(words in line for line in self._lines) or not self._reader.is_alive(), seconds
            )
            if not found or not any(words in line for line in self._lines):
                raise TimeoutError("".join(self._lines))

    def sessions(self) -> list[psutil.Process]:
        """The processes of the connections that are open now."""
        return psutil.Process(self._process.pid).children(recursive=True)

    def suspend_sessions(self) -> list[psutil.Process]:
        """Suspend the connections that are open now; returns their processes."""
        suspended: list[psutil.Process] = []
        # Again until there is no other: one may have forked before it was suspended.
        while others := [each for each in self.sessions() if each not in suspended]:
            for each in others:
                with suppress(psutil.NoSuchProcess):
                    each.suspend()
            suspended += others
        return suspended

    def close_sessions(self) -> None:
        """End the connections that are open now."""
        for session in self.suspend_sessions():
            with suppress(psutil.NoSuchProcess):
                session.kill()

    def close(self) -> None:
        """End the server and its sessions."""
        self.close_sessions()
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _read(self) -> None:
        stream = self._process.stderr
        for line in iter(stream.readline if stream else bytes, b""):
            with self._news:
                self._lines.append(line.decode(errors="replace"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()


def resume(processes: Iterable[psutil.Process]) -> None:
    """Let suspended processes go on; one may be a child that had already ended."""
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.resume()
