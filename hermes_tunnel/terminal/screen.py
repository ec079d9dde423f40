"""What the person sees. Its rules:

- everything goes to standard error; standard output is for results;
- what the remote said is scrubbed, dimmed and kept behind a margin, so that it cannot pass for ours; a
  sentence of ours that quotes it is indented from its second line on;
- the authorization URL stands on a line of its own, whole: never folded, never in a box;
- nothing moves if standard error is no terminal; no escape sequence is written there or under NO_COLOR;
- the only sequences beside styles offer the terminal's clipboard a user code, encoded, if that is wanted, and
  make a link of an address that we have judged, on terminals that have links.
"""

from __future__ import annotations

import contextlib
import math
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

import click

from hermes_tunnel import events
from hermes_tunnel.errors import ExitStatus
from hermes_tunnel.terminal.layout import Layout
from hermes_tunnel.terminal.status_line import StatusLine
from hermes_tunnel.terminal.talk import Talk
from hermes_tunnel.terminal.words import NO_OTHER_TUNNEL, Look, Sentence, offers, sentences, waiting
from hermes_tunnel.text import one_line, redact

_AROUND_THE_END = (events.RemoteLine, events.CommandEnded, events.CommandStopped, events.Finished)


@dataclass
class _Run:
    """One run of the command, as far as the person was told of it.

    :param beside: what the person may paste, in words to stand beside what is waited for
    :param forwarded: the port that is forwarded
    :param waited_for: what the person was last told to wait for
    """

    talk: Talk
    beside: tuple[str, ...] = ()
    forwarded: int | None = None
    waited_for: str = ""


@dataclass
class Standing:
    """A question on the screen. The reading thread writes nothing there, but notes here that it was answered.

    :param prompt: as it is shown
    :param ends_a_line: whether the cursor is at the beginning of a new line
    """

    prompt: str = ""
    answered: bool = False
    ends_a_line: bool = False


