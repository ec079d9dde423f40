"""Every function that reads text from elsewhere takes time in proportion to it, whoever wrote it.

The text comes from a remote machine, a browser, a server or a file, or the person pastes it. It may come
a byte at a time.
"""

from __future__ import annotations

import ast
import contextlib
import heapq
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hermes_tunnel
from hermes_tunnel import events
from hermes_tunnel.oauth.answer import Answer
from hermes_tunnel.oauth.authorization import LONGEST_URL, Policy, Redirect, assess_authorization
from hermes_tunnel.oauth.callback import LONGEST_HEAD, Expected, judge
from hermes_tunnel.oauth.codes import codes_in
from hermes_tunnel.oauth.form_post import judge_form
from hermes_tunnel.oauth.last_words import LastWords
from hermes_tunnel.oauth.no_start import container_in
from hermes_tunnel.oauth.opening import host_to_open
from hermes_tunnel.oauth.pasted import judge_pasted, pasted_address
from hermes_tunnel.oauth.rebuilding import rebuilt
from hermes_tunnel.oauth.sightings import Sightings
from hermes_tunnel.oauth.success_page import next_request
from hermes_tunnel.oauth.transcript import LONGEST_LINE, Transcript
from hermes_tunnel.remote.landing import landed
from hermes_tunnel.remote.listeners import read_listeners
from hermes_tunnel.remote.pseudo_terminal import PseudoTerminal
from hermes_tunnel.ssh.authentication.agent import Agent, AgentProblem
from hermes_tunnel.ssh.authentication.agent_socket import LARGEST
from hermes_tunnel.ssh.authentication.keys import _openssh_public_blob
from hermes_tunnel.ssh.config.files import Reading
from hermes_tunnel.ssh.config.patterns import in_list
from hermes_tunnel.ssh.config.target import parse_hop, parse_jumps
from hermes_tunnel.ssh.config.tokens import Tokens
from hermes_tunnel.ssh.hostkeys.known_hosts import KnownHosts
from hermes_tunnel.ssh.public_key import parse_public_line, whole_type
from hermes_tunnel.ssh.wire import packed
from hermes_tunnel.terminal.editing import edit
from hermes_tunnel.terminal.screen import Screen
from hermes_tunnel.terminal.windows_console import read_line
from hermes_tunnel.text import folded, narrowed, one_line, plain, quote, redact
from hermes_tunnel.watching.lines import Lines
from hermes_tunnel.watching.screen import Screen as WatchedScreen
from hermes_tunnel.way_back.gate import Gate
from tests.growth import Call, best, seconds, too_slow
from tests.pumps import PALETTE, UNFIT, Pump

pytestmark = pytest.mark.slow

LONG = 100 * 1024
MARKER = "hermes-tunnel:0123:"
REDIRECT = Redirect("127.0.0.1", 56121, "/callback")
EXPECTED = Expected(REDIRECT, "s")
CALLBACK = rebuilt("/callback", "code=a&state=b", REDIRECT)
GET = "GET /callback?state=s&code=abcd HTTP/1.1\r\nHost: 127.0.0.1:56121\r\n"
SECRETS = {"hunter22", "aaaaaaab", "[hidden", *(f"secret-{number}" for number in range(8))}
TOKENS = Tokens("host", "host.example", 22, "me", environment={})
ARMOUR = "-----BEGIN OPENSSH PRIVATE KEY-----"

