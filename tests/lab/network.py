"""Hosts that share nothing but a wire: network namespaces, joined by a bridge (ip-netns(8)).

laptop     10.213.0.10 --+
jump       10.213.0.20 --+-- bridge --- providers 10.213.0.40
hermes     10.213.0.30 --+
containers 10.213.0.50 --+
jump       10.213.1.20 ------ hermes 10.213.1.30, which is called "inner"
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

ADDRESSES = {
    "laptop": "10.213.0.10",
    "jump": "10.213.0.20",
    "hermes": "10.213.0.30",
    "providers": "10.213.0.40",
}
CONTAINERS = {"dock": "10.213.0.50", "pod": "10.213.0.51"}
"""The addresses of the containers on the Hermes host, by whose they are."""
INNER_JUMP, INNER = "10.213.1.20", "10.213.1.30"
"""The private link; ``INNER`` is the address of the Hermes host that only the jump host reaches."""

T = TypeVar("T")

CLONE_NEWNET = 0x40000000  # sched.h
_MODES = {"shadow": 0o600, "sudoers": 0o440}


class Namespace:
    """One host, with its own loopback, ports, processes and files in /etc, which are in ``etc``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.etc = Path("/etc/netns", name)
        self._handle = Path("/run/netns", name)

    def create(self, etc: Mapping[str, str]) -> None:
        """Make the host; ``etc`` has the contents of its files in /etc by name (hosts, pam.d/other, ...).

        Only processes that ``argv``, ``run`` and ``popen`` start see those files. A directory is the host's
        alone, with everything in it.
        """
        for file, text in etc.items():
            (self.etc / file).parent.mkdir(parents=True, exist_ok=True)
            (self.etc / file).write_text(text)
            (self.etc / file).chmod(_MODES.get(file, 0o644))
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")

    def attach(self, process: int) -> None:
        """Take over the network that a process has made for itself."""
        ip("netns", "attach", self.name, str(process))

    def argv(self, argv: Iterable[str | Path]) -> list[str]:
        """The command line that runs ``argv`` here. The process that it starts becomes ``argv``."""
        return ["ip", "netns", "exec", self.name, *map(str, argv)]

    def popen(self, argv: Iterable[str | Path], **popen: Any) -> subprocess.Popen[Any]:
        """Start ``argv`` here; the parameters are subprocess.Popen's."""
        return subprocess.Popen(self.argv(argv), **popen)

    def run(
        self, argv: Iterable[str | Path], *, check: bool = False, **run: Any
    ) -> subprocess.CompletedProcess[Any]:
        """Run ``argv`` here to its end; the parameters are subprocess.run's."""
        return subprocess.run(self.argv(argv), check=check, **run)

    def call(self, function: Callable[[], T]) -> T:
        """Call ``function`` in a thread inside this network; a socket made there stays in it.

        ``laptop.call(lambda: socket.create_server(("127.0.0.1", 56121)))`` occupies a port of the
        laptop. Host names are looked up in the machine's own /etc: use addresses.
        """

        def enter_and_call() -> T:
            with self._handle.open() as handle:  # os.setns() came with Python 3.12
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            return function()

        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(enter_and_call).result()

    def connect(self, address: str, port: int, timeout: float = 10) -> socket.socket:
        """A TCP connection from this host."""
        return self.call(lambda: socket.create_connection((address, port), timeout))

    def processes(self) -> list[int]:
        """The ids of the processes that run here."""
        here = self._handle.stat()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                network = (process / "ns" / "net").stat()
            except OSError:  # it has ended
                continue
            if os.path.samestat(network, here):
                found.append(int(process.name))
        return found

    def close(self) -> None:
        """End every process here and remove the host, or what an earlier lab left of it."""
        if self._handle.exists():
            while processes := self.processes():  # again: one may have forked meanwhile
                for process in processes:
                    wait_for(process, 10, kill=True)
            ip("netns", "delete", self.name)
        shutil.rmtree(self.etc, ignore_errors=True)


