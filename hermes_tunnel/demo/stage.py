"""Everything that a complete login needs, in this process: servers, keys, configuration and a person."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from hermes_tunnel.demo.authorization_server import Answer, AuthorizationServer
from hermes_tunnel.demo.hermes import Hermes, installed, not_found
from hermes_tunnel.demo.keys import new_private_key, read_private_key
from hermes_tunnel.demo.loopback import ADDRESS, Loopback
from hermes_tunnel.demo.oauth_client import Client
from hermes_tunnel.demo.person import Person
from hermes_tunnel.demo.ssh_server import SshServer

USER = "demo"
HOST = "hermes-demo"
JUMP_HOST = "jump-demo"
CLIENT_ID = "hermes-agent-demo"
CLIENTS = {CLIENT_ID: f"Hermes on {USER}@{HOST}"}

_Stage = TypeVar("_Stage", bound="Stage")


class Stage:
    """Set up within ``with``, and gone afterwards.

    :param authorization: the authorization server
    :param person: opens its pages
    :param servers: the SSH servers by their names in the configuration file, each reached through the next
    :param private_key: the person's key, for all of them
    """

    def __init__(
        self,
        authorization: AuthorizationServer,
        person: Person,
        servers: Mapping[str, SshServer],
        private_key: str,
    ) -> None:
        self.authorization = authorization
        self.person = person
        self.servers = servers
        self.directory: Path | None = None
        """Where the key will be; set before it is written."""
        self._private_key = private_key
        self._stack = ExitStack()

    @property
    def origin(self) -> str:
        """The authorization server's origin, the only one that may be opened over plain http."""
        return self.authorization.origin

    def __enter__(self: _Stage) -> _Stage:
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hermes-tunnel-demo-")))
            self.directory = directory
            stack.callback(self.person.close)
            stack.enter_context(self.authorization)
            for server in self.servers.values():
                stack.enter_context(server)
            self._write(directory)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _write(self, directory: Path) -> None:
        """Write what a person has in ``~/.ssh``: a key, known hosts, a configuration file."""
        self.key_file = directory / "id_ed25519"
        self.known_hosts_file = directory / "known_hosts"
        self.config_file = directory / "config"
        self.key_file.touch(0o600)
        self.key_file.write_text(self._private_key, "ascii")
        lines = [server.known_hosts_line for server in self.servers.values()]
        self.known_hosts_file.write_text("".join(lines), "ascii")
        names = list(self.servers)
        sections = [
            f"Host {name}\n  HostName {ADDRESS}\n  Port {self.servers[name].port}\n"
            + (f"  ProxyJump {through}\n" if through else "")
            for name, through in zip_longest(names, names[1:])
        ]
        common = (
            f"Host *\n  User {USER}\n"
            f'  IdentityFile "{self.key_file.as_posix()}"\n  IdentitiesOnly yes\n  IdentityAgent none\n'
            f'  UserKnownHostsFile "{self.known_hosts_file.as_posix()}"\n  StrictHostKeyChecking yes\n'
        )
        self.config_file.write_text("".join((*sections, common)), "utf-8")


def demonstration(answer: Answer | None) -> Stage:
    """A login to xAI, by a Hermes behind a jump host.

    :param answer: what the authorization server answers without asking; None to show its page
    """
    authorization, loopback, private_key = AuthorizationServer(CLIENTS, answer), Loopback(), new_private_key()
    hermes = Hermes(Client(authorization, CLIENT_ID), loopback, USER, HOST)
    key = read_private_key(private_key)
    servers = {
        HOST: SshServer(installed(hermes), USER, key, loopback),
        JUMP_HOST: SshServer(not_found, USER, key),
    }
    return Stage(authorization, Person(), servers, private_key)
