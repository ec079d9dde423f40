"""Listening on a port of this machine, on loopback only, so that nobody else gets what comes there."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from hermes_tunnel.ssh.forward import LocalForward, PortRefused
from hermes_tunnel.steps import Steps, work

ALONE = sys.platform in ("linux", "win32")
"""Whether a port that we have bound is ours alone, by the system's rules."""
_OF_LOCALHOST = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class NotListening:
    """The port could not be had on these addresses; ``cause`` is the system's error, or one in its form."""

    addresses: tuple[str, ...]
    cause: OSError


def addresses_of(host: str) -> tuple[str, ...]:
    """Where to listen for what is meant for a loopback host.

    To a browser, localhost means both families; whoever held the other one would get the code.
    """
    return _OF_LOCALHOST if host == "localhost" else (host,)


def listen(
    addresses: tuple[str, ...],
    port: int,
    serve: Callable[[socket.socket], None],
    settle: Callable[[], object],
    opened: ExitStack,
    *,
    alone: bool = ALONE,
) -> Steps[tuple[str, ...] | NotListening]:
    """Listen on those of the addresses that this machine has.

    :param serve: handles one connection, in a thread of its own
    :param settle: called at the end, before the connections still open are closed
    :param opened: gets the listener, to be closed with it
    :param alone: whether a port that we have bound is ours alone
    :return: the addresses, all of them ours; or why there are none
    """
    while True:
        try:
            listener = LocalForward(addresses, port, serve, settle)
            listener.__enter__()
        except PortRefused as refused:
            if len(addresses) > 1 and _has_no_such_address(refused):
                addresses = tuple(address for address in addresses if address != refused.address)
                continue
            return NotListening(addresses, refused.cause)
        opened.push(listener)
        try:
            if alone or not (yield from work(partial(shared, port, addresses))):
                return addresses
        except BaseException:  # these steps are wanted no more
            opened.close()
            raise
        yield from work(opened.close)
        return NotListening(addresses, OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)))


def _has_no_such_address(refused: PortRefused) -> bool:
    from hermes_tunnel.ports.occupants import BindRefusal, why_not

    return why_not(refused.cause, refused.port).reason is BindRefusal.NO_ADDRESS


def shared(port: int, addresses: Iterable[str]) -> bool:
    """Whether someone else listens where we do.

    BSDs, and so macOS, let a socket bind 127.0.0.1 beside one bound to all addresses.
    """
    from hermes_tunnel.ports.occupants import keeps_from, occupants
    from hermes_tunnel.ports.programs import Role

    others = [one for one in occupants(port) if one.listens and one.role is not Role.ITSELF]
    return any(keeps_from(one, addresses) for one in others)
