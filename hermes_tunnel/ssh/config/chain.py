"""How to reach a target, hop by hop, according to ssh_config and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hermes_tunnel.errors import ConfigurationFailure, UsageFailure
from hermes_tunnel.ssh.config import keywords
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.config.keywords import Options, find_ssh
from hermes_tunnel.ssh.config.target import Hop, Target, parse_jumps
from hermes_tunnel.ssh.config.tokens import Tokens
from hermes_tunnel.ssh.config.values import honoured
from hermes_tunnel.ssh.connection import NotWanted
from hermes_tunnel.ssh.waiting import Meanwhile

__all__ = ["HopConfiguration", "Options", "resolve"]

_MOST_HOPS = 8


def resolve(
    target: Target,
    options: Options,
    *,
    program: str | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> tuple[HopConfiguration, ...]:
    """The hops of the way to a target, first hop first, destination last.

    As in ssh, a ProxyJump's last entry is the direct predecessor, a hop that is given earlier hops uses
    them, and the first hop honours its own ProxyJump or ProxyCommand. Of the options, a jump host gets
    only the configuration file.

    :param program: the ssh program to ask; None to look for one; empty for none. Without one, the files are
        read here
    :param wanted: whether anybody still wants to know; checked while ssh thinks
    :raises ConfigurationFailure: ssh_config is wrong, or the chain is endless
    :raises NotWanted: nobody wants to know any more
    """

    def check() -> None:
        if not wanted():
            raise NotWanted

    words = target.as_words(options.as_words())
    way = _Way((find_ssh() if program is None else program) or None, words, check)
    return tuple(way.chain(target.destination, target.jumps, options))


@dataclass(frozen=True)
class _Way:
    """One resolution: the ssh program to ask, and the words that it would have to be called with."""

    program: str | None
    typed: tuple[str, ...]
    meanwhile: Meanwhile

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
        said = keywords.read(target, options, self.program, self.meanwhile)
        newer = keywords.newer(hop, said, self.program, self.meanwhile)
        configuration = replace(
            honoured(hop, said, options, asked=self.program is not None, typed=self.typed, newer=newer),
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
