"""A wire with a delay, in user space: what netem (tc-netem(8)) does where the kernel has it.

Each end is a TUN device, so whole IP packets travel, and TCP's handshake, acknowledgements and Nagle's
algorithm behave as on a long line. ``python -m tests.bench.wire A B ...`` joins the descriptors A and B, and
so on; a number on its standard input is the delay of a round trip in milliseconds from then on.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType

from tests.lab.network import Namespace, ip

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
_LARGEST = 1 << 16
Ends = tuple[tuple[Namespace, str], tuple[Namespace, str]]
"""Two hosts, each with its address on the wire."""


class Wires:
    """Wires between hosts, all with the same delay; a context manager.

    :param ends: of each wire
    """

    def __init__(self, ends: Sequence[Ends]) -> None:
        self.by_kernel = _has_netem(ends[0][0][0])
        self._devices: list[tuple[Namespace, str]] = []
        self._process: subprocess.Popen[bytes] | None = None
        descriptors: list[int] = []
        for number, pair in enumerate(ends):
            names = [f"far{number}{side}" for side in "ab"]
            if self.by_kernel:
                (one, _), (other, _) = pair
                ip(
                    "-n",
                    one.name,
                    "link",
                    "add",
                    names[0],
                    "type",
                    "veth",
                    "peer",
                    names[1],
                    "netns",
                    other.name,
                )
            else:
                descriptors += [
                    host.call(lambda name=name: _tun(name))  # type: ignore[misc]
                    for (host, _), name in zip(pair, names, strict=True)
                ]
            for name, (host, address), (_, peer) in zip(names, pair, reversed(pair), strict=True):
                ip("-n", host.name, "address", "add", address, "peer", peer, "dev", name)
                ip("-n", host.name, "link", "set", name, "up")
                self._devices.append((host, name))
        if not self.by_kernel:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.wire", *map(str, descriptors)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=descriptors,
            )
            for descriptor in descriptors:
                os.close(descriptor)

    def delay(self, milliseconds: int) -> None:
        """Make a round trip on each wire take this long."""
        if self._process is None:
            for host, name in self._devices:
                netem = ("root", "netem", "delay", f"{milliseconds / 2}ms", "limit", "10000")
                _tc(host, "qdisc", "replace", "dev", name, *netem)
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"%d\n" % milliseconds)
        self._process.stdin.flush()
        self._process.stdout.readline()

    def __enter__(self) -> Wires:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def _has_netem(host: Namespace) -> bool:
    tried = _tc(host, "qdisc", "replace", "dev", "lo", "root", "netem", "delay", "0ms")
    if tried.returncode == 0:
        _tc(host, "qdisc", "del", "dev", "lo", "root")
    return tried.returncode == 0


def _tc(host: Namespace, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["tc", "-n", host.name, *words], capture_output=True, check=False)


def _tun(name: str) -> int:
    """A TUN device in the caller's network; it is gone once the descriptor is closed."""
    if sys.platform == "win32":
        raise OSError("the bench needs Linux")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


def main(descriptors: Sequence[int]) -> None:
    """Carry packets until standard input ends."""
    others: dict[int, int] = {}
    for one, other in zip(descriptors[::2], descriptors[1::2], strict=True):
        others |= {one: other, other: one}
    under_way: deque[tuple[float, int, bytes]] = deque()  # one delay for all: the first in is the first out
    delay = 0.0
    while True:
        pause = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select([0, *descriptors], [], [], pause)
        now = time.monotonic()
        for descriptor in ready:
            if descriptor == 0:
                line = os.read(0, 64)
                if not line:
                    return
                delay = int(line) / 2000
                os.write(1, b"\n")
                continue
            under_way.append((now + delay, others[descriptor], os.read(descriptor, _LARGEST)))
        while under_way and under_way[0][0] <= time.monotonic():
            _, descriptor, packet = under_way.popleft()
            os.write(descriptor, packet)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]])
