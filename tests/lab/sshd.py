"""OpenSSH's sshd(8) on the hosts of the lab, and ssh_config(5) for the laptop."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.lab.network import Namespace
from tests.lab.service import Service

HOST_KEYS = ("ed25519", "ecdsa")


def make_key(path: Path, kind: str = "ed25519") -> str:
    """Make a key pair without a passphrase; returns its public half as one line."""
    argv = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", path.name, "-f", str(path)]
    subprocess.run(argv, check=True)
    return path.with_name(f"{path.name}.pub").read_text()


def make_host_keys(directory: Path) -> None:
    """Make the keys of one host, for all its sshds."""
    for kind in HOST_KEYS:
        make_key(directory / f"host_key_{kind}", kind)


def known_hosts(directory: Path, names: Iterable[str], port: int) -> str:
    """The lines of known_hosts for the keys in ``directory`` (sshd(8), SSH_KNOWN_HOSTS)."""
    hosts = ",".join(name if port == 22 else f"[{name}]:{port}" for name in names)
    keys = [(directory / f"host_key_{kind}.pub").read_text().split()[:2] for kind in HOST_KEYS]
    return "".join(f"{hosts} {kind} {key}\n" for kind, key in keys)


def sshd(
    namespace: Namespace,
    directory: Path,
    port: int = 22,
    **settings: str | list[str],
) -> Service:
    """Start an sshd in ``namespace`` and return it once it listens.

    ``directory`` has the host's keys and ``authorized_keys``, the same for all its users. The settings are
    keywords of sshd_config(5) and replace ours; a list is a keyword given several times.
    """
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd drops its privileges into it
    keywords: dict[str, str | list[str]] = {
        "Port": str(port),
        "ListenAddress": "0.0.0.0",
        "HostKey": [f"{directory}/host_key_{kind}" for kind in HOST_KEYS],
        "PidFile": "none",
        "LogLevel": "VERBOSE",
        "AuthorizedKeysFile": f"{directory}/authorized_keys",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "UseDNS": "no",
        "AcceptEnv": "LANG LC_*",
        **settings,
    }
    config = directory / f"sshd_config_{port}"
    config.write_text(
        "".join(
            f"{keyword} {value}\n"
            for keyword, values in keywords.items()
            for value in ([values] if isinstance(values, str) else values)
        )
    )
    return Service(
        namespace,
        ["/usr/sbin/sshd", "-D", "-e", "-f", config],
        ready=f"Server listening on {keywords['ListenAddress']} port",
        log=directory / f"sshd_{port}.log",
    )


def sessions(namespace: Namespace, user: str) -> list[int]:
    """The processes in which the sshds of a host serve a user, or somebody who claims to be that user."""
    found = []
    for process in namespace.processes():
        try:
            title = Path(f"/proc/{process}/cmdline").read_text(errors="replace")
        except OSError:  # it has ended
            continue
        if re.match(rf"sshd: {user}\b", title):
            found.append(process)
    return found
