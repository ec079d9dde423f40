"""The hosts that the bench measures between: a laptop, two jump hosts and the box with Hermes.

laptop ------ box        "near": a cable; "far": a wire with a delay
laptop -- jump1 -- box   "behind1", over such wires
laptop -- jump1 -- jump2 -- box   "behind2"

On the box stands a ``hermes`` that does in a shell script what a login needs, and nothing else: what is
measured is the way there.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from tempfile import mkdtemp
from time import monotonic, sleep
from types import TracebackType
from typing import Any

from tests.bench.wire import Wires
from tests.lab.network import Namespace, ip
from tests.lab.sshd import known_hosts, make_host_keys, make_key, sshd

PORT = 43827
"""Where the login's listener waits, on the box; here the same."""
CALLBACK = f"http://127.0.0.1:{PORT}/spotify/callback"
STATE = "cf080013d0c641c1ad5d040e24ab6330"
URL = (
    "https://accounts.spotify.com/authorize?client_id=bench&response_type=code"
    f"&redirect_uri=http%3A%2F%2F127.0.0.1%3A{PORT}%2Fspotify%2Fcallback&state={STATE}"
)
REQUEST = f"GET /spotify/callback?code=bench&state={STATE} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n\r\n"
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nthank you"
LINES = 900
"""KiB of the flood, less than the most that a login may print."""
_NEAR, _FAR = ("10.214.0.1", "10.214.0.2"), ("10.214.1.1", "10.214.1.2")
_HERMES = """\
#!/bin/sh
# auth spotify login: prints the address, waits for the callback or for go, and lands the credential.
# auth add openai-codex: prints a page and a code; with flood, many lines besides.
case $2 in
    spotify)
        echo "Waiting for callback on {callback}"
        echo "{url}"
        read -r line <{directory}/go
        mkdir -p ~/.hermes
        echo "$line" >~/.hermes/auth.json
        echo "Spotify login successful!"
        exit 0
        ;;
esac
echo "  1. Open this URL in your browser: https://auth.openai.com/codex/device"
echo "  2. Enter this code: KNGP-VLJZ"
case $* in
    *flood*) cat {directory}/flood ;;
    *) read -r line ;;
esac
"""
_CONFIG = """\
IdentityFile {directory}/key
UserKnownHostsFile {directory}/known_hosts
GlobalKnownHostsFile none
StrictHostKeyChecking yes
User root
Host near
    HostName {near}
Host far
    HostName {far}
Host jump1
    HostName 10.214.2.2
Host jump2
    HostName 10.214.3.2
Host behind1
    HostName 10.214.4.2
    HostKeyAlias {far}
Host behind2
    HostName 10.214.5.2
    HostKeyAlias {far}
"""