class Network:
    """The four hosts and the wires between them, as in the drawing above.

    ``hosts`` has them by name; they are attributes too. ``containers`` are wired when they run.
    """

    def __init__(self, prefix: str) -> None:
        self.hosts = {host: Namespace(f"{prefix}-{host}") for host in ADDRESSES}
        self.laptop, self.jump, self.hermes, self.providers = self.hosts.values()
        self.containers = {name: Namespace(f"{prefix}-{name}") for name in CONTAINERS}

    def create(self, etc: Mapping[str, Mapping[str, str]]) -> None:
        """Make the hosts; ``etc`` has the files in /etc of each."""
        for host, namespace in self.hosts.items():
            namespace.create(etc[host])
        bridge = self.providers.name
        ip("-n", bridge, "link", "add", "lan", "up", "type", "bridge")
        ip("-n", bridge, "address", "add", f"{ADDRESSES['providers']}/24", "dev", "lan")
        for host in ("laptop", "jump", "hermes"):
            self._connect(host, self.hosts[host], ADDRESSES[host])
        _wire((self.jump.name, "private", INNER_JUMP), (self.hermes.name, "private", INNER))

    def attach(self, container: str, process: int) -> None:
        """Wire a container whose network is its own and not yet wired; ``process`` is any process in it."""
        self.containers[container].attach(process)
        self._connect(container, self.containers[container], CONTAINERS[container])

    def detach(self, container: str) -> None:
        """Undo ``attach``, and end what runs there."""
        ip("-n", self.providers.name, "link", "delete", container)
        self.containers[container].close()

    def _connect(self, host: str, namespace: Namespace, address: str) -> None:
        _wire((namespace.name, "lan", address), (self.providers.name, host, None))
        self.plug(host)

    def unplug(self, host: str) -> None:
        """Lose every packet to and from ``host``; its own interface stays up and notices nothing."""
        ip("-n", self.providers.name, "link", "set", host, "nomaster")

    def plug(self, host: str) -> None:
        """Undo ``unplug``."""
        ip("-n", self.providers.name, "link", "set", host, "master", "lan")

    def close(self) -> None:
        """Remove the hosts with everything that runs on them."""
        for namespace in (*self.containers.values(), *self.hosts.values()):
            namespace.close()


def _wire(*ends: tuple[str, str, str | None]) -> None:
    """Join two (namespace, interface, address) by a cable; no address: a port of the bridge."""
    (here, this, _), (there, that, _) = ends
    ip("-n", here, "link", "add", this, "type", "veth", "peer", "name", that, "netns", there)
    for namespace, interface, address in ends:
        if address is not None:
            ip("-n", namespace, "address", "add", f"{address}/24", "dev", interface)
        ip("-n", namespace, "link", "set", interface, "up")


def ip(*argv: str) -> None:
    """Change a host's network; OSError, with what the program said, if that failed."""
    done = subprocess.run(["ip", *argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(argv)}: {done.stderr.strip()}")


def wait_for(process: int, deadline: float, *, kill: bool = False) -> None:
    """Wait until a process has ended; kill it first if asked to.

    TimeoutError if it has not ended after ``deadline`` seconds.
    """
    if sys.platform != "linux":
        raise OSError("the lab needs Linux")
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        if kill:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        if not select.select([handle], [], [], deadline)[0]:
            raise TimeoutError(f"process {process} does not end")
    except ProcessLookupError:
        pass  # it ended by itself meanwhile
    finally:
        os.close(handle)


def obstacle() -> str | None:
    """Why no namespace can be made here, or None."""
    if sys.platform != "linux":
        return "the lab needs Linux"
    if os.geteuid() != 0:
        return "the lab needs root, for network namespaces"
    if shutil.which("ip") is None:
        return "the lab needs ip(8): scripts/lab --install"
    trial = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False)
    if trial.returncode != 0:
        return "the lab may not make network namespaces here (a container without privileges?)"
    return None
