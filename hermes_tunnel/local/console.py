"""The person's terminal. Its rules:

- everything goes to standard error; standard output is for results;
- what the remote said is scrubbed, dimmed and marked at the margin, so that it cannot pass for ours;
- the authorization URL stands whole on a line of its own, never wrapped, never in a box;
- a question says who asks; without a terminal the answer is no, and nothing waits for one;
- nothing moves where standard error is no terminal; no escape sequence is written there or under NO_COLOR.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable
from typing import Any, TextIO

import click

from hermes_tunnel import events
from hermes_tunnel.local.keyboard import Keyboard
from hermes_tunnel.text import plain, redact

_MARGIN = "  | "


class Console:
    """Shows what happens and asks what has to be asked.

    :param stream: standard error
    :param keyboard: standard input
    :param verbosity: -1 quiet, 0 as usual, 1 and more for ``-v``
    :param color: whether styles may be used
    """

    def __init__(self, stream: TextIO, keyboard: Keyboard, *, verbosity: int = 0, color: bool = True) -> None:
        self._stream = stream
        self._keyboard = keyboard
        self._verbosity = verbosity
        self._moves = stream.isatty()
        self._color = color and self._moves
        self._status = ""
        self._question = ""
        self._waited_for = ""
        self._held: list[events.Event] = []
        self._asking: threading.Thread | None = None
        self._pasting = False
        self.secrets: set[str] = set()
        """Values that must not be shown: answers that the person gave."""

    @property
    def is_terminal(self) -> bool:
        """Whether somebody can be asked: both ends are a terminal."""
        return self._keyboard.is_terminal and self._moves

    # -- showing -------------------------------------------------------------------------------------

    def show(self, event: events.Event) -> None:
        """Tell the person, in words.

        An invitation is held back while the command goes on talking, so that it stands last, where it
        is looked for; ``quiet`` says that the talking is over, and so does whatever else happens.
        """
        if isinstance(event, events.AuthorizationAsked) or (self._held and isinstance(event, events.Browser)):
            self._held.append(event)
            return
        if not isinstance(event, events.RemoteLine):
            self.quiet()
        self._tell(event)

    def quiet(self) -> None:
        """The command has nothing more to say for now."""
        held, self._held = self._held, []
        for event in held:
            self._tell(event)

    def _tell(self, event: events.Event) -> None:
        tell = _WORDS.get(type(event))
        if tell is not None:
            tell(self, event)

    def say(self, text: str, **style: Any) -> None:
        """One line of ours."""
        self._clear_status()
        line = self._styled(self.safe(text), **style) + "\n"
        # An open question moves down; what was typed so far still counts, though it is out of sight.
        self._write(f"\n{line}{self._question}" if self._question else line)

    def safe(self, text: str) -> str:
        """The text without escape sequences and secrets."""
        return redact(plain(text), self.secrets)

    def waiting(self, what: str, seconds_left: float | None) -> None:
        """Show, or refresh, what is waited for and the time that is left; None for as long as it takes."""
        self.quiet()
        if self._verbosity < 0 or (self._asking is not None and not self._pasting):
            return
        if not self._moves:
            if what != self._waited_for:
                most = "" if seconds_left is None else f", at most {seconds_left:.0f} s"
                self.say(f"Waiting for {what}{most}.")
            self._waited_for = what
            return
        minutes, seconds = divmod(max(0, round(seconds_left or 0)), 60)
        left = "" if seconds_left is None else f", {minutes}:{seconds:02d} left"
        text = f"Waiting for {what}{left} (Ctrl-C stops)"
        text = text[: shutil.get_terminal_size().columns - 1]  # a line that wraps could not be rewritten
        self._write("\r" + self._styled(text, dim=True) + " " * max(0, len(self._status) - len(text)))
        self._status = text

    def done_waiting(self) -> None:
        """Nothing is waited for any more."""
        self._clear_status()

    # -- asking --------------------------------------------------------------------------------------

    def ask(self, prompt: str, hidden: bool) -> str | None:
        """The person's answer to a question of ssh's; None without a terminal or when they gave up."""
        return self._read(prompt, hidden) if self.is_terminal else None

    def confirm(self, question: str) -> bool:
        """Yes or no, and no without a terminal."""
        if not self.is_terminal:
            return False
        return (self._read(f"{question} [y/N] ", hidden=False) or "").strip().lower() in ("y", "yes")

    def ask_meanwhile(self, prompt: str, hidden: bool, answered: Callable[[str | None], None]) -> None:
        """Ask for one line while other things happen; ``answered`` is called in a thread.

        Without a terminal the line is taken from standard input as it is.
        """
        self.stop_asking()
        read = threading.Thread(
            target=lambda: answered(self._read(prompt, hidden)), name="prompt", daemon=True
        )
        self._asking = read
        read.start()

    def take_pasted(self, take: Callable[[str], str], *, needed: bool, nobody: Callable[[], object]) -> None:
        """Hand over what the person pastes, unseen, while the time that is left is shown.

        :param take: takes a line; why it could not be used, empty where it was; called in a thread
        :param needed: whether nothing happens without it; else it is an offer
        :param nobody: called in a thread where the input has ended
        """
        self.stop_asking()
        if needed:
            self.quiet()
            self.say("The browser cannot come back here by itself: it will end on a page that does not open.")
            self.say("Paste the address of that page here and press Enter; it stays hidden.", bold=True)
        else:
            offer = "If the page shows a code instead of coming back, paste it here and press Enter."
            self._held.append(events.Notice(offer))
        self._pasting = True
        self._asking = threading.Thread(
            target=self._read_pasted, args=(take, nobody), name="paste", daemon=True
        )
        self._asking.start()

    def _read_pasted(self, take: Callable[[str], str], nobody: Callable[[], object]) -> None:
        with contextlib.closing(self._keyboard.read_hidden_lines()) as lines:
            for line in filter(str.strip, lines):
                self.secrets.add(line.strip())
                reason = take(line)
                if not reason:
                    return
                self.say(f"That is not it: {reason}.")
        if not self._keyboard.cancelled:
            nobody()

    def stop_asking(self) -> None:
        """Give up the question that is open, if one is."""
        if self._asking is not None:
            self._keyboard.cancel()
            self._asking.join(1.0)
            self._asking, self._pasting = None, False
            self._keyboard.renew()

    def _read(self, prompt: str, hidden: bool) -> str | None:
        self.quiet()
        *above, question = prompt.split("\n")
        for line in above:
            self.say(line)
        self._clear_status()
        shown = self._styled(self.safe(question), bold=True)
        answer: str | None = None
        try:
            answer = self._keyboard.read_line(hidden=hidden, ready=lambda: self._put(shown))
        finally:
            self._question = ""
            if hidden or answer is None:
                self._write("\n")
        if hidden and answer:
            self.secrets.add(answer)
        return answer

    def _put(self, question: str) -> None:
        self._write(question)
        self._question = question if self._moves else ""

    # -- writing -------------------------------------------------------------------------------------

    def _styled(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self._color and style else text

    def _clear_status(self) -> None:
        if self._status:
            self._write("\r" + " " * len(self._status) + "\r")
            self._status = ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more; the login goes on
            click.echo(text, file=self._stream, nl=False, color=self._color)

    # -- the words -----------------------------------------------------------------------------------

    def _connected(self, event: events.Connected) -> None:
        if self._verbosity >= 0:
            via = f" through {', '.join(event.via)}" if event.via else ""
            self.say(f"Connected to {event.destination}{via}.")

    def _command_started(self, event: events.CommandStarted) -> None:
        if self._verbosity >= 0:
            self.say(f"Running {event.command} there:")

    def _remote_line(self, event: events.RemoteLine) -> None:
        if self._verbosity >= 0 and event.text.strip():
            self.say(_MARGIN + event.text, dim=True)

    def _authorization(self, event: events.AuthorizationAsked) -> None:
        self.say("")
        if event.again:
            self.say("It started over. Close the page that is open and use this one:", bold=True)
        elif event.mode == "device":
            if self._verbosity >= 0:
                self.say("This Hermes logs in by a device code: nothing is forwarded, no tunnel is needed.")
                self.say("")
            self.say(f"Approve the login at {event.issuer}:", bold=True)
        else:
            self.say(f"Sign in at {event.issuer}:", bold=True)
        self._write(f"\n{plain(event.url)}\n\n")
        if event.user_code:
            self.say(f"Code, if the page asks for one: {event.user_code}", bold=True)
        if event.mode == "paste":
            self.say("The page will show a code. Bring it back here.")

    def _forwarding(self, event: events.Forwarding) -> None:
        if self._verbosity >= 0:
            self.say(f"The tunnel is open: port {event.port} here leads to the command there.")
        self._detail(f"It listens on {', '.join(event.addresses)} and delivers to port {event.remote_port}.")

    def _browser(self, event: events.Browser) -> None:
        if self._verbosity >= 0:
            self.say("Opened in your browser." if event.opened else "Open that address in a browser here.")

    def _callback(self, event: events.Callback) -> None:
        if event.outcome == "delivered" and self._verbosity >= 0:
            self.say("The browser came back; its answer was delivered. Hermes is finishing the login ...")
            if event.way == "relay":
                self._detail("The server forwards nothing; a command there passed the answer on.")
            elif event.way == "prompt":
                self._detail(
                    "The server lets nothing through; the answer was typed at the command's own prompt."
                )
        elif event.outcome == "stray":
            self.say("The browser came with the answer to another login, by its state; it was not delivered.")
            self.say("Close older sign-in pages, and use the one that opened last.")
        elif event.outcome == "refused":
            self.say("The browser came back, and the command there did not take its answer.")
        elif event.outcome == "denied":
            self.say(f"The browser came back with a no ({event.error}); it was delivered.")

    def _detail(self, text: str) -> None:
        if self._verbosity > 0:
            self.say(text)

    def _command_ended(self, event: events.CommandEnded) -> None:
        self._detail(f"The command ended with exit status {event.status}.")

    def _notice(self, event: events.Notice) -> None:
        if self._verbosity >= (1 if event.detail else 0):
            self.say(event.text)


_WORDS: dict[type[events.Event], Callable[[Console, Any], None]] = {
    events.Connected: Console._connected,
    events.CommandStarted: Console._command_started,
    events.RemoteLine: Console._remote_line,
    events.AuthorizationAsked: Console._authorization,
    events.Forwarding: Console._forwarding,
    events.Browser: Console._browser,
    events.Callback: Console._callback,
    events.CommandEnded: Console._command_ended,
    events.Notice: Console._notice,
}
