"""What a login command can say, read from its output."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Begun:
    """The begin marker: the shell's own noise is over, and the command starts.

    ``words`` are what the marker carries: the remote user, the home, and the program it found.
    """

    words: tuple[str, ...]


@dataclass(frozen=True)
class Remark:
    """What our script says of the program that it found, in words.

    The first is ``home``: a variable of the person's own shell names another home than the command would
    have had; ``alias``: that shell has an alias or a function of the program's name; or ``wrapper``: the
    program is a script that hands over to another one.
    """

    words: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """A complete line; ``told`` if we tell the person what it says in another form."""

    text: str = field(repr=False)
    told: bool = False


@dataclass(frozen=True)
class AuthorizationRequest:
    """A URL that asks for authorization (RFC 6749 section 4.1.1), not yet judged."""

    url: str = field(repr=False)


@dataclass(frozen=True)
class PageShown:
    """An https page that the command shows to be opened, before it waits; not a request that we recognise."""

    url: str = field(repr=False)


@dataclass(frozen=True)
class Listening:
    """The port where the remote says it is waiting for the callback."""

    port: int


@dataclass(frozen=True)
class PasteOffered:
    """The command offers to take the browser's address, or a code, at its own prompt."""


@dataclass(frozen=True)
class DeviceAuthorization:
    """A verification page and the code to enter there (RFC 8628 section 3.2), not yet judged."""

    verification_uri: str = field(repr=False)
    user_code: str


@dataclass(frozen=True)
class Prompt:
    """An unfinished line that stays: the command waits for an answer.

    ``taken``: or the command never began, because another program, such as a shell, has taken its terminal.
    """

    text: str
    taken: bool = False


@dataclass(frozen=True)
class Withdrawn:
    """The line of a prompt went on: it was answered, or it was not a prompt."""


@dataclass(frozen=True)
class Success:
    """A line that reports success."""


@dataclass(frozen=True)
class FailureMark:
    """A line that begins with the mark of failure; some releases exit 0 all the same."""

    text: str


Said = (
    Begun
    | Remark
    | Line
    | AuthorizationRequest
    | PageShown
    | Listening
    | PasteOffered
    | DeviceAuthorization
    | Prompt
    | Withdrawn
    | Success
    | FailureMark
)
