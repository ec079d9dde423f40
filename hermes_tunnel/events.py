"""What happens during a login, for whoever wants to know: the console, the JSON lines.

``login`` emits these; it neither prints nor formats. The class name in snake case is the JSON ``event``,
the fields are its members. Both are part of the command line's contract.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import ClassVar

from hermes_tunnel.text import plain, redact


@dataclass(frozen=True)
class Event:
    """Something that happened; ``public`` if it is one of the contract's JSON events, ``detailed`` if it is
    one only with ``-v``.
    """

    public: ClassVar[bool] = True
    detailed: ClassVar[bool] = False


@dataclass(frozen=True)
class Phase(Event):
    """A phase of a hop begins, or ends after ``seconds``; the phases come in the order of ``PHASES``.

    A phase that fails does not end. ``detail`` says in words what is about to happen, or what came of it:
    the address, the key, the method.
    """

    hop: str
    name: str
    seconds: float | None = None
    detail: str = ""
    detailed: ClassVar[bool] = True


@dataclass(frozen=True)
class Connected(Event):
    """The SSH connection is up; ``via`` lists the jump hosts, first hop first."""

    destination: str
    via: tuple[str, ...] = ()


@dataclass(frozen=True)
class CommandStarted(Event):
    """The login command is running on the remote machine."""

    command: str


@dataclass(frozen=True)
class AuthorizationAsked(Event):
    """The person is invited. The URL is shown and emitted whole, ``state`` included, or it would not work."""

    mode: str
    url: str = field(repr=False)
    user_code: str = ""
    issuer: str = ""
    again: bool = False


@dataclass(frozen=True)
class PageShown(Event):
    """The command shows a page that nobody vouches for; the person sees it whole, and may have it opened."""

    url: str = field(repr=False)
    public: ClassVar[bool] = False


@dataclass(frozen=True)
class Forwarding(Event):
    """The local forward is listening."""

    port: int
    addresses: tuple[str, ...]
    remote_port: int


@dataclass(frozen=True)
class Browser(Event):
    """Whether a browser could be opened."""

    opened: bool


@dataclass(frozen=True)
class Callback(Event):
    """An answer came: ``delivered``, ``denied``, ``refused`` by the command, ``undeliverable``, or
    ``stray`` if it answers another login, or another word for what came in its place (``oauth.callback``).

    ``error`` is the provider's name for it (RFC 6749 section 4.1.2.1); ``way`` is how it got there:
    ``forward``, ``relay`` or ``prompt``; ``pasted`` if the person brought it in the browser's place.
    """

    outcome: str
    error: str = ""
    way: str = ""
    pasted: bool = False


@dataclass(frozen=True)
class Prompt(Event):
    """The remote command asks the person something."""

    text: str
    secret: bool


@dataclass(frozen=True)
class DryRun(Event):
    """What would do it by hand: lines for a shell."""

    commands: tuple[str, ...]


@dataclass(frozen=True)
class Finished(Event):
    """It is over: ``outcome`` in a word; ``remote_exit_status`` is the command's, if it ended by itself.

    ``message`` and ``hint`` say why it failed; ``provider``, ``account`` (``user@host``) and ``credential``
    (a path there) what is logged in now, where and as whom. Empty where there is nothing to say.
    """

    exit_status: int
    outcome: str
    remote_exit_status: int | None
    message: str = ""
    hint: str = ""
    provider: str = ""
    account: str = ""
    credential: str = ""


@dataclass(frozen=True)
class RemoteLine(Event):
    """A line that the remote command printed."""

    text: str = field(repr=False)
    public: ClassVar[bool] = False


NO_STATUS = -127
"""A command ended and the server did not say how. 128 minus this is 255, the status of ssh(1) then."""


@dataclass(frozen=True)
class CommandEnded(Event):
    """The remote command ended; negative if a signal ended it, ``NO_STATUS`` if nobody said how."""

    status: int
    public: ClassVar[bool] = False


@dataclass(frozen=True)
class Notice(Event):
    """Something the person should know, in a sentence.

    ``detail`` if only the curious want it; ``needed`` if it is said even when little else is.
    """

    text: str
    detail: bool = False
    needed: bool = False
    public: ClassVar[bool] = False


@dataclass(frozen=True)
class QrCode(Event):
    """The page is wanted as a QR code too."""

    url: str = field(repr=False)
    public: ClassVar[bool] = False


@dataclass(frozen=True)
class CodeCopied(Notice):
    """Whether the user code is on the clipboard now, in a sentence."""

    needed: bool = True


@dataclass(frozen=True)
class ServerSaid(Event):
    """What an SSH server, or the program that leads to it, said in its own words: a banner, an instruction.

    ``who`` is ``user@host``, or the program's name.
    """

    who: str
    text: str = field(repr=False)
    public: ClassVar[bool] = False


PHASES = ("address", "dial", "key exchange", "host key", "authentication", "session")
Emit = Callable[[Event], None]
_INNER_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_NAMES: dict[type[Event], str] = {AuthorizationAsked: "authorization"}


def as_json(event: Event, secrets: Iterable[str] = ()) -> dict[str, object]:
    """The event as an object for one JSON line, every text scrubbed except the authorization URL."""
    name = _NAMES.get(type(event)) or _INNER_CAPITAL.sub("_", type(event).__name__).lower()
    members = {one.name: getattr(event, one.name) for one in fields(event)}
    scrubbed = {key: value if key == "url" else _scrub(value, secrets) for key, value in members.items()}
    return {"event": name, **scrubbed}


def _scrub(value: object, secrets: Iterable[str]) -> object:
    if isinstance(value, str):
        return redact(plain(value), secrets)
    return [_scrub(one, secrets) for one in value] if isinstance(value, tuple) else value
