"""The authentication protocol's waits; test_authentication shows what is said in them."""

from __future__ import annotations

from typing import Any, cast

import pytest

from hermes_tunnel.ssh.authentication.userauth import ServerLeft, UserAuth
from hermes_tunnel.ssh.transport import Transport
from tests.interrupted import interrupted


class Gone:
    """A transport whose server has left."""

    auth_handler: Any = None

    def send(self, message: object) -> None:
        """To nobody."""

    def is_active(self) -> bool:
        """Not any more."""
        return False


def test_that_the_server_has_left_is_noticed_also_after_a_signal() -> None:
    """As when the program was stopped by Ctrl-Z meanwhile and goes on."""
    service = UserAuth(cast(Transport, Gone()), "me", print)
    with interrupted(service.abort), pytest.raises(ServerLeft):
        service.reply()
