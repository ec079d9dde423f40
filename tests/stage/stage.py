"""The stage: a login of any kind, on a server of any kind, with a person at the browser."""

from __future__ import annotations

from collections.abc import Callable

from hermes_tunnel.demo import ssh_server, stage
from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.demo.hermes import not_found
from hermes_tunnel.demo.keys import new_private_key, read_private_key
from hermes_tunnel.demo.stage import CLIENT_ID, CLIENTS, HOST, JUMP_HOST, USER
from tests.stage.device import AuthorizationServer, Client
from tests.stage.hermes import Hermes, Loopback, installed
from tests.stage.logins import loopback_login
from tests.stage.person import Person
from tests.stage.remote_process import Command
from tests.stage.ssh_server import Account, Settings, SshServer

__all__ = ["HOST", "JUMP_HOST", "USER", "Stage"]


class Stage(stage.Stage):
    """Stands within ``with``, and is gone afterwards.

    :param answer: what the authorization server answers without asking; None to show its page
    :param login: makes the login command of the installed Hermes; None if none is installed
    :param around: makes the server's whole command from that of the installed Hermes
    :param account: who may log in, and how, besides the person's key
    :param settings: what the SSH server allows
    :param jump: whether the way there leads through a jump host
    """

    authorization: AuthorizationServer
    person: Person

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
        authorization, private_key = AuthorizationServer(CLIENTS, answer), new_private_key()
        key = read_private_key(private_key)
        self.loopback = Loopback()
        self.hermes = Hermes(Client(authorization, CLIENT_ID), self.loopback, USER, HOST)
        command = installed(self.hermes, login(self.hermes) if login else None)
        self.server = SshServer(
            around(command) if around else command,
            account or Account(USER),
            settings or Settings(),
            key,
            self.loopback,
        )
        self.jump_server = ssh_server.SshServer(not_found, USER, key) if jump else None
        servers: dict[str, ssh_server.SshServer] = {HOST: self.server}
        if self.jump_server is not None:
            servers[JUMP_HOST] = self.jump_server
        super().__init__(authorization, Person(answer or Answer.APPROVE), servers, private_key)

    @property
    def port(self) -> int:
        """The SSH server's port on 127.0.0.1; ``HOST`` is its name in the configuration file."""
        return self.server.port