class Hosts:
    """All of it; entering sets it up, and leaving takes it down.

    ``laptop`` is where the measured programs run, with ``environment`` and the ssh_config ``config``.
    """

    def __init__(self) -> None:
        names = ("laptop", "box", "jump1", "jump2")
        hosts = [Namespace(f"hb{os.getpid()}-{name}") for name in names]
        self.laptop, self.box, self.jump1, self.jump2 = hosts
        self._hosts = hosts
        self.directory = Path(
            mkdtemp(prefix="hermes-tunnel-bench-", dir="/var/tmp")
        )  # programs may run there
        self.config = self.directory / "config"
        self.hermes = self.directory / "hermes"
        self.environment = {
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "TERM": "xterm",
            "USER": "root",
        }
        self.heard: Queue[float] = Queue()
        """When the listener on the box had a whole request, by the monotonic clock of all hosts."""
        self._exit = ExitStack()

    def __enter__(self) -> Hosts:
        with ExitStack() as opened:
            opened.callback(shutil.rmtree, self.directory)
            home = self.directory / "home"
            (home / ".hermes").mkdir(parents=True)
            accounts = {"passwd": f"root:x:0:0:root:{home}:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n"}
            for host in self._hosts:
                opened.callback(host.close)
                host.create(accounts)
            self._files()
            self.wires = opened.enter_context(self._wired())
            for host in self._hosts[1:]:
                opened.enter_context(sshd(host, self._keys(host), StrictModes="no", MaxStartups="100"))
            self._listen(opened)
            self._exit = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exit.close()

    def popen(self, argv: list[str], **popen: Any) -> subprocess.Popen[bytes]:
        """Start a program on the laptop."""
        return self.laptop.popen(argv, env=self.environment, stdin=subprocess.DEVNULL, **popen)

    def go(self) -> None:
        """Let the login that waits on the box land its credential and end."""
        if sys.platform == "win32":
            raise OSError("the bench needs Linux")
        until = monotonic() + 10
        while True:
            try:
                pipe = os.open(self.directory / "go", os.O_WRONLY | os.O_NONBLOCK)
                break
            except OSError:  # it has printed the address, and is about to wait
                if monotonic() > until:
                    raise
                sleep(0.01)
        os.write(pipe, b"%r\n" % monotonic())
        os.close(pipe)

    def wrong_keys(self, count: int) -> Iterator[Path]:
        """Keys that no host takes."""
        for number in range(count):
            path = self.directory / f"wrong{number}"
            if not path.exists():
                make_key(path)
            yield path

    def _files(self) -> None:
        if sys.platform == "win32":
            raise OSError("the bench needs Linux")
        values = {"directory": self.directory, "near": _NEAR[1], "far": _FAR[1]}
        self.config.write_text(_CONFIG.format(**values))
        self.hermes.write_text(_HERMES.format(**values, callback=CALLBACK, url=URL))
        self.hermes.chmod(0o755)
        os.mkfifo(self.directory / "go")
        line = f"{'the quick brown fox jumps over the lazy dog':<63}\n"
        (self.directory / "flood").write_text(line * (LINES * 1024 // len(line)))
        accepted = make_key(self.directory / "key")
        known = []
        addresses = {self.box: (_NEAR[1], _FAR[1]), self.jump1: ("10.214.2.2",), self.jump2: ("10.214.3.2",)}
        for host, theirs in addresses.items():
            self._keys(host).mkdir()
            make_host_keys(self._keys(host))
            (self._keys(host) / "authorized_keys").write_text(accepted)
            known.append(known_hosts(self._keys(host), theirs, 22))
        (self.directory / "known_hosts").write_text("".join(known))

    def _keys(self, host: Namespace) -> Path:
        return self.directory / host.name

    def _wired(self) -> Wires:
        ip(
            "-n",
            self.laptop.name,
            "link",
            "add",
            "near",
            "type",
            "veth",
            "peer",
            "near",
            "netns",
            self.box.name,
        )
        for host, address, peer in ((self.laptop, _NEAR[0], _NEAR[1]), (self.box, _NEAR[1], _NEAR[0])):
            ip("-n", host.name, "address", "add", address, "peer", peer, "dev", "near")
            ip("-n", host.name, "link", "set", "near", "up")
        return Wires(
            [
                ((self.laptop, _FAR[0]), (self.box, _FAR[1])),
                ((self.laptop, "10.214.2.1"), (self.jump1, "10.214.2.2")),
                ((self.jump1, "10.214.3.1"), (self.jump2, "10.214.3.2")),
                ((self.jump1, "10.214.4.1"), (self.box, "10.214.4.2")),
                ((self.jump2, "10.214.5.1"), (self.box, "10.214.5.2")),
            ]
        )

    def _listen(self, opened: ExitStack) -> None:
        """Listen on the box as a login does; the requests of all logins come here."""
        listener = self.box.call(lambda: _listener(PORT))

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:  # closed: it is over
                    return
                with client:
                    head = b""
                    while b"\r\n\r\n" not in head and (data := client.recv(65536)):
                        head += data
                    if b"\r\n\r\n" in head:
                        self.heard.put(monotonic())
                        client.sendall(ANSWER)

        thread = threading.Thread(target=serve, name="listener on the box", daemon=True)
        thread.start()
        opened.callback(thread.join)
        opened.enter_context(listener)
        opened.callback(listener.shutdown, socket.SHUT_RDWR)  # wakes accept


def _listener(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=128)
