"""What the person is told if a server and this program have no algorithm in common."""

from __future__ import annotations

import pytest

from hermes_tunnel.ssh.algorithms import CIPHER, MAC, nothing_in_common, own_algorithms
from hermes_tunnel.ssh.config.chain import HopConfiguration


def hint_for(*offered: str) -> str:
    """The hint of a hop whose server offers these MACs."""
    hop = HopConfiguration("box", "127.0.0.1", "root", 22, macs=("hmac-sha2-256",))
    failure = nothing_in_common(hop, {MAC.offered: offered}, {MAC: ("hmac-sha2-256",)})
    assert failure is not None
    return failure.hint


def test_a_name_that_ssh_would_have_to_be_told() -> None:
    """The line to type contains it."""
    assert "-o MACs=+hmac-md5-new@box.test" in hint_for("hmac-md5-new@box.test")


@pytest.mark.parametrize("name", ["x" * 60 + " hermes-tunnel: error: no", "x" * 65, "\u4e2d", "a\nb", ""])
def test_what_is_not_a_name_is_not_in_the_hint(name: str) -> None:
    """A hint is not folded, so that it can be pasted; a server's words could otherwise start a line of it."""
    hint = hint_for(name)
    assert name not in hint or not name
    assert "MACs" not in hint


def test_the_cipher_that_costs_least_comes_first() -> None:
    """AES-GCM before the others, which keep ssh_config's order; what that excludes stays excluded."""
    ciphers = ("aes256-ctr", "aes128-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")
    hop = HopConfiguration("box", "127.0.0.1", "root", 22, ciphers=ciphers)
    assert own_algorithms(hop, ())[CIPHER] == ("aes256-gcm@openssh.com", "aes256-ctr", "aes128-ctr")
