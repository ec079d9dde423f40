"""What people are told to type themselves: lines of ssh and its companions, ready for a shell."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence

from hermes_tunnel.ssh.config.hop import HopConfiguration


def by_ssh(hop: HopConfiguration, *options: str) -> str:
    """The ssh command that connects to a hop; ``options`` win over its others."""
    return shell_line("ssh", *options, *way_to(hop))


def by_hand(hop: HopConfiguration, *options: str) -> str:
    """The ssh command that forwards a login's port, as a hint; ``options`` win over its others."""
    way = hop.typed or way_to(hop)
    return (
        "ssh itself can do this: forward the login's port with it, in a terminal of its own: "
        + shell_line("ssh", "-N", "-L", "PORT:127.0.0.1:PORT", *options, *way)
    )


def forwarding(way: Sequence[str], port: str) -> str:
    """The ssh command that forwards a port here to the same one there, and does nothing else.

    :param way: the way to the destination as words for ssh
    :param port: a number, or a word that stands for it
    """
    return shell_line("ssh", "-N", "-L", f"{port}:127.0.0.1:{port}", *way)


def running(way: Sequence[str], command: str) -> str:
    """The ssh command that runs a command line there, on a terminal."""
    return shell_line("ssh", "-t", *way, command)


def without_proxy_jump(hops: Sequence[HopConfiguration]) -> tuple[str, ...]:
    """The way to the last hop as words for an ssh older than 7.3, which has no ProxyJump.

    Each hop's command is in the next one's ProxyCommand, whose tokens ssh expands once for each level.
    """
    words: tuple[str, ...] = ()
    for hop in hops:
        before = tuple(word.replace("%", "%%") for word in words)
        proxy = ("-o", f"ProxyCommand={shell_line('ssh', '-W', '%h:%p', *before)}") if before else ()
        words = (*proxy, *_without_jumps(way_to(hop)))
    return words


def _without_jumps(way: tuple[str, ...]) -> tuple[str, ...]:
    return way[2:] if way[:1] == ("-J",) else way


def ssh_copy_id(hop: HopConfiguration) -> str:
    """The command that makes a hop accept a key; ssh-copy-id(1) lacks some of ssh's options."""
    words: list[str] = []
    *options, host = way_to(hop)
    rest = iter(options)
    for option in rest:
        if option in ("-4", "-6"):
            words += ["-o", f"AddressFamily={'inet' if option == '-4' else 'inet6'}"]
            continue
        value = next(rest)
        if option == "-J":
            words += ["-o", f"ProxyJump={value}"]
        elif option == "-l":
            host = f"{value}@{host}"
        elif option != "-i" or option not in words:
            words += [option, value]
    return shell_line("ssh-copy-id", *words, host)


def ssh_add(hop: HopConfiguration, *words: str) -> str:
    """The command that talks to the agent used for a hop."""
    agent = f"SSH_AUTH_SOCK={shlex.quote(hop.identity_agent)} " if hop.identity_agent else ""
    return agent + shell_line("ssh-add", *words)


def shell_line(*words: str) -> str:
    """A line that means these words when typed into a shell of this system."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def way_to(hop: HopConfiguration) -> tuple[str, ...]:
    """The way to a hop as words for ssh."""
    port = () if hop.port == 22 else ("-p", str(hop.port))
    return hop.way or (*port, hop.label)
