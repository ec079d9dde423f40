"""Whom to reach, and through whom: destinations and jump hosts as ssh(1) writes them.

Everything that a person types is judged here, before ssh or a shell sees it. The character sets are those
of OpenSSH's ``ssh_valid_hostname`` and ``ssh_valid_ruser``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.text import plain, quote

_LONGEST = 255
_HOST_NEVER = set("'`\"$\\;&<>|(){},/@[]")
_USER_NEVER = set("'`\";&<>|(){}")
_BRACKETED = re.compile(r"\[([^\]]*)\](?::(.*))?", re.DOTALL)
_LIKE_IPV4 = re.compile(r"[0-9.]+")
_HYPHEN = re.compile(r"(^|\s)-")
_PORT = re.compile(r"[0-9]{1,5}")
_FORM = "write it as [USER@]HOST[:PORT]; an IPv6 address with a port as [ADDRESS]:PORT"


@dataclass(frozen=True)
class Hop:
    """One machine on the way, as typed.

    :param user: None to let ssh_config or the local user name decide
    :param host: a name, an alias of ssh_config, or an address without brackets
    :param port: 1 to 65535; None to let ssh_config or the default decide
    """

    user: str | None
    host: str
    port: int | None

    def __str__(self) -> str:
        """As typed: ``[USER@]HOST[:PORT]``."""
        return self._written(brackets=self.port is not None)

    def as_jump(self) -> str:
        """As -J takes it: an IPv6 address is always in brackets."""
        return self._written(brackets=True)

    def expanded(self, expand: Callable[[str], str]) -> Hop:
        """With the tokens in its user and host replaced.

        :raises UsageFailure: the result cannot be a user or a host
        """
        user = None if self.user is None else _user(expand(self.user))
        return Hop(user, _host(expand(self.host)), self.port)

    def _written(self, *, brackets: bool) -> str:
        user = "" if self.user is None else f"{self.user}@"
        host = f"[{self.host}]" if brackets and ":" in self.host else self.host
        return user + host + ("" if self.port is None else f":{self.port}")


@dataclass(frozen=True)
class Target:
    """The machine that runs Hermes, and the way to it.

    :param destination: the last hop
    :param jumps: the hops before it, first to last; empty for none; None to let ssh_config decide
    """

    destination: Hop
    jumps: tuple[Hop, ...] | None = None

    def as_words(self, options: Sequence[str] = ()) -> tuple[str, ...]:
        """As words of ssh's command line.

        :param options: further options, after the user and the port: ssh takes the first that it is given
        """
        jumps = () if self.jumps is None else ("-J", ",".join(map(Hop.as_jump, self.jumps)) or "none")
        hop = self.destination
        port = () if hop.port is None else ("-p", str(hop.port))
        user = () if hop.user is None else ("-l", hop.user)
        return (*jumps, *port, *user, *options, hop.host)


def parse_target(
    text: str, jumps: Sequence[str] = (), user: str | None = None, port: int | None = None
) -> Target:
    """The target of a command line.

    :param text: ``[USER@]HOST[:PORT]`` or ``ssh://[USER@]HOST[:PORT]``
    :param jumps: the values of ``-J``, each a list with commas, or ``none``
    :param user: ``-l``, which wins over the user in ``text``, as with ssh
    :param port: ``-p``, which wins over the port in ``text``, as with ssh
    :raises UsageFailure: the text cannot be a user, a host or a port
    """
    typed = parse_hop(text)
    destination = Hop(
        typed.user if user is None else _user(user),
        typed.host,
        typed.port if port is None else _port(str(port), text),
    )
    return Target(destination, parse_jumps(",".join(jumps)) if jumps else None)


def parse_jumps(text: str) -> tuple[Hop, ...]:
    """The hops of a ``-J`` or ProxyJump value, first to last; empty for ``none``.

    :raises UsageFailure: an entry cannot be a hop
    """
    if text.strip().lower() == "none":
        return ()
    return tuple(parse_hop(entry.strip()) for entry in text.split(","))


def parse_hop(text: str) -> Hop:
    """One destination: ``[USER@]HOST[:PORT]``, ``[USER@][ADDRESS]:PORT``, a bare IPv6 address, or ``ssh://``.

    :raises UsageFailure: the text cannot be a user, a host or a port
    """
    rest, is_uri = text, text[:6].lower() == "ssh://"
    if is_uri:
        rest = rest[6:].removesuffix("/")
    elif "://" in text:
        raise UsageFailure(
            f"invalid host {quote(text)}: that is the address of something other than ssh", _FORM
        )
    before, at, after = rest.rpartition("@")
    user = None
    if at:
        # A URI's user may be percent-encoded and carry connection parameters after a semicolon.
        user = _user(unquote(before.partition(";")[0]) if is_uri else before)
    host, port = _split_port(after, text)
    return Hop(user, _host(host), port)


def _split_port(text: str, typed: str) -> tuple[str, int | None]:
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed:
        host, port = bracketed.groups()
        # ssh -G puts what looks like an IPv4 address in brackets too.
        if not _is_ipv6(host) and not _LIKE_IPV4.fullmatch(host):
            raise UsageFailure(f"{quote(host)} in brackets is not an IPv6 address", _FORM)
        return host, None if port is None else _port(port, typed)
    if _is_ipv6(text):
        return text, None
    if text.startswith("["):
        raise UsageFailure(f"invalid host {quote(typed)}: its brackets do not enclose an address", _FORM)
    host, colon, port = text.partition(":")
    return host, _port(port, typed) if colon else None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _host(text: str) -> str:
    if not text:
        raise UsageFailure("invalid host: it is empty", _FORM)
    if text.startswith("-"):
        raise UsageFailure(f"invalid host {quote(text)}: it begins with a hyphen", _FORM)
    _check("host", text, _HOST_NEVER)
    if any(map(str.isspace, text)):
        raise UsageFailure(f"invalid host {quote(text)}: it has a space in it", _FORM)
    return text


def _user(text: str) -> str:
    if not text:
        raise UsageFailure("invalid user: it is empty", _FORM)
    if _HYPHEN.search(text) or text.endswith("\\"):
        raise UsageFailure(f"invalid user {quote(text)}: a hyphen or a backslash is not allowed there", _FORM)
    _check("user", text, _USER_NEVER)
    return text


def _check(what: str, text: str, never: set[str]) -> None:
    if len(text) > _LONGEST:
        raise UsageFailure(f"invalid {what} {quote(text)}: longer than {_LONGEST} characters", _FORM)
    wrong = next((character for character in text if character in never), None)
    if wrong is not None or plain(text) != text:
        why = "it has an invisible or control character in it" if wrong is None else f"it has {wrong} in it"
        raise UsageFailure(f"invalid {what} {quote(text)}: {why}", _FORM)


def _port(text: str, typed: str) -> int:
    if not _PORT.fullmatch(text) or not 0 < int(text) < 65536:
        raise UsageFailure(
            f"invalid port {quote(text)} in {quote(typed)}", "a port is a number from 1 to 65535"
        )
    return int(text)
