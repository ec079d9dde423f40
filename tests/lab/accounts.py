"""Who has an account on which host, and the files in /etc that say so (passwd(5), ...)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.lab import programs


class User(NamedTuple):
    """Somebody with an account.

    ``release`` is the Hermes that they have installed, if any. ``changed`` is the day on which they set their
    password, counted from 1970, or 0 if they must set a new one (shadow(5)). ``has_password`` says whether
    they have PASSWORD, or none at all. ``subordinates`` is the first of the 65536 uids and gids for the users
    of their containers (subuid(5)), if any. ``programs`` says whether they have those of programs.py.
    """

    name: str
    uid: int
    release: str | None = None
    shell: str = "/bin/bash"
    changed: int = 1
    has_password: bool = True
    subordinates: int | None = None
    programs: bool = False


HERMES_USERS = (
    User("h014", 2014, "0.14.0"),
    User("h018", 2018, "0.18.0"),
    User("h019", 2019, "0.19.0"),
    User("fishy", 2020, "0.18.0", "/usr/bin/fish"),
    User("svc", 2021, "0.18.0", "/usr/sbin/nologin"),
    User("boss", 2022),
    User("boss2", 2023),
    User("late", 2024, changed=0),
    User("dock", 2025),
    User("free", 2026, has_password=False),
    User("pod", 2027, subordinates=2_000_000_000),
    *(User(f"of-{name}", 2030 + number, programs=True) for number, name in enumerate(programs.NAMES)),
)
JUMP_USERS = (User("jumper", 2001),)

PASSWORD = "correct horse"
"""Everybody's password, for sudo and for an sshd that takes passwords."""

_HASH = (  # openssl passwd -6
    "$6$hermestunnel$hMMxByJR9wp/dvEbiouKrjmlwaT3ZNsKfMiu6ueeMS14DElEka.2bdfQ5hWCIaiO.Ohrq4vB8kiwV5actqjp31"
)

# For every service; passwords are looked up in shadow. The machine's other demands stay out of the lab.
_PAM = """\
auth     required pam_unix.so nodelay
account  required pam_unix.so
password required pam_unix.so
session  required pam_permit.so
"""

_SUDOERS = """\
Defaults env_reset, lecture=never, timestamp_timeout=0
Defaults env_keep += "SSL_CERT_FILE"
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root  ALL=(ALL:ALL) ALL
boss  ALL=(svc) NOPASSWD: ALL
boss2 ALL=(svc) ALL
dock  ALL=(root) NOPASSWD: /usr/bin/podman
"""


def etc(users: Iterable[User], homes: Path, root: Path) -> dict[str, str]:
    """The account files of a host by name, for the machine's system accounts, root and ``users``.

    ``homes`` has the users' home directories; ``root`` is root's, since the machine's own, with its .bashrc,
    stays out of the lab.
    """
    passwd = [f"root:x:0:0::{root}:/bin/bash", *_system("/etc/passwd")]
    group = ["root:x:0:", *_system("/etc/group")]
    shadow = ["root:*:1::::::"]
    subordinates = []
    for user in users:
        passwd.append(f"{user.name}:x:{user.uid}:{user.uid}::{homes / user.name}:{user.shell}")
        group.append(f"{user.name}:x:{user.uid}:")
        shadow.append(f"{user.name}:{_HASH if user.has_password else ''}:{user.changed}::::::")
        if user.subordinates is not None:
            subordinates.append(f"{user.name}:{user.subordinates}:65536")
    files = {"passwd": passwd, "group": group, "shadow": shadow}
    files |= {"subuid": subordinates, "subgid": subordinates}
    return {
        **{name: "\n".join(lines) + "\n" for name, lines in files.items()},
        "pam.d/other": _PAM,
        "sudoers": _SUDOERS,
    }


def _system(file: str) -> list[str]:
    """The lines of passwd or group, without root and people (Debian policy, 9.2.2)."""
    lines = Path(file).read_text().splitlines()
    return [line for line in lines if 0 < int(line.split(":")[2]) < 1000 or "65534" in line]
