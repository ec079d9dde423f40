"""What happens during a login, for whoever wants to know: the console, the JSON lines.

``login`` emits these; it neither prints nor formats. The class name in snake case is the JSON ``event``,
the fields are its members. Both are part of the command line's contract; ``docs/reference.md`` shows the
docstrings of the public ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from hermes_tunnel.text import plain, redact


def _unpublished(default: str = "") -> Any:
    """A member that is for the screen alone, and in no JSON."""
    return field(default=default, metadata={"public": False})


@dataclass(frozen=True)
class Event:
    """Something that happened; ``public`` if it is one of the contract's JSON events, ``detailed`` if it is
    one only with ``-v``.
    """

    public: ClassVar[bool] = True
    detailed: ClassVar[bool] = False


@dataclass(frozen=True)
class Phase(Event):
    """Only with ``-v``: a phase of connecting to a ``hop`` begins (``seconds`` is ``null``) or ended after so
    many seconds.

    ``name`` is ``address``, ``dial``, ``key exchange``, ``host key``, ``authentication`` or ``session``;
    ``detail`` says in words what is about to happen, or what came of it: the address, the key, the method. A
    phase that fails does not end.
    """

    hop: str
    name: str
    seconds: float | None = None
    detail: str = ""
    detailed: ClassVar[bool] = True


@dataclass(frozen=True)
class Connected(Event):
    """The SSH connection is up. ``destination`` is ``user@host``; ``via`` lists the jump hosts, first hop
    first. ``forward`` says it again when it has reconnected.
    """

    destination: str
    via: tuple[str, ...] = ()


@dataclass(frozen=True)
class CommandStarted(Event):
    """The login ``command`` is running on the remote machine, as a person would type it there.

    It comes once more if a start-up file took the terminal, and the command runs without one.
    """

    command: str


@dataclass(frozen=True)
class AuthorizationAsked(Event):
    """The person is invited. ``mode`` is ``loopback``, ``device``, ``paste`` or ``external``.

    The ``url`` is whole, and the only place that shows ``state``: without it, it would not work.
    ``user_code`` is empty unless the mode is ``device``; ``issuer`` is the host of the page; ``again`` is
    true if this invitation replaces the one before; ``title`` is what is signed in to, as people call it;
    ``opens_in`` says what opens the page, and is empty if the person has to.
    """

    mode: str
    url: str = field(repr=False)
    user_code: str = ""
    issuer: str = ""
    again: bool = False
    title: str = _unpublished()
    opens_in: str = _unpublished()


@dataclass(frozen=True)
class PageShown(Event):
    """The command shows a page that nobody vouches for; the person sees it whole, and may have it opened."""

    url: str = field(repr=False)
    public: ClassVar[bool] = False


@dataclass(frozen=True)
class PasteOffered(Event):
    """The person may paste what the browser does not bring: a code, or else the address that it ended on."""

    code: bool
    public: ClassVar[bool] = False


@dataclass(frozen=True)
class Forwarding(Event):
    """The local forward listens on ``port`` at the ``addresses``; the command there waits on
    ``remote_port``.
    """

    port: int
    addresses: tuple[str, ...]
    remote_port: int


@dataclass(frozen=True)
class Browser(Event):
    """Whether a browser was ``opened``; left out with ``--no-browser``."""

    opened: bool


@dataclass(frozen=True)
class Callback(Event):
    """An answer came, and its ``outcome`` is ``delivered``, ``denied``, ``refused`` (by the command) or
    ``undeliverable``.

    The other outcomes are about something that came in its place, once each, and was not delivered: ``stray``
    (the answer to another login), ``unclear_denial`` (an error without a state), ``incomplete`` (no state, or
    no code), ``tls``, ``too_long``, and the right answer that was ``fetched`` (by a script or an image), came
    ``elsewhere`` (another path or host name) or by an ``other_method``. ``error`` is the provider's word for
    a denial (RFC 6749 section 4.1.2.1); ``way`` is ``forward``, ``relay`` or ``prompt``, and empty if nothing
    was delivered; ``pasted`` is true if the person brought the answer, not the browser.
    """

    outcome: str
    error: str = ""
    way: str = ""
    pasted: bool = False


@dataclass(frozen=True)
class Prompt(Event):
    """The command asks something, in its own ``text``, or we need the address that the browser ended on.

    Without a terminal the answer is a line of standard input. ``secret`` means: do not show the answer.
    """

    text: str
    secret: bool


@dataclass(frozen=True)
class DryRun(Event):
    """The ``commands`` that would do it by hand, each a line for a shell."""

    commands: tuple[str, ...]


@dataclass(frozen=True)
class Finished(Event):
    """It is over. ``exit_status`` is that of the run, ``outcome`` the same in a word.

    ``remote_exit_status`` is the command's own: negative if a signal ended it, ``null`` if it did not end by
    itself or there was none. ``message`` and ``hint`` are the two lines of a failure. After a login,
    ``provider`` is what Hermes logged in to, ``account`` as whom (``user@host``), and ``credential`` the file
    there. What does not apply is empty.
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
    """A line that the remote command printed; ``detail`` if only the curious want it."""

    text: str = field(repr=False)
    detail: bool = False
    public: ClassVar[bool] = False


@dataclass(frozen=True)
class SessionLine(RemoteLine):
    """A line that a program in a session printed: for the person, who asked for it, and for no log."""


NO_STATUS = -127
"""A command ended and the server did not say how. 128 minus this is 255, the status of ssh(1) then."""


@dataclass(frozen=True)
class CommandEnded(Event):
    """The remote command ended; negative if a signal ended it, ``NO_STATUS`` if nobody said how."""

    status: int
    public: ClassVar[bool] = False


@dataclass(frozen=True)
class CommandStopped(Event):
    """The remote command had not ended by itself, so it was ended; we saw that it did."""

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
    kind = _NAMES.get(type(event)) or _INNER_CAPITAL.sub("_", type(event).__name__).lower()
    public = [one.name for one in fields(event) if one.metadata.get("public", True)]
    members = {name: getattr(event, name) for name in public}
    scrubbed = {key: value if key == "url" else _scrub(value, secrets) for key, value in members.items()}
    return {"event": kind, **scrubbed}


def _scrub(value: object, secrets: Iterable[str]) -> object:
    if isinstance(value, str):
        return redact(plain(value), secrets)
    return [_scrub(one, secrets) for one in value] if isinstance(value, tuple) else value
