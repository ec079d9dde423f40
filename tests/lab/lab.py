"""The whole lab: entering the context sets it up, and leaving takes it down."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from tests.lab import accounts, chromium, container, hermes, laptop, network
from tests.lab.accounts import HERMES_USERS, JUMP_USERS
from tests.lab.browser import Browser
from tests.lab.chromium import Page
from tests.lab.container import Container
from tests.lab.gallery import FONT, FONTS
from tests.lab.identity import HOSTS
from tests.lab.lock import locked
from tests.lab.network import ADDRESSES, INNER, Namespace, Network, wait_for
from tests.lab.service import Service
from tests.lab.sshd import known_hosts, make_host_keys, sshd
from tests.lab.terminal import Terminal

LABS = Path("/var/lib/hermes-tunnel-lab")
"""Has a directory for each lab that stands. Not in /run or /tmp, which may be mounted noexec."""

TOOLS = (
    *("bash", "certutil", "crun", "fish", "gh", "ip", "newuidmap", "npm", "podman", "runuser", "setsid"),
    *("ssh", "ssh-keygen", "sshd", "sudo"),
)
CHECKOUT = Path(__file__).resolve().parents[2]
CONTROL_PORT = 8080
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def obstacle() -> str | None:
    """Why the lab cannot run here, in one line; or None."""
    if reason := network.obstacle():
        return reason
    missing = [tool for tool in TOOLS if shutil.which(tool, path=SYSTEM_PATH) is None]
    if chromium.executable() is None:
        missing.append("chromium")
    if not any(Path("/usr/lib").glob("*/security/pam_oath.so")):
        missing.append("pam_oath")
    if not FONTS.is_dir():
        missing.append(FONT)
    return f"the lab needs {', '.join(missing)}: scripts/lab --install" if missing else None


class Lab:
    """A laptop with a browser, a jump host, a Hermes host and identity providers.

    ``network`` has the hosts, as ``network.laptop`` and so on; ``home`` is the home directory of the person
    at the laptop, ``browser`` their ``$BROWSER``, ``environment`` all their variables; ``ca`` is the
    certificate of the authority that the browser and Hermes trust.
    """

    def __init__(self) -> None:
        self.directory = LABS / str(os.getpid())
        self.network = Network(f"ht-{os.getpid()}")
        self.home = self.directory / "laptop" / "root"
        self._browser = self.another_browser("browser")
        self.browser = self._browser.program
        self.ca = self.directory / "providers" / "ca.pem"
        self.environment = {
            "BROWSER": str(self.browser),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LOGNAME": "root",
            "PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}",
            "SHELL": "/bin/bash",
            "TERM": "xterm",
            "TMPDIR": str(self._temporary("laptop")),
            "USER": "root",
        }
        self._exit = ExitStack()

    def __enter__(self) -> Lab:
        hermes.install()
        with self._exit:
            self._exit.enter_context(_claim(self.directory))
            self._exit.callback(self.network.close)
            self._start()
            self._exit = self._exit.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exit.close()

    def _start(self) -> None:
        people = {"jump": JUMP_USERS, "hermes": HERMES_USERS}
        for host in ADDRESSES:
            (self.directory / host / "root").mkdir(parents=True)
            self._temporary(host).mkdir()
            self._temporary(host).chmod(0o1777)
        self.network.create({host: self._etc(host, people.get(host, ())) for host in ADDRESSES})
        self._start_identity()
        public_key = laptop.furnish(self.home, self.ca)
        self._browser.make()
        for host, users in people.items():
            (self.directory / host / "authorized_keys").write_text(public_key)
            make_host_keys(self.directory / host)
            for user in users:
                hermes.make_home(user, self.directory / host / user.name)
        container.furnish(self.directory / "podman")
        self.sshd("jump")
        self.sshd("hermes")

    def _temporary(self, host: str) -> Path:
        """Where programs on a host put temporary files: some stay behind, and /tmp is the machine's."""
        return self.directory / host / "tmp"

    def _variables(self, host: str) -> dict[str, str]:
        """What everybody on a host has in their environment."""
        trust = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "GLOBUS_SDK_VERIFY_SSL")
        return {**dict.fromkeys(trust, str(self.ca)), "TMPDIR": str(self._temporary(host))}

    def _etc(self, host: str, people: Iterable[accounts.User]) -> dict[str, str]:
        """The files in /etc of a host."""
        hosts = ["127.0.0.1 localhost", "::1 localhost", f"127.0.1.1 {socket.gethostname()}"]
        hosts += [f"{ADDRESSES[name]} {name}" for name in ("laptop", "jump", "hermes")]
        if host == "jump":
            hosts.append(f"{INNER} inner")
        else:
            hosts.append(f"{ADDRESSES['providers']} {' '.join(HOSTS)}")
        homes = self.directory / host
        return {
            "hosts": "\n".join(hosts) + "\n",
            "resolv.conf": "",  # nobody to ask: an unknown name is unknown at once
            **accounts.etc(people, homes, homes / "root"),
            **(container.etc(self.directory / "podman") if host == "hermes" else {}),
        }

    def container(self, user: str) -> Container:
        """A container on the Hermes host, with a Hermes in it; it runs while its context is entered.

        It is the user's own, or root's if the user has no subordinate uids.
        """
        account = next(account for account in HERMES_USERS if account.name == user)
        hosts = self._etc("container", ())["hosts"]
        return Container(self.network, account, self.directory, hosts, self.ca)

    def _start_identity(self) -> None:
        directory = self.ca.parent
        argv: list[str | Path] = [sys.executable, "-m", "tests.lab.identity"]
        argv += ["--directory", directory, "--address", ADDRESSES["providers"]]
        argv += ["--control-port", str(CONTROL_PORT)]
        log = directory / "identity.log"
        self._exit.enter_context(Service(self.network.providers, argv, ready="ready", log=log, cwd=CHECKOUT))

    def sshd(self, host: str, port: int = 22, **settings: str | list[str]) -> Service:
        """Start an sshd on "hermes" or "jump" with more ``settings``, as ``AllowTcpForwarding="no"``.

        The laptop knows its host keys. It ends with the lab, or before that as a context manager.
        """
        directory = self.directory / host
        names = [host, ADDRESSES[host], *(["inner", INNER] if host == "hermes" else [])]
        with (self.home / ".ssh" / "known_hosts").open("a") as file:
            file.write(known_hosts(directory, names, port))
        variables = " ".join(f"{name}={value}" for name, value in self._variables(host).items())
        settings = {"SetEnv": variables, **settings}
        return self._exit.enter_context(sshd(self.network.hosts[host], directory, port, **settings))

    def laptop(self, argv: Iterable[str | Path], **popen: Any) -> subprocess.Popen[Any]:
        """Start a program as the person at the laptop; the parameters are subprocess.Popen's."""
        return self.network.laptop.popen(argv, **{**self._person(), **popen})

    def terminal(self, argv: Iterable[str | Path], **popen: Any) -> Terminal:
        """Start a program as the person at the laptop, in a terminal window of its own."""
        return Terminal(self.network.laptop.argv(argv), **{**self._person(), **popen})

    def _person(self) -> dict[str, Any]:
        return {"env": self.environment, "cwd": self.home}

    def browse(self, url: str) -> Page:
        """Open ``url`` in the browser of the laptop; the page where it came to rest."""
        return self._browser.open(url, self.environment)

    def page(self) -> Page:
        """The page at which a browser came to rest that some program started on the laptop.

        AssertionError if none was started, or none came to rest. Each page is returned only once.
        """
        return self._browser.page()

    @property
    def browser_said(self) -> str:
        """What went wrong in the last browser, if it got no page."""
        return self._browser.said

    def visit(self, host: Namespace, address: str) -> str:
        """Open a page that needs no scripts, on a host; returns the code that it shows."""
        argv = [sys.executable, "-m", "tests.lab.identity.visitor", str(self.ca), address]
        done = host.run(argv, check=True, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, timeout=60)
        shown: str = done.stdout
        return shown.strip()

    def another_browser(self, name: str) -> Browser:
        """One more, for a program that runs beside others; ``make()`` makes it."""
        return Browser(self.network.laptop, self.home, self.directory / "laptop", name)

    def remote(self, user: str, command: str) -> str:
        """Run a command for ``user`` on the Hermes host, in a login shell; returns what it printed.

        RuntimeError, with what it printed, if its exit status is not 0.
        """
        variables = self._variables("hermes")
        argv = ["runuser", "--login", user, "--shell=/bin/bash", "-w", ",".join(variables), "-c", command]
        done = self.network.hermes.run(
            argv,
            env={"PATH": SYSTEM_PATH, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{user}: {command}: exit status {done.returncode}\n{done.stdout}")
        output: str = done.stdout
        return output

    def fresh_home(self, user: str) -> None:
        """Give a user of the Hermes host a new home directory: Hermes installed, never run."""
        account = next(account for account in HERMES_USERS if account.name == user)
        hermes.make_home(account, self.directory / "hermes" / user)

    def end_last_session(self, host: str) -> None:
        """End the newest connection to the sshd of a host, as a network that breaks does."""
        processes = [psutil.Process(process) for process in self.network.hosts[host].processes()]
        sessions = [
            each for each in processes if re.fullmatch(r"sshd: \w+(@\S+)?", " ".join(each.cmdline()).strip())
        ]
        wait_for(max(sessions, key=psutil.Process.create_time).pid, 5, kill=True)

    def hermes_processes(self) -> list[int]:
        """The process ids of every Hermes that runs on the Hermes host."""
        return self.running(self.network.hermes, "/bin/hermes")

    def running(self, host: Namespace, *programs: str) -> list[int]:
        """The processes of a host that are one of these programs, or an interpreter running one."""
        found = []
        for process in host.processes():
            try:
                argv = Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0")
            except OSError:  # it has ended
                continue
            if any(argument.endswith(programs) for argument in argv[:2]):
                found.append(process)
        return found

    def identity(self, method: str, path: str, body: object = None) -> Any:
        """Ask the control interface of the identity providers; its answer, from JSON.

        ``identity("POST", "/decision", {"decision": "deny"})`` makes the person say no.
        """
        address = ADDRESSES["providers"]
        connection = http.client.HTTPConnection(address, CONTROL_PORT)
        connection.sock = self.network.providers.connect(address, CONTROL_PORT)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200:
                raise RuntimeError(f"{method} {path}: {answer.status} {text}")
            return json.loads(text)


@contextmanager
def _claim(directory: Path) -> Iterator[None]:
    """Hold ``directory`` while in the context, and remove what killed labs have left.

    A lab locks its directory, and a lock ends with the process that holds it.
    """
    LABS.mkdir(parents=True, exist_ok=True)
    with ExitStack() as locks:
        with locked(LABS):
            for other in LABS.glob("[0-9]*"):
                try:
                    with locked(other, wait=False):
                        Network(f"ht-{other.name}").close()
                        shutil.rmtree(other)
                except BlockingIOError:  # that lab is running
                    continue
            directory.mkdir()
            locks.enter_context(locked(directory))
        try:
            yield
        finally:
            shutil.rmtree(directory)
