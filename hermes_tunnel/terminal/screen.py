"""What the person sees. Its rules:

- everything goes to standard error; standard output is for results;
- what the remote said is scrubbed, dimmed and marked at the margin, so that it cannot pass for ours;
- the authorization URL stands whole on a line of its own, never wrapped, never in a box;
- nothing moves where standard error is no terminal; no escape sequence is written there or under NO_COLOR.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections import deque
from typing import Any, TextIO

import click

from hermes_tunnel import events
from hermes_tunnel.errors import ExitStatus
from hermes_tunnel.terminal.mode import in_foreground
from hermes_tunnel.terminal.words import NO_OTHER_TUNNEL, Look, Sentence, sentences, tunnel_advised
from hermes_tunnel.text import plain, redact, wrapped

_MARGIN = "  | "
_STYLES: dict[Look, dict[str, Any]] = {Look.STRONG: {"bold": True}, Look.REMOTE: {"dim": True}}
_USUAL_COLUMNS = 80
_FEWEST_COLUMNS = 12  # in less, a margin and a word do not fit
_LAST_LINES = 8


class Screen:
    """Shows what happens.

    :param stream: standard error
    :param verbosity: -1 quiet, 0 as usual, 1 and more for ``-v``
    :param color: whether styles may be used
    :param moves: whether a line may be rewritten, where the stream is a terminal
    """

    def __init__(self, stream: TextIO, *, verbosity: int = 0, color: bool = True, moves: bool = True) -> None:
        self._stream = stream
        self._verbosity = verbosity
        self._is_seen = stream.isatty()
        self._moves = moves and self._is_seen
        self._color = color and self._is_seen
        self._status = ""
        self._question = ""
        self._waited_for = ""
        self._held: list[events.Event] = []
        self._unseen: deque[str] = deque(maxlen=_LAST_LINES)
        self._advised: int | None = None
        self._forwarded: int | None = None
        self.secrets: set[str] = set()
        """Values that must not be shown: answers that the person gave."""

    def show(self, event: events.Event) -> None:
        """Tell the person, in words.

        An invitation, and that the tunnel is open for it, is held back while the command goes on talking,
        so that it stands last, where it is looked for; ``quiet`` says that the talking is over, and so does
        whatever else happens.
        """
        invites = isinstance(event, events.Forwarding | events.AuthorizationAsked)
        if invites or (self._held and isinstance(event, events.Browser)):
            self._held.append(event)
            return
        if isinstance(event, events.RemoteLine):
            self._advised = tunnel_advised(event.text) or self._advised
            self._unseen.append(event.text)
        else:
            self.quiet()
        if isinstance(event, events.Finished):
            self._tell_unseen(event)
        self._tell(event)

    def quiet(self) -> None:
        """The command has nothing more to say for now."""
        held, self._held = self._held, []
        self._need_no_other_tunnel()
        for event in held:
            self._tell(event)
            if isinstance(event, events.Forwarding):
                self._forwarded = event.port
                self._need_no_other_tunnel()

    def _need_no_other_tunnel(self) -> None:
        """Who read the advice to open one has to know that it is open."""
        if self._advised is not None and self._advised == self._forwarded:
            self._advised = None
            self._tell(events.Notice(NO_OTHER_TUNNEL))

    def _tell_unseen(self, finished: events.Finished) -> None:
        """What the command said last, where that was not shown and the end is bad: its reason is there."""
        if self._verbosity < 0 and finished.exit_status in {*ExitStatus} - {ExitStatus.OK}:
            for line in filter(str.strip, self._unseen):
                self._show(Sentence(line, Look.REMOTE))
        self._unseen.clear()

    def _tell(self, event: events.Event) -> None:
        for sentence in sentences(event, self._verbosity):
            self._show(sentence)

    def say(self, text: str, *, bold: bool = False) -> None:
        """One sentence of ours; on a terminal, in as many lines as it takes."""
        self._show(Sentence(text, Look.STRONG if bold else Look.OURS))

    def _show(self, sentence: Sentence) -> None:
        self._clear_status()
        style = _STYLES.get(sentence.look, {})
        lines = "".join(self._styled(line, **style) + "\n" for line in self._lines(sentence))
        if not self._question:
            self._write(lines)
        elif self._moves:  # it moves down; what was typed so far still counts, though it is out of sight
            self._write(f"\n{lines}{self._question}")
        else:
            self._write(f"\n{lines}")
            self._question = ""

    def _lines(self, sentence: Sentence) -> list[str]:
        """In lines that the window does not wrap; the margin stands before each of the remote's."""
        if sentence.look is Look.ADDRESS:
            return [plain(sentence.text)]
        remote = sentence.look is Look.REMOTE
        margin, text = _MARGIN if remote else "", self.safe(sentence.text)
        encoding = self._stream.encoding or "utf-8"  # what it lacks is escaped, and longer for that
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        lines = [text]
        if columns := self._columns:
            lines = wrapped(text, max(columns, _FEWEST_COLUMNS) - len(margin), cut=remote)
        return [margin + line for line in lines]

    @property
    def _is_ours(self) -> bool:
        """Whether the line that is rewritten is not the shell's, as it is for a job in the background."""
        return not self._is_seen or in_foreground(self._stream.fileno())

    @property
    def _columns(self) -> int:
        """The width of the window, which may change at any time; 0 where there is none, or nobody knows."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            return 0

    def safe(self, text: str) -> str:
        """The text without escape sequences and secrets."""
        return redact(plain(text), self.secrets)

    def waiting(self, what: str, seconds_left: float | None) -> None:
        """Show, or refresh, what is waited for and the time that is left; None for as long as it takes."""
        self.quiet()
        if self._verbosity < 0:
            return
        if not (self._moves and self._is_ours):
            if what != self._waited_for:
                most = "" if seconds_left is None else f", at most {math.ceil(seconds_left)} s"
                self.say(f"Waiting for {what}{most}.")
            self._waited_for = what
            return
        minutes, seconds = divmod(max(0, round(seconds_left or 0)), 60)
        left = "" if seconds_left is None else f", {minutes}:{seconds:02d} left"
        full = f"Waiting for {what}{left} (Ctrl-C stops)"
        room = self._room
        text = next(
            (one for one in (full, f"Waiting for {what}{left}") if len(one) <= room), f"Waiting{left}"
        )
        blanks = " " * (min(len(self._status), room) - len(text))
        self._write("\r" + self._styled(text[:room], dim=True) + blanks)
        self._status = text

    @property
    def _room(self) -> int:
        """For the line that is rewritten: one that wraps could not be."""
        return (self._columns or _USUAL_COLUMNS) - 1

    def done_waiting(self) -> None:
        """Nothing is waited for any more."""
        self._clear_status()

    def _styled(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self._color and style else text

    def _clear_status(self) -> None:
        if self._status and self._is_ours:
            self._write("\r" + " " * min(len(self._status), self._room) + "\r")
        self._status = ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more; the login goes on
            click.echo(text, file=self._stream, nl=False, color=self._color)
