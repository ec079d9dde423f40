"""A container on the Hermes host, of a real podman: with a Hermes in it, as the official image has one.

Its root file system is a few directories and the machine's own /usr, read-only; its network is a host of
the lab by itself, so that its loopback is its own. Hermes' home is /opt/data, of a user of its own.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lab.hermes import RELEASES
from tests.lab.network import Network

NAME = "hermes"
HOME = Path("/opt/data")
RELEASE = "0.18.0"
OWNER = 10000

_CRUN = """\
#!/bin/sh
# crun refuses two versions of cgroups beside one another, and the bare /sys of ip-netns(8).
exec unshare --mount --propagation slave /bin/sh -c \\
    'mount -t tmpfs none /sys/fs/cgroup && exec crun --root {root} "$@"' crun "$@"
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


class Container:
    """The running container; a context manager.

    :param hosts: its /etc/hosts
    :param ca: the certificate that Hermes trusts
    """

    def __init__(self, network: Network, directory: Path, hosts: str, ca: Path) -> None:
        self._network = network
        self._directory = directory
        self._hosts = hosts
        self._ca = ca

    def __enter__(self) -> Container:
        crun = self._directory / "crun"
        crun.parent.mkdir(exist_ok=True)
        crun.write_text(_CRUN.format(root=self._directory / "crun.d"))
        crun.chmod(0o755)
        root = self._directory / "rootfs"
        self._furnish(root)
        release = RELEASES / RELEASE
        self._podman(
            *("run", "--detach", "--init", "--name", NAME, "--no-hosts"),
            f"--network=ns:/run/netns/{self._network.container.name}",
            *("--volume", "/usr:/usr:ro", "--volume", f"{release}:{release}:ro"),
            *("--volume", f"{self._ca}:/opt/ca.pem:ro", "--env", "SSL_CERT_FILE=/opt/ca.pem"),
            *("--env", f"HERMES_HOME={HOME}", "--env", "PATH=/opt/hermes/bin:/usr/bin:/bin"),
            *("--rootfs", str(root), "sleep", "infinity"),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._podman("rm", "--all", "--force", "--time", "0")
        shutil.rmtree(self._directory)

    def _furnish(self, root: Path) -> None:
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
        shutil.chown(data, OWNER, OWNER)
        data.chmod(0o700)

    def stop(self) -> None:
        """Stop it; its name stays."""
        self._podman("stop", "--time", "0", NAME)

    def run(self, command: str) -> str:
        """What a shell of root in it prints."""
        return self._podman("exec", NAME, "sh", "-c", command)

    def _podman(self, *words: str) -> str:
        done = self._network.hermes.run(
            ["podman", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/"},
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"podman {' '.join(words)}: {done.stderr}")
        output: str = done.stdout
        return output
