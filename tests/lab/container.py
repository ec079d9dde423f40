"""A container on the Hermes host, run by a real podman, with a Hermes in it as in the official image.

Its root file system is a few directories and the machine's own /usr, read-only. Its network is its own; the
lab wires it, as a rootless engine may not. Hermes' home is /opt/data, owned by a user of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.lab.accounts import User
from tests.lab.hermes import RELEASES
from tests.lab.network import Network

NAME = "hermes"
HOME = Path("/opt/data")
RELEASE = "0.18.0"
OWNER = 10000

_CRUN = """\
#!/bin/sh
# crun refuses two versions of cgroups beside one another, and the bare /sys of ip-netns(8).
exec unshare --mount --propagation slave /bin/sh -c 'mount -t tmpfs none /sys/fs/cgroup &&
    exec crun --root "${{XDG_RUNTIME_DIR:-{directory}}}/crun.d" "$@"' crun "$@"
"""
_CONF = """\
[containers]
cgroups = "disabled"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "crun"
cgroup_manager = "cgroupfs"
events_logger = "none"
[engine.runtimes]
crun = ["{crun}"]
"""
_STORAGE = """\
[storage]
driver = "vfs"
graphroot = "{directory}/storage"
runroot = "{directory}/runroot"
"""


def etc(directory: Path) -> Mapping[str, str]:
    """The files in /etc of a host that runs containers; the engine's own files are in ``directory``."""
    return {
        "containers/containers.conf": _CONF.format(crun=directory / "crun"),
        "containers/storage.conf": _STORAGE.format(directory=directory),
        "containers/policy.json": '{"default":[{"type":"insecureAcceptAnything"}]}',
    }


def furnish(directory: Path) -> None:
    """Put the engine's own files in ``directory``."""
    directory.mkdir()
    crun = directory / "crun"
    crun.write_text(_CRUN.format(directory=directory))
    crun.chmod(0o755)


def _give(path: Path, owner: int) -> None:
    if sys.platform != "win32":
        os.chown(path, owner, owner, follow_symlinks=False)


class Container:
    """The running container; a context manager.

    :param account: who uses and owns it; if they have no subordinate uids, root owns it
    :param directory: the lab's
    :param hosts: its /etc/hosts
    :param ca: the certificate that Hermes trusts
    """

    def __init__(self, network: Network, account: User, directory: Path, hosts: str, ca: Path) -> None:
        self._network = network
        self._account = account
        self._root = directory / "podman" / account.name
        self._home = directory / "hermes" / account.name
        self._hosts = hosts
        self._ca = ca
        self._exit = ExitStack()

    def __enter__(self) -> Container:
        name = self._account.name
        release = RELEASES / RELEASE
        with self._exit:
            self._furnish()
            self._exit.callback(shutil.rmtree, self._root)
            self._exit.callback(self._podman, "rm", "--all", "--force", "--time", "0")
            self._podman(
                *("run", "--detach", "--init", "--name", NAME, "--no-hosts", "--network=none"),
                *("--volume", "/usr:/usr:ro", "--volume", f"{release}:{release}:ro"),
                *("--volume", f"{self._ca}:/opt/ca.pem:ro", "--env", "SSL_CERT_FILE=/opt/ca.pem"),
                *("--env", f"HERMES_HOME={HOME}", "--env", "PATH=/opt/hermes/bin:/usr/bin:/bin"),
                *("--rootfs", str(self._root), "sleep", "infinity"),
            )
            process = int(self._podman("container", "inspect", "--format", "{{.State.Pid}}", NAME))
            self._exit.callback(self._network.detach, name)
            self._network.attach(name, process)
            self._exit = self._exit.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _furnish(self) -> None:
        root = self._root
        for folder in ("dev", "etc", HOME, "opt/hermes/bin", "proc", "root", "run", "sys", "tmp", "usr"):
            (root / str(folder).lstrip("/")).mkdir(parents=True)
        for folder in ("bin", "lib", "lib64", "sbin"):
            if Path("/", folder).exists():
                (root / folder).symlink_to(f"usr/{folder}")
        (root / "tmp").chmod(0o1777)
        (root / "etc/passwd").write_text(
            f"root:x:0:0::/root:/bin/sh\nhermes:x:{OWNER}:{OWNER}::{HOME}:/bin/sh\n"
        )
        (root / "etc/group").write_text(f"root:x:0:\nhermes:x:{OWNER}:\n")
        (root / "etc/hosts").write_text(self._hosts)
        (root / "opt/hermes/bin/hermes").symlink_to(RELEASES / RELEASE / "bin" / "hermes")
        data = root / str(HOME).lstrip("/")
        data.chmod(0o700)
        owner = OWNER
        if self._account.subordinates is not None:  # 0 there is the account, 1 the first of these
            owner = self._account.subordinates + OWNER - 1
            for path in (root, *root.rglob("*")):
                _give(path, self._account.uid)
            self._make_runtime_directory()
        _give(data, owner)

    def _make_runtime_directory(self) -> None:
        """Do what pam_systemd(8) does: without one, the engine leaves its state in /tmp."""
        directory = self._home / "run"
        directory.mkdir(mode=0o700, exist_ok=True)
        _give(directory, self._account.uid)
        startup = self._home / ".bashrc"
        line = f"export XDG_RUNTIME_DIR={directory}\n"
        startup.write_text(line + startup.read_text().removeprefix(line))

    def run(self, command: str) -> str:
        """What a root shell in it prints."""
        return self._podman("exec", NAME, "sh", "-c", command)

    def _podman(self, *words: str) -> str:
        person: tuple[str, ...] = ()
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/"}
        if self._account.subordinates is not None:
            person = ("runuser", "--user", self._account.name, "--")
            environment |= {"HOME": str(self._home), "XDG_RUNTIME_DIR": str(self._home / "run")}
        done = self._network.hermes.run(
            [*person, "podman", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            cwd="/",
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"podman {' '.join(words)}: {done.stderr}")
        output: str = done.stdout
        return output
