"""What the person is told: the sentences for each event and each question, and how they look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from hermes_tunnel import events
from hermes_tunnel.question import Question
from hermes_tunnel.text import plain, redact

NO_OTHER_TUNNEL = "You can ignore what Hermes says above about an SSH tunnel: it is already open"
# What ends a line (str.splitlines), but for a carriage return, after which the same line is written again.
_LINE_ENDS = re.compile("\r?[\n\v\f\x1c-\x1e\x85\u2028\u2029]")


class Look(Enum):
    """How a line looks."""

    OURS = "as it is"
    STRONG = "bold: the person must not miss it"
    DONE = "behind a check mark, if the terminal has one: something that had to be done is done"
    RESULT = "bold, behind a check mark: what everything was for has been reached"
    WARNING = "behind an exclamation mark: something is not as it should be"
    REMOTE = "behind the margin, so that it cannot pass for ours"
    QR_CODE = "black on white, all its lines at once, never folded"
    ADDRESS = "whole, on a line of its own, never folded and never styled"
    LINK = "such an address that somebody vouches for: it may be clicked"


@dataclass(frozen=True)
class Sentence:
    """One line to be shown."""

    text: str
    look: Look = Look.OURS


def offers(event: events.PasteOffered) -> tuple[str, ...]:
    """The offer to paste something, to stand beside what is waited for; the longest first."""
    if event.code:
        return ("A code on the page instead? Paste it here.", "A code instead? Paste it.")
    return ("A page that does not open? Paste its address here.",)


def waiting(what: str, left: str, beside: Iterable[str] = ()) -> Iterator[str]:
    """What we wait for, with less and less of what might be said about it.

    :param left: the time that is left, after a comma; empty if there is no limit
    :param beside: an offer, in its forms
    """
    yield from (f"Waiting for {what}{left}. {offer} Ctrl-C stops." for offer in beside)
    yield f"Waiting for {what}{left}. Ctrl-C stops."
    yield f"Waiting for {what}{left}"
    yield f"Waiting{left}"


def sentences(event: events.Event, verbosity: int) -> Iterator[Sentence]:
    """The sentences that tell an event.

    :param verbosity: -1 quiet, 0 as usual, 1 and more for ``-v``
    """
    usual, curious = verbosity >= 0, verbosity > 0
    match event:
        case events.Connected() if usual:
            via = f" through {', '.join(event.via)}" if event.via else ""
            yield Sentence(f"Connected to {event.destination}{via}", Look.DONE)
        case events.CommandStarted() if curious:
            yield Sentence(f"Running {event.command} there:")
        case events.RemoteLine() if curious or (usual and not event.detail):
            yield from _quoted(event.text)
        case events.ServerSaid() if usual and (lines := list(_quoted(event.text))):
            yield Sentence(f"{event.who} says:")
            yield from lines
        case events.AuthorizationAsked() | events.PageShown():
            yield from _page(event, usual=usual)
        case events.Forwarding():
            yield from _forwarding(event, usual=usual, curious=curious)
        case events.Browser():
            yield from _browser(event, curious=curious)
        case events.PasteOffered() if usual:
            yield Sentence(_PASTE_THE_CODE if event.code else _PASTE_THE_ADDRESS)
        case events.Callback():
            yield from _callback(event, usual=usual, curious=curious)
        case events.CommandEnded() if curious:
            yield Sentence(f"The command ended{_how(event.status)}")
        case events.Phase() if curious:
            yield from _phase(event)
        case events.Notice() if event.needed or curious or (usual and not event.detail):
            yield Sentence(event.text)


def asking(question: Question, fits: Callable[[str], bool]) -> Iterator[Sentence]:
    """The sentences that ask a question; the answer is typed behind the last one.

    A prompt of a server's, or of a command there, stands beside its name if it fits on that line. If not, it
    goes behind the margin, so that no part of it begins a line.

    :param fits: whether a text fits on one line
    """
    hidden = _HIDDEN if question.hidden else ""
    for line in question.above:
        yield Sentence(line)
    if not question.whose:
        yield Sentence(question.text + hidden, Look.STRONG)
        return
    said = [line for text in question.said for line in _quoted(text)]
    words = list(_quoted(question.text))
    last = f"({question.whose}) {words[0].text if words else ''}"
    if len(words) != 1 or not fits(last + hidden):
        said += words
        last = f"({question.whose}) Your answer:"
    if said:
        yield Sentence(f"{question.whose} says:")
    yield from said
    yield Sentence(last + hidden, Look.STRONG)


def _quoted(text: str) -> Iterator[Sentence]:
    """The remote's lines, as a terminal shows them: what follows a carriage return replaces the rest."""
    for line in _LINE_ENDS.split(text):
        shown = plain(line.rstrip("\r").rpartition("\r")[2])
        if shown.strip():
            yield Sentence(shown, Look.REMOTE)


def _page(event: events.AuthorizationAsked | events.PageShown, *, usual: bool) -> Iterator[Sentence]:
    if isinstance(event, events.AuthorizationAsked):
        yield from _invitation(event, usual=usual)
    else:
        yield from (Sentence(""), Sentence(redact(event.url), Look.ADDRESS), Sentence(""))


