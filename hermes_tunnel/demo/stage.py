"""Everything that a complete login needs, in this process: servers, keys, configuration, a person."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from hermes_tunnel.demo.authorization_server import Answer, AuthorizationServer
from hermes_tunnel.demo.hermes import Hermes, installed, loopback_login, not_found
from hermes_tunnel.demo.keys import new_private_key, read_private_key
from hermes_tunnel.demo.loopback import ADDRESS, Loopback
from hermes_tunnel.demo.oauth_client import Client
from hermes_tunnel.demo.person import Person
from hermes_tunnel.demo.remote_process import Command
from hermes_tunnel.demo.ssh_server import SshServer
from hermes_tunnel.demo.ssh_settings import Account, Settings

USER = "demo"
HOST = "hermes-demo"
JUMP_HOST = "jump-demo"
_CLIENT_ID = "hermes-agent-demo"


class Stage:
    """What is needed is there within ``with``, and gone after it.

    :param answer: what the authorization server answers without asking; None to show its page
    :param login: makes the login command of the installed Hermes; None: none is installed
    :param around: makes the server's whole command from that of the installed Hermes
    :param account: who else is let in, and how; the person's key is added
    :param settings: what the SSH server allows; its loopback is added
    :param jump: whether the way there leads through a jump host
    """

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        login: Callable[[Hermes], Command] | None = loopback_login,
        around: Callable[[Command], Command] | None = None,
        account: Account | None = None,
        settings: Settings | None = None,
        jump: bool = False,
    ) -> None:
        self.authorization = AuthorizationServer({_CLIENT_ID: f"Hermes on {USER}@{HOST}"}, answer)
        self.loopback = Loopback()
        self.hermes = Hermes(Client(self.authorization, _CLIENT_ID), self.loopback, USER, HOST)
        self.person = Person(answer or Answer.APPROVE)
        command = installed(self.hermes, login(self.hermes) if login else None)
        self._private_key = new_private_key()
        key = read_private_key(self._private_key)
        account = account or Account(USER)
        self.server = SshServer(
            around(command) if around else command,
            replace(account, keys=(*account.keys, key)),
            replace(settings or Settings(), loopback=self.loopback),
        )
        self.jump_server = SshServer(not_found, Account(USER, (key,))) if jump else None
        self._stack = ExitStack()

    @property
    def origin(self) -> str:
        """The authorization server's origin, the only plain http one that may be opened."""
        return self.authorization.origin

    @property
    def port(self) -> int:
        """The SSH server's port on 127.0.0.1; ``HOST`` is its name in the configuration file."""
        return self.server.port

    def __enter__(self) -> Stage:
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hermes-tunnel-demo-")))
            stack.enter_context(self.authorization)
            stack.enter_context(self.server)
            if self.jump_server is not None:
                stack.enter_context(self.jump_server)
            stack.callback(self.person.close)
            self._write(directory)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _write(self, directory: Path) -> None:
        """What a person has in ``~/.ssh``: a key, known hosts, a configuration file."""
        self.key_file = directory / "id_ed25519"
        self.known_hosts_file = directory / "known_hosts"
        self.config_file = directory / "config"
        self.key_file.touch(0o600)
        self.key_file.write_text(self._private_key, "ascii")
        servers = {HOST: self.server}
        if self.jump_server is not None:
            servers[JUMP_HOST] = self.jump_server
        self.known_hosts_file.write_text(
            "".join(server.known_hosts_line for server in servers.values()), "ascii"
        )
        sections = [_host_section(name, server.port) for name, server in servers.items()]
        if self.jump_server is not None:
            sections[0] += f"  ProxyJump {JUMP_HOST}\n"
        common = (
            f"Host *\n  User {USER}\n"
            f'  IdentityFile "{self.key_file.as_posix()}"\n  IdentitiesOnly yes\n  IdentityAgent none\n'
            f'  UserKnownHostsFile "{self.known_hosts_file.as_posix()}"\n  StrictHostKeyChecking yes\n'
        )
        self.config_file.write_text("".join((*sections, common)), "utf-8")


def _host_section(name: str, port: int) -> str:
    return f"Host {name}\n  HostName {ADDRESS}\n  Port {port}\n"