PIECES = {
    "": (
        *PALETTE,
        *("\x1b]", "\x1b[", "\x1b]0;\x1b", "\x9b0;", "\u0301\u0323", "\r\n", "a\n", "a\n\n", "\x80"),
        *("a:", "a=", "a ", "a.", " a", "\\a", "a\\", '\\"', "a@", "a;", "a,", "aaaa-", "a://", "[]:", "%41"),
        *('"code"', '"code":"', '"code": ', '"code\\', "code=", "code=.", "code=`.", "code%3D", "%3Fcode="),
        *("Bearer ", "code ", "code:", "paste ", "paste here", "Added a ", "ssh ", "ssh -L ", "ssh -L 1:"),
        *("https://", "https:", "https://a?state=b ", "state=", "state%3D", "Error:", "a.b"),
        *("waiting for ", "${", "%h", "%%", "%C", "*a", "?*", "!*,", "&a=", ARMOUR),
    ),
    '"code": "': ("\\a", "\\", '\\"', "a", "'", "\\\\\\'"),
    '"code": \\"': ("\\a", "\\", '\\"', "a", '"', '\\\\"', "\\'"),
    "\\" * 400 + '"code": ' + "\\" * 400 + '"': ("\\", "\\" * 399 + "a", "\\" * 401 + '"'),
    "\x1b]": ("a", "\x1b", "\x1b]", "\x1b "),
    "https://": ("a", "a.", "\u0301\u0323", "[", ":", "@", "%", "?", "\u2488"),
    "https://a.b/?client_id=c&redirect_uri=http://127.0.0.1:": ("0", "%31", "&a=b"),
    "http://127.0.0.1:": ("0", "9", "\u0301\u0323"),
    "http://127.0.0.1:56121/callback?": ("a", "&", "a=b&", "%", "&code=a&state=s"),
}
TEXTS = [Pump(head, piece, UNFIT) for head, pieces in PIECES.items() for piece in pieces]
WORDS = [
    Pump(head, piece, "")
    for head in ("", "a" * 40, " " * 40)
    for piece in (
        "a",
        " ",
        "a ",
        "a" * 20 + " ",
        "\u6f22",
        "\u0301",
        "\u0301 ",
        "\n",
        "\ra",
        "\t",
        "ssh -L 1:",
    )
]
DRAWN = [Pump("", piece, "") for piece in ("\u2500" * 8 + "a", " " * 8 + "\u2502", "_" * 8, "-" * 7 + " ")]
SEEN = [
    Pump(head, piece, "")
    for head in ("", "https://a.b/")
    for piece in ("\u2502", "| ", "|a", "https://a ", "https://a|", "code: ", "code ABCD-EFGH ", "ABCD-")
]
KEYS = [
    Pump("", keys, "")
    for keys in ("a", "\u6f22", "\x7f", "\b", "a\x7f", "aa\b", "\x15", "\n", "\n\x7f", "\x04")
]
NAMES = [
    Pump("", piece, "") for piece in ("a", ".", "*", "?", "*a", "?*", "a,", "!*,", "%h", "%%", "\u0301\u0323")
]
LOOKS = [Pump("", f"{MARKER}landed:{look}\n", "") for look in ("", "absent:a", "a:600:1,2,3:/a")]
NUMBERS = [Pump("", digits, end) for digits in ("0", "1", "1s", "00s", "11 ") for end in ("", "x")]
ANSWERS = [Pump("", f"HTTP/1.1 {code} a\r\n{end}", "") for code in (100, 103, 9) for end in ("", "\r\n")]


def answered(data: bytes) -> None:
    """An answer that comes a byte at a time."""
    answer = Answer()
    for at in range(len(data)):
        answer.receive(data[at : at + 1])


def in_bytes(function: Callable[[bytes], object]) -> Call:
    """A function of bytes, as a function of text."""
    return lambda text: function(text.encode("utf-8", "surrogatepass"))


class Trickle:
    """A connection on which everything comes a byte at a time, and which nobody reads."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._bytes = (data[at : at + 1] for at in range(len(data)))

    def recv(self, count: int, flags: int = 0, /) -> bytes:
        """The next byte; the first may be looked at before."""
        return self._data[:1] if flags else next(self._bytes, b"")

    def sendall(self, data: bytes, /) -> None:
        """Nobody gets it."""

    send = sendall

    def settimeout(self, seconds: float) -> None:
        """Nothing is late here."""

    def shutdown(self, how: int) -> None:
        """Nobody notices."""

    def close(self) -> None:
        """Nor here."""


class Keys:
    """A Windows console at which somebody has typed a text."""

    def __init__(self, text: str) -> None:
        self._keys = iter(text)
        self.are_left = True

    def kbhit(self) -> bool:
        """Everything has been typed already."""
        return True

    def getwch(self) -> str:
        """The next key; none at the end."""
        key = next(self._keys, "")
        self.are_left = bool(key)
        return key

    def putwch(self, key: str, /) -> None:
        """Nobody looks."""


def answers(data: bytes) -> None:
    """What the terminal answers to output that comes a byte at a time."""
    terminal = PseudoTerminal()
    for at in range(len(data)):
        terminal.answer(data[at : at + 1])


def heard(data: bytes, size: int) -> None:
    """The output of a login command, some bytes at a time."""
    transcript = Transcript(MARKER)
    transcript.receive(f"{MARKER}begin:a:b:c\nhttps://a.b/device\n".encode())
    for at in range(0, len(data), size):
        transcript.receive(data[at : at + size])
    transcript.silence()
    transcript.end()


def watched(data: bytes, size: int, columns: int = 80) -> None:
    """A session's output, some bytes at a time, as lines and on a screen."""
    sightings = Sightings(columns)
    lines, screen = Lines(sightings), WatchedScreen(columns, 24, sightings)
    for at in range(0, len(data), size):
        lines.receive(data[at : at + size])
        screen.receive(data[at : at + size])


def seen(text: str) -> None:
    """Rows that announce a code, in the middle of an address."""
    sightings = Sightings(80)
    sightings.of_line("Enter the code:")
    sightings.of_line("https://a.example/".ljust(80, "a"))
    sightings.of_line(text)
    sightings.of_screen([text, text])


