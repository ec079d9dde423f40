"""The key exchange (RFC 4253 sections 4 and 7), and why one failed, in words."""

from __future__ import annotations

import threading
import time

import paramiko

from hermes_tunnel.deadlines import IDENTIFICATION, KEY_EXCHANGE
from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.by_hand import by_ssh
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.transport import Transport
from hermes_tunnel.ssh.waiting import SLICE, Meanwhile, nothing
from hermes_tunnel.text import quote

# What OpenSSH says instead of its identification if it has too many connections, or too many of ours.
_TURNED_AWAY = ("Exceeded MaxStartups", "Not allowed at this time")


def handshake(
    transport: Transport,
    configuration: HopConfiguration,
    meanwhile: Meanwhile = nothing,
    *,
    took: float = 0.0,
    seconds: float = KEY_EXCHANGE.seconds,
) -> paramiko.PKey:
    """Exchange identification strings and keys; gives the key that the server proved to have.

    As in ssh, ConnectTimeout ends with the identification string.

    :param took: the seconds of ConnectTimeout that are gone already
    :param seconds: how long the exchange of keys may take after that
    :raises NetworkFailure: it is not an SSH server, has no algorithm in common, did not identify itself
        within ConnectTimeout, or did not finish in time
    """
    where, timeout = configuration.place, configuration.connect_timeout
    until_identified = IDENTIFICATION.seconds if timeout is None else timeout
    transport.banner_timeout = until_identified + 1
    done = threading.Event()
    transport.start_client(done)
    until = time.monotonic() + until_identified - took
    identified = False
    while not done.wait(min(SLICE, max(0.0, until - time.monotonic()))) and time.monotonic() < until:
        meanwhile()
        if transport.remote_version and not identified:
            identified, until = True, time.monotonic() + seconds
    if not done.is_set() or transport.timed_out:
        if not transport.remote_version:
            raise NetworkFailure(
                f"{where} accepted the connection, but did not speak SSH within {until_identified:g} s",
                f"is this the port of an SSH server? {configuration.another_port}",
            )
        raise NetworkFailure(f"{where} stalled during the key exchange for {seconds:g} s", "try again")
    if transport.initial_kex_done and transport.host_key is not None:
        return transport.host_key
    if not transport.remote_version:
        if transport.first_line and not transport.first_line.startswith(_TURNED_AWAY):
            raise NetworkFailure(
                f"{where} is not an SSH server: it said {quote(transport.first_line)}",
                configuration.another_port,
            )
        words = f": {transport.first_line[:200]}" if transport.first_line else ""
        raise NetworkFailure(
            f"{where} closed the connection before it identified itself as an SSH server{words}",
            "the server may be limiting connections (MaxStartups, a firewall); try again, or "
            f"{configuration.another_port}",
        )
    if isinstance(transport.get_exception(), paramiko.ssh_exception.IncompatiblePeer):
        raise transport.incompatible() or NetworkFailure(
            f"{where} speaks another version of SSH: {quote(transport.first_line)}",
            f"try {by_ssh(configuration)}",
        )
    words = f": {transport.parting_words}" if transport.parting_words else ""
    raise NetworkFailure(f"{where} closed the connection during the key exchange{words}", "try again")
