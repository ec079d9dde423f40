"""How sentences are laid out: in any window, in any encoding, with weight where they have some."""

from __future__ import annotations

import pytest

from hermes_tunnel import events
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.ports.holding import posix
from tests.terminal.consoles import EVENTS, URL, on, without_terminal
from tests.terminal.pseudo_terminal import Terminal

PATH = "/home/" + "y" * 100


@posix
@pytest.mark.parametrize(("encoding", "symbol"), [("utf-8", "\u2713 "), ("ascii", ""), ("latin-1", "")])
def test_a_check_mark_stands_where_the_terminal_has_one(pty: Terminal, encoding: str, symbol: str) -> None:
    """Elsewhere, and without a terminal, the words stand alone."""
    pty.writer.reconfigure(encoding=encoding)  # type: ignore[attr-defined]
    console, connected = on(pty), events.Connected("me@host")
    console.show(connected)
    assert pty.shown() == f"{symbol}Connected to me@host\r\n"
    console, stream = without_terminal()
    console.show(connected)
    assert stream.getvalue() == "Connected to me@host\n"


@posix
def test_a_result_has_weight(pty: Terminal) -> None:
    """It is bold behind its check mark; what else is known stands below, as it is."""
    on(pty, color=True).conclude("Logged in", "Credential: a.json")
    bold, mark = "\x1b[1m", "\x1b[32m\x1b[1m\u2713\x1b[0m"
    assert pty.shown() == f"{mark}{bold} Logged in\x1b[0m\r\n  Credential: a.json\r\n"


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_what_the_remote_says_stays_behind_its_margin(pty: Terminal, columns: int) -> None:
    """However long a line is, the window never wraps it to where only we write, and nothing of it is lost."""
    pty.resize(columns)
    console = on(pty)
    line = "Docs: " + "x" * 300 + " \N{CJK UNIFIED IDEOGRAPH-4E2D}" * 60 + " end"
    console.show(events.RemoteLine(line))
    console.quiet()
    rows = pty.shown().splitlines()
    assert all(row.startswith("  | ") for row in rows)
    assert all(len(row) + row.count("\N{CJK UNIFIED IDEOGRAPH-4E2D}") <= columns for row in rows)
    assert "".join(row[4:] for row in rows).replace(" ", "") == line.replace(" ", "")


def test_our_sentences_fit_the_window_and_the_address_stays_whole(pty: Terminal) -> None:
    """They break between words, and within a word that may be the remote's; the address never breaks."""
    pty.resize(80)
    console = on(pty, verbosity=2)
    for event in EVENTS:
        console.show(event)
    console.say(f"The credential is in {PATH}, as it has been seen to be there.")
    rows = pty.shown().splitlines()
    assert {row for row in rows if len(row) > 80} == {URL}
    assert PATH in "".join(row.removeprefix("  ") for row in rows)
    assert rows[-2:] == [f"  {PATH[:78]}", f"  {PATH[78:]}, as it has been seen to be there."]
    assert rows.count(URL) == 3


@posix
def test_url_is_whole(pty: Terminal) -> None:
    """The authorization URL stands on a line of its own, whole, unstyled and with its state."""
    console = on(pty, color=True)
    console.show(events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"))
    console.quiet()
    assert URL in pty.shown().split("\r\n")


@posix
@pytest.mark.parametrize(("color", "links"), [(True, True), (True, False), (False, True)])
def test_the_address_is_a_link_where_the_terminal_has_them(pty: Terminal, color: bool, links: bool) -> None:
    """Only that of a page that was judged, and nothing that the remote says; under NO_COLOR there is none."""
    console = Console(pty.writer, Keyboard(pty.reader), color=color, links=links)
    console.show(events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"))
    console.show(events.PageShown(URL))
    console.show(events.RemoteLine(f"\x1b]8;;{URL}\x1b\\here\x1b]8;;\x1b\\"))
    console.quiet()
    shown = pty.shown()
    linked = f"\x1b]8;;{URL}\x1b\\{URL}\x1b]8;;\x1b\\"
    assert shown.count("\x1b]8;;") == (2 if color and links else 0)
    assert (linked in shown.split("\r\n")) == (color and links)
    assert URL in shown.split("\r\n")