def quoted(text: str) -> None:
    """The error that a command ends with, in many lines."""
    words = LastWords().hear("Traceback (most recent call last):")
    for line in text.split("\n"):
        words = words.hear(line)
    str(words)


def shown(text: str) -> None:
    """A line from the remote, as the person sees it."""
    screen = Screen(io.StringIO())
    screen.secrets.update(SECRETS)
    screen.show(events.RemoteLine(text))


def judged(data: bytes) -> None:
    """A request that trickles to the gate."""
    connection: Any = Trickle(data)
    Gate(EXPECTED, "me@box", lambda _: pytest.fail("it is no callback"), lambda _: None).serve(connection)


def listed(data: bytes) -> None:
    """An agent's list of keys."""
    answer = b"\x0c" + (len(data) // 8).to_bytes(4, "big") + b"\0\0\0\0" * (len(data) // 4)
    with contextlib.suppress(AgentProblem):
        Agent(None, connect=lambda path, seconds: Trickle(packed(answer))).keys()


def typed(text: str) -> None:
    """A long line at a Windows console, and then a text."""
    keys = Keys("a" * len(text) + text)
    read_line(keys, lambda: keys.are_left, hidden=True, offered=True)


def configured(*lines: str) -> None:
    """What an ssh_config file says about a host."""
    reading = Reading("a" * 60, {})
    reading.add("file", lines)
    reading.result()


def known(text: bytes) -> None:
    """What a known_hosts file says about a host."""
    hosts = KnownHosts(("file:1", line) for line in text.split(b"\n"))
    hosts.find("a" * 253, 22, b"blob")
    hosts.known_types("a" * 253, 2222)


FUNCTIONS: dict[str, tuple[Call, int, list[Pump]]] = {
    "plain": (plain, LONG, TEXTS),
    "redact": (lambda text: redact(text, SECRETS), LONG, TEXTS),
    "quote": (quote, LONG, TEXTS),
    "one_line": (one_line, LONG, WORDS),
    "narrowed": (lambda text: narrowed(text, 12), LONG, [*WORDS, *TEXTS, *DRAWN]),
    "last words": (LastWords().hear, LONG, [*WORDS, *TEXTS, *DRAWN]),
    "last words, line by line": (quoted, LONG // 4, WORDS),
    "folded": (lambda text: folded(text, 12), LONG, WORDS),
    "a line on the screen": (shown, LONG // 4, WORDS),
    "a transcript": (in_bytes(lambda data: heard(data, 32768)), LONGEST_LINE // 3, TEXTS),
    "a transcript, byte by byte": (in_bytes(lambda data: heard(data, 1)), LONGEST_LINE // 3, KEYS),
    "a transcript, a long line byte by byte": (
        in_bytes(lambda data: heard(b"a" * len(data) + data, 1)),
        LONGEST_LINE // 2,
        [Pump("", "a", ""), Pump("", "\r", "")],
    ),
    "what a session shows": (in_bytes(lambda data: watched(data, 4096)), LONG // 4, TEXTS),
    "what a session shows, byte by byte": (in_bytes(lambda data: watched(data, 1)), LONG // 32, KEYS),
    "sightings": (seen, LONG // 2, [*TEXTS, *SEEN]),
    "codes": (lambda text: list(codes_in(text)), LONG, [*TEXTS, *SEEN]),
    "edit": (in_bytes(lambda data: edit(bytearray(b"a" * len(data)), data)), LONG, KEYS),
    "a line at the console of Windows": (typed, LONG // 4, KEYS),
    "a request, byte by byte": (in_bytes(judged), LONGEST_HEAD, [Pump("", "a", ""), Pump("GET ", "\r", "")]),
    "judge": (in_bytes(lambda data: judge(data + b"\r\n\r\n", EXPECTED)), LONG, TEXTS),
    "judge, a target": (lambda text: judge(f"GET /{text} HTTP/1.1\r\n\r\n".encode(), EXPECTED), LONG, TEXTS),
    "judge, a header": (lambda text: judge(f"{GET}X: {text}\r\n\r\n".encode(), EXPECTED), LONG, TEXTS),
    "judge, headers": (
        lambda text: judge(f"{GET}{text}\r\n".encode(), EXPECTED),
        LONG,
        [Pump("", f"{name}: a\r\n", "") for name in ("a", "Host", "Origin", "Sec-Fetch-Mode")],
    ),
    "judge_form": (in_bytes(lambda data: judge_form(data, EXPECTED)), LONG, TEXTS),
    "judge_pasted": (lambda text: judge_pasted(text, EXPECTED), LONGEST_HEAD, TEXTS),
    "pasted_address": (pasted_address, LONG, TEXTS),
    "where an answer leads": (lambda text: next_request(CALLBACK, 302, text), LONG, TEXTS),
    "answer": (in_bytes(lambda data: Answer().receive(data)), 10 * LONG, ANSWERS),
    "answer by bytes": (in_bytes(answered), LONG // 4, ANSWERS),
    "host_to_open": (host_to_open, LONGEST_URL, TEXTS),
    "assess_authorization": (lambda text: assess_authorization(text, Policy()), LONGEST_URL, TEXTS),
    "what the terminal answers": (in_bytes(lambda data: PseudoTerminal().answer(data)), LONG, KEYS),
    "what the terminal answers, byte by byte": (in_bytes(answers), LONG // 4, KEYS),
    "a container's name": (container_in, LONG, [*TEXTS, Pump("docker exec ", "-u ", "")]),
    "landed": (lambda text: landed((text,), lambda: text, "0123"), LONG, [*KEYS, *LOOKS]),
    "read_listeners": (read_listeners, LONG, TEXTS),
    "read_listeners, a port": (lambda text: read_listeners(f"LISTEN 0 1 [::1]:{text} x"), LONG, NUMBERS),
    "known_hosts": (in_bytes(known), LONG, TEXTS),
    "known_hosts, patterns": (in_bytes(lambda data: known(data + b" ssh-ed25519 AAAA")), LONG, NAMES),
    "a pattern": (in_bytes(lambda data: in_list([data], b"a" * 255)), LONG, NAMES),
    "a name": (in_bytes(lambda data: in_list([b"*a*a*a*b", b"*?*?*"], data)), LONG, NAMES),
    "ssh_config": (lambda text: configured(*text.split("\n")), LONG, TEXTS),
    "ssh_config, a name": (lambda text: configured(f"HostName {text}", *["Match host a"] * 9), LONG, NAMES),
    "ssh_config, a time": (lambda text: configured(f"ConnectTimeout {text}"), LONG, NUMBERS),
    "ssh_config, a number": (lambda text: configured(f"Port {text}1"), LONG, NUMBERS),
    "ssh_config, many keys": (
        lambda text: configured(*(f"IdentityFile {at}" for at in range(len(text) // 8))),
        LONG,
        [Pump("", "a", "")],
    ),
    "a path with tokens": (TOKENS.path, LONG, TEXTS),
    "a hop": (parse_hop, LONG, TEXTS),
    "jump hosts": (parse_jumps, LONG // 4, TEXTS),
    "a public key": (in_bytes(parse_public_line), LONG, TEXTS),
    "a private key": (in_bytes(_openssh_public_blob), LONG, TEXTS),
    "the type of a key": (
        in_bytes(lambda data: whole_type(packed(b"a") + b"\0\0\0\0" * (len(data) // 4))),
        10 * LONG,
        [Pump("", "a", "")],
    ),
    "an agent's keys, byte by byte": (in_bytes(listed), LARGEST, [Pump("", "a", "")]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str) -> None:
    """A function that goes through a text takes time in proportion to it."""
    call, longest, texts = FUNCTIONS[name]
    assert too_slow(call, texts, longest) == ""


def test_redaction_takes_milliseconds() -> None:
    """64 KiB of anything are scrubbed and redacted in milliseconds."""

    def shown(text: str) -> str:
        return redact(plain(text), SECRETS)

    taken = [(seconds(shown, pump.text(6400)), pump) for pump in TEXTS]
    for _, pump in heapq.nlargest(4, taken):
        assert best(shown, pump, 64 * 1024) < 0.05, pump


def collected(tree: ast.AST) -> Iterator[str]:
    """Where a text grows by pieces, each of which copies everything before it: a name in a loop, or an
    attribute in any method.
    """
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.ClassDef):
            is_class = isinstance(scope, ast.ClassDef)
            nodes = [*ast.walk(scope)]
            texts = {
                ast.unparse(one) for node in nodes if isinstance(node, ast.Assign) for one in _emptied(node)
            }
            again = [scope] if is_class else [one for one in nodes if isinstance(one, ast.While | ast.For)]
            for node in (inner for each in again for inner in ast.walk(each)):
                if not isinstance(node, ast.AugAssign) or ast.unparse(node.target) not in texts:
                    continue
                if is_class == isinstance(node.target, ast.Attribute):
                    yield ast.unparse(node)


def _emptied(node: ast.Assign) -> Iterator[ast.expr]:
    """What is set to a constant text there."""
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        for one, value in pairs:
            if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes):
                yield one


@pytest.mark.parametrize(
    "path", sorted(Path(hermes_tunnel.__file__).parent.rglob("*.py")), ids=lambda one: one.stem
)
def test_pieces_are_not_copied_each_time(path: Path) -> None:
    """Pieces, however small, go into a list or a bytearray; a text would be copied each time."""
    assert {*collected(ast.parse(path.read_text("utf-8")))} == set()