def _invitation(event: events.AuthorizationAsked, *, usual: bool) -> Iterator[Sentence]:
    by_device = event.mode == "device"
    if by_device and usual and not event.again:
        yield Sentence("This login needs no tunnel: it uses a device code", Look.DONE)
    yield Sentence("")
    if event.again:
        yield Sentence("It started over. Close the page that is open, and use this one:", Look.STRONG)
    else:
        where = (
            f"The page opens in {event.opens_in}; its address is:"
            if event.opens_in
            else "Open this address in a browser on this machine:"
        )
        yield Sentence(f"Sign in to {event.title or event.issuer}. {where}", Look.STRONG)
    yield Sentence("")
    yield Sentence(event.url, Look.LINK)
    yield Sentence("")
    if event.user_code:
        asked = event.user_code in event.url
        says = "Your code, if the page asks" if asked else "Enter this code on the page"
        yield Sentence(f"{says}: {event.user_code}", Look.STRONG)
    if event.mode == "paste":
        yield Sentence("The page will show a code. Paste it here when you are asked for it.")


def _browser(event: events.Browser, *, curious: bool) -> Iterator[Sentence]:
    if not event.opened:
        yield Sentence("Open that address yourself, in a browser on this machine", Look.WARNING)
    elif curious:
        yield Sentence("The page was opened in your browser")


def _how(status: int) -> str:
    if status == events.NO_STATUS:
        return "; the server did not say how"
    return f" with exit status {status}" if status >= 0 else f" by signal {-status}"


def _forwarding(event: events.Forwarding, *, usual: bool, curious: bool) -> Iterator[Sentence]:
    if usual:
        yield Sentence(f"The tunnel is open: port {event.port} here leads to Hermes there", Look.DONE)
    if curious:
        where = ", ".join(event.addresses)
        yield Sentence(f"It listens on {where} and delivers to port {event.remote_port}")


def _phase(event: events.Phase) -> Iterator[Sentence]:
    """A phase of a hop is told when it has ended; that it dials, before, for that may take its time."""
    if event.seconds is None:
        if event.name == "dial":
            yield Sentence(f"Connecting to {event.hop} at {event.detail}")
        return
    what = {
        "address": f"Found {event.hop} at {event.detail}",
        "dial": f"Reached {event.hop}" + (f" at {event.detail}" if event.detail else ""),
        "key exchange": f"Exchanged keys with {event.hop}: {event.detail}",
        "host key": f"Accepted the host key of {event.hop}: {event.detail}",
        "authentication": f"Authenticated to {event.hop} by {event.detail}",
        "session": f"Opened a session on {event.hop}",
    }[event.name]
    yield Sentence(f"{what} ({event.seconds:.2f} s)")


_WAYS = {
    "relay": "The server forwards nothing; a command there passed the answer on.",
    "prompt": "The server lets nothing through; the answer was typed at the command's own prompt.",
}


_PASTE_THE_CODE = (
    "If the page shows a code instead of coming back, paste it here and press Enter; it stays hidden"
)
_PASTE_THE_ADDRESS = (
    "If the browser ends on a page that does not open, paste its address here and press Enter; "
    "it stays hidden"
)
_HIDDEN = " (hidden)"  # behind the prompt: what is typed will not be seen
_AMISS = {
    "stray": "The browser brought the answer to another login (its state differs), so it was not delivered. "
    "Close older sign-in pages, and use the one that opened last.",
    "incomplete": "The browser came back without a state, or without a code, so nothing was delivered.",
    "tls": "The browser tried https at the callback's port, which speaks http. Does an extension or a policy "
    "turn every address into https?",
    "too_long": "The browser sent more than a callback can be, so it was not read. Delete its cookies of "
    "127.0.0.1 and localhost.",
    "fetched": "The right answer came, but a script or an image brought it, not the page itself, so it was "
    "not delivered.",
    "elsewhere": "The right answer came, but to another address on this port, so it was not delivered.",
    "other_method": "The browser brought an answer, but not by GET, so it was not delivered.",
}


def _callback(event: events.Callback, *, usual: bool, curious: bool) -> Iterator[Sentence]:
    match event.outcome:
        case "delivered" if usual:
            came = "The answer was delivered" if event.pasted else "The browser came back"
            yield Sentence(f"{came}; Hermes is finishing the login", Look.DONE)
            if curious and event.way in _WAYS:
                yield Sentence(_WAYS[event.way])
        case "unclear_denial":
            yield Sentence(
                f"The browser came back with a no ({event.error}) that does not say which login it is for, "
                "so it was not delivered. If you declined this one, press Ctrl-C.",
                Look.WARNING,
            )
        case outcome if outcome in _AMISS:
            yield Sentence(_AMISS[outcome], Look.WARNING)
        case "refused":
            yield Sentence("The answer came, but the command there did not take it", Look.WARNING)
        case "denied" if curious:  # it ends the run, which says so
            came = "The answer is" if event.pasted else "The browser came back with"
            yield Sentence(f"{came} a no ({event.error}); it was delivered")
        case "undeliverable" if usual:
            yield Sentence("The answer came, but could not be delivered", Look.WARNING)
