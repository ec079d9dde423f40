"""The authentication protocol's waits; test_methods shows what is exchanged in them."""

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
        """Send to nobody."""

    def is_active(self) -> bool:
        """Not any more."""
        return False


def test_a_server_that_has_left_is_noticed_even_after_a_signal() -> None:
    """We notice it even after Ctrl-Z has stopped the program and it has resumed."""
    service = UserAuth(cast(Transport, Gone()), "me", print)
    with interrupted(service.abort), pytest.raises(ServerLeft):
        service.reply()
