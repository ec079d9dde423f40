"""The way to the first hop, as far as it needs no SSH library: configuration, address and dialling.

This module imports little, and nothing slow. So a login begins with it, and waits for the name server and the
first hop while the rest of the program is still being imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from hermes_tunnel.events import Emit
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.dial import TcpSocket, addresses_of, dial
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.text import quote

Resolve: TypeAlias = Callable[[Emit, Callable[[], bool]], tuple[HopConfiguration, ...]]


@dataclass(frozen=True)
class Begun:
    """A way that has been begun.

    :param hops: first hop first, destination last
    :param sock: connected to the first hop; None if a ProxyCommand leads there
    """

    hops: tuple[HopConfiguration, ...]
    sock: TcpSocket | None

    def close(self) -> None:
        """Hang up, unless whoever took the connection has."""
        if self.sock is not None:
            self.sock.close()


def begin(resolve: Resolve, emit: Emit, wanted: Callable[[], bool]) -> Begun:
    """Find the hops, and dial the first.

    :param resolve: finds the hops; is told whom to tell, and whether they are still wanted
    :param emit: is told of each phase, and of what else the person should know
    :param wanted: whether it is still wanted; checked all the time
    :raises ConfigurationFailure: ssh_config is wrong
    :raises NetworkFailure: the first hop cannot be reached
    :raises NotWanted: it is no longer wanted
    """
    hops = resolve(emit, wanted)
    if hops[0].proxy_command is not None:
        return Begun(hops, None)
    person = Person(_nobody, emit, wanted, lambda _: None)
    announce(hops[0], person)
    return Begun(hops, dialled(replace(hops[0], is_jump_host=len(hops) > 1), person))


def announce(configuration: HopConfiguration, person: Person) -> None:
    """Say what the person should know of a hop's configuration."""
    for line in configuration.warnings:
        person.tell(line)
    for line in configuration.details:
        person.detail(line)


def dialled(configuration: HopConfiguration, person: Person) -> TcpSocket:
    """A connection to a hop, in two phases.

    :raises NetworkFailure: it has no address, or does not answer
    """
    with person.phase(configuration.label, "address") as outcome:
        name = f"the address of {quote(configuration.hostname)}"
        addresses = addresses_of(configuration, person.waiting_for(name))
        outcome.words = ", ".join(dict.fromkeys(str(address[4][0]) for address in addresses))
    with person.phase(configuration.label, "dial", configuration.address) as outcome:
        sock = dial(configuration, addresses, person.waiting_for(f"{configuration.place} to answer"))
        outcome.words = sock.peer
    return sock


def _nobody(_: Question, __: Callable[[], bool]) -> None:
    """Nobody is asked: dialling asks nothing."""
