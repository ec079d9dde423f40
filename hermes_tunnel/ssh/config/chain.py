"""How to reach a target, hop by hop, according to ssh_config and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hermes_tunnel import events
from hermes_tunnel.deadlines import CONFIGURATION
from hermes_tunnel.errors import ConfigurationFailure, UsageFailure
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.config import keywords
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.config.keywords import Options, Ssh, find_ssh
from hermes_tunnel.ssh.config.target import Hop, Target, parse_jumps
from hermes_tunnel.ssh.config.tokens import Tokens
from hermes_tunnel.ssh.config.values import honoured
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.ssh.waiting import TOLD_SECONDS

__all__ = ["HopConfiguration", "Options", "resolve"]

_MOST_HOPS = 8


def resolve(
    target: Target,
    options: Options,
    *,
    program: str | None = None,
    emit: events.Emit = lambda _: None,
    wanted: Callable[[], bool] = lambda: True,
    seconds: float = CONFIGURATION.seconds,
    patience: float = TOLD_SECONDS,
) -> tuple[HopConfiguration, ...]:
    """The hops of the way to a target, first hop first, destination last.

    As in ssh, a ProxyJump's last entry is the direct predecessor, a hop that is given earlier hops uses
    them, and the first hop honours its own ProxyJump or ProxyCommand. Of the options, a jump host gets
    only the configuration file.

    :param program: the ssh program to ask; None to look for one; empty for none. Without one, the files are
        read here
    :param emit: is told what ssh says and waits for, if it takes long
    :param wanted: whether anybody still wants to know; checked while ssh thinks
    :param seconds: how long it may think about a hop
    :param patience: the seconds until the person is told that it does
    :raises ConfigurationFailure: ssh_config is wrong, or the chain is endless
    :raises NotWanted: nobody wants to know any more
    """
    words = target.as_words(options.as_words())
    found = find_ssh() if program is None else program
    person = Person(_nobody, emit, wanted, lambda _: None, patience=patience)
    way = _Way(Ssh(found, person, seconds) if found else None, words)
    return tuple(way.chain(target.destination, target.jumps, options))


def _nobody(_: Question, __: Callable[[], bool]) -> None:
    """Nobody is asked: ssh only reads."""


@dataclass(frozen=True)
class _Way:
    """One resolution: the ssh program to ask, and the words that it would have to be called with."""

    ssh: Ssh | None
    typed: tuple[str, ...]

    def chain(
        self, hop: Hop, jumps: tuple[Hop, ...] | None, options: Options, behind: tuple[Target, ...] = ()
    ) -> list[HopConfiguration]:
        target = Target(hop, jumps)
        way = " -> ".join(str(each.destination) for each in (*behind, target))
        if target in behind:
            raise ConfigurationFailure(
                f"the jump hosts go round in a circle: {way}", "look at ProxyJump in ssh_config"
            )
        if len(behind) > _MOST_HOPS:
            raise ConfigurationFailure(
                f"more than {_MOST_HOPS} jump hosts: {way}", "look at ProxyJump in ssh_config"
            )
        said = keywords.read(target, options, self.ssh)
        newer = keywords.newer(hop, said, self.ssh)
        configuration = replace(
            honoured(hop, said, options, asked=self.ssh is not None, typed=self.typed, newer=newer),
            way=target.as_words(options.as_words()),
        )
        own = next(iter(said.get("proxyjump", ())), "")
        try:
            if jumps is None and own and configuration.proxy_command is None:
                jumps = parse_jumps(own)
            if jumps is None:
                return [configuration]
            tokens = Tokens(hop.host, configuration.hostname, configuration.port, configuration.user)
            jumps = tuple(each.expanded(tokens.jump) for each in jumps)
        except UsageFailure as problem:
            raise ConfigurationFailure(f"ProxyJump for {hop}: {problem.message}", problem.hint) from problem
        if not jumps:
            return [configuration]
        before = self.chain(jumps[-1], jumps[:-1] or None, options.for_a_jump_host(), (*behind, target))
        return [*before, configuration]