class Screen:
    """Shows what happens. For one thread only.

    :param stream: standard error
    :param verbosity: -1 quiet, 0 as usual, 1 and more for ``-v``
    :param color: whether to use styles, if the stream is a terminal
    :param moves: whether a line may be rewritten, if the stream is a terminal
    :param links: whether an address may be a link (OSC 8), where styles may be used
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        verbosity: int = 0,
        color: bool = True,
        moves: bool = True,
        links: bool = False,
    ) -> None:
        self._stream = stream
        self._verbosity = verbosity
        self._is_seen = stream.isatty()
        self._moves = moves and self._is_seen
        self._color = color and self._is_seen
        self._layout = Layout(stream, color=self._color, links=links and self._color)
        self._status = StatusLine(stream, self._layout, self._write, moves=self._moves)
        self._question: Standing | None = None
        self._speaker = ""
        self._together: list[str] | None = None
        self._run = self._new_run()
        self.log: Callable[[str], object] | None = None
        """Takes each line that ``-v`` would show, whatever is shown; may raise ``OSError``."""

    @property
    def secrets(self) -> set[str]:
        """Values that must not be shown, such as the person's hidden answers."""
        return self._layout.secrets

    @property
    def is_curious(self) -> bool:
        """Whether the person wants to know it all (``-v``)."""
        return self._verbosity > 0

    @property
    def is_quiet(self) -> bool:
        """Whether they want to know only what they need (``-q``)."""
        return self._verbosity < 0

    def show(self, event: events.Event) -> None:
        """Tell the person what happened, at once; a line of the command's, when it is not its last."""
        if isinstance(event, events.SessionLine):
            self._tell(event)
            return
        if isinstance(event, events.Connected):
            self._run = self._new_run()
        if not isinstance(event, _AROUND_THE_END):
            self.quiet()
        if self.log is not None:
            for sentence in sentences(event, max(self._verbosity, 1)):
                self.note(sentence.text)
        if isinstance(event, events.RemoteLine):
            self._run.talk.hear(event.text, detail=event.detail)
            return
        if isinstance(event, events.Callback):
            self._run.talk.denied = event.outcome == "denied"
        if isinstance(event, events.AuthorizationAsked):
            self._run.beside = ()
        if isinstance(event, events.Finished):
            self._tell_unseen(event)
        if isinstance(event, events.PasteOffered) and self._takes_offer(event):
            return
        self._tell(event)
        if isinstance(event, events.QrCode):
            self._show_qr_code(event.url)
        if isinstance(event, events.Forwarding):
            self._run.forwarded = event.port
            self.quiet()

    def _new_run(self) -> _Run:
        return _Run(Talk(lambda line: self._tell(events.RemoteLine(line)), all_at_once=self.is_curious))

    def _takes_offer(self, offer: events.PasteOffered) -> bool:
        """Whether an offer will stand beside what is waited for: if the window has room for it."""
        beside = next(waiting("your browser", ", 59:59 left", offers(offer)[-1:]))
        if self._verbosity < 0 or not self._moves or len(beside) > self._layout.room:
            return False
        self._run.beside = offers(offer)
        return True

    def quiet(self) -> None:
        """The command has finished talking for now. If it asked for an SSH tunnel, the person is told that
        there is one.
        """
        self._run.talk.pause()
        if self._run.talk.asked_for_tunnel(self._run.forwarded):
            self.note(NO_OTHER_TUNNEL)
            self._tell(events.Notice(NO_OTHER_TUNNEL))

    def _tell_unseen(self, finished: events.Finished) -> None:
        """After a failure, show the command's last lines if they were not shown."""

        def quoted(line: str) -> bool:
            return self.safe(line.strip().rstrip(".")).rpartition("Error: ")[2] in finished.message

        lines = self._run.talk.end(quoted)
        if self._verbosity < 0 and finished.exit_status in {*ExitStatus} - {ExitStatus.OK}:
            for line in lines:
                self._show(Sentence(line, Look.REMOTE))

    def _tell(self, event: events.Event) -> None:
        speaker = event.who if isinstance(event, events.ServerSaid) else ""
        goes_on = speaker and speaker == self._speaker
        for sentence in list(sentences(event, self._verbosity))[1 if goes_on else 0 :]:
            self._show(sentence)
            self._speaker = speaker

    def _show_qr_code(self, address: str) -> None:
        """Show a QR code on a terminal, if it is wide enough."""
        if not self._is_seen:
            return
        from hermes_tunnel.terminal.qr import BLOCKS, rows

        code = rows(address, blocks=self._layout.shown(BLOCKS) == BLOCKS, inverted=not self._color)
        if len(code[0]) > self._layout.room:
            self.say(f"The QR code needs a window of more than {len(code[0])} columns.")
        else:
            self._show(Sentence("\n".join(code), Look.QR_CODE))

    def say(self, text: str) -> None:
        """Tell one sentence of ours. It may quote others: it is scrubbed, and folded on a terminal."""
        self.note(text)
        self._show(Sentence(text, Look.OURS))

    def conclude(self, result: str, more: str = "") -> None:
        """Tell what has been reached, so that it cannot be missed.

        :param more: what else is known of it; on a line of its own, for it may be long
        """
        self._show(Sentence(result, Look.RESULT))
        if more:
            self._show(Sentence(f"  {more}"))

    def note(self, text: str) -> None:
        """Put a line into the log, if there is one: scrubbed, and whole; no address is opened from there."""
        log = self.log
        if log is None or not (line := redact(one_line(text), self.secrets, to_open=False)).strip():
            return
        try:
            log(line)
        except OSError as problem:  # the login is more important than its log
            self.log = None
            self.say(f"The log file cannot be written any more: {problem.strerror}.")

    def _show(self, sentence: Sentence) -> None:
        self._settle()
        self._status.clear()
        self._speaker = ""
        lines = self._layout.text(sentence) + "\n"
        question = self._question
        if question is None or question.ends_a_line:
            self._write(lines)
        elif self._moves:  # the prompt moves down; what was typed so far counts, though it is out of sight
            self._write(f"\n{lines}{question.prompt}")
        else:
            self._write(f"\n{lines}")
            question.ends_a_line = True

    def _settle(self) -> None:
        """End the line of a question that has been answered meanwhile."""
        if self._question is not None and self._question.answered:
            self._drop_question()

    def _drop_question(self) -> None:
        question, self._question = self._question, None
        if question is not None and not question.ends_a_line:
            self._write("\n")

    def safe(self, text: str) -> str:
        """The text as one line, without escape sequences and secrets."""
        return self._layout.safe(text)

    def waiting(self, what: str, seconds_left: float | None, *, briefly: bool = False) -> None:
        """Show, or refresh, what we are waiting for, unless a question is open.

        :param what: in words that follow "Waiting for"
        :param seconds_left: None if there is no limit
        :param briefly: whether it is not worth a line that stays
        """
        if not briefly:
            self.quiet()
        self._settle()
        if self._verbosity < 0 or self._question is not None:
            return
        if self._status.is_ours:
            self._status.show(what, seconds_left, self._run.beside)
        elif not briefly:
            if what != self._run.waited_for:
                most = "" if seconds_left is None else f", at most {math.ceil(seconds_left)} s"
                self.say(f"Waiting for {what}{most}")
            self._run.waited_for = what

    def to_clipboard(self, text: str) -> bool:
        """Offer a text to the terminal's own clipboard (OSC 52), from where it may also come through ssh.

        Encoded in base64, it can hold no sequence of its own. No terminal says whether it took it.

        :return: whether it was offered: only to a terminal, and not under NO_COLOR
        """
        if self._color:
            self._write(f"\x1b]52;c;{b64encode(text.encode()).decode()}\x07")
        return self._color

    def done_waiting(self) -> None:
        """We are not waiting any more."""
        self._status.clear()

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Write all that is shown inside when it is over: a write for each of many lines takes long."""
        self._together = []
        try:
            yield
        finally:
            written, self._together = self._together, None
            if written:
                self._write("".join(written))

    def _write(self, text: str) -> None:
        if self._together is not None:
            self._together.append(text)
            return
        with contextlib.suppress(OSError):  # nobody reads it any more, but the login goes on
            click.echo(text, file=self._stream, nl=False, color=self._color)
