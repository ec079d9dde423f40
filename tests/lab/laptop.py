"""What the person at the laptop has: a key, ssh_config(5), known_hosts, and a browser that trusts the lab."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab.accounts import HERMES_USERS, JUMP_USERS
from tests.lab.sshd import make_key


def furnish(home: Path, ca: Path) -> str:
    """Fill the home directory; the browser will trust ``ca``. Returns the person's public key.

    Every user of the Hermes host has an alias (``ssh h018``), and another by way of the jump host
    (``ssh inner-h018``).
    """
    ssh = home / ".ssh"
    ssh.mkdir(mode=0o700)
    hosts = [f"Host {user.name}\n    HostName hermes\n    User {user.name}" for user in HERMES_USERS]
    hosts += [
        f"Host inner-{user.name}\n    HostName inner\n    ProxyJump jump\n    User {user.name}"
        for user in HERMES_USERS
    ]
    hosts += [f"Host jump\n    User {user.name}" for user in JUMP_USERS]
    (ssh / "config").write_text("\n\n".join(hosts) + "\n")
    (ssh / "known_hosts").touch()
    nssdb = home / ".pki" / "nssdb"  # where Chromium on Linux looks for a user's authorities
    nssdb.mkdir(mode=0o700, parents=True)
    for argv in (["-N", "--empty-password"], ["-A", "-n", "lab", "-t", "C,,", "-i", str(ca)]):
        subprocess.run(["certutil", "-d", f"sql:{nssdb}", *argv], check=True)
    return make_key(ssh / "id_ed25519")
